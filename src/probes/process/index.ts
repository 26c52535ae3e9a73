// The collectors of processes.
import type { Collector } from '../collector.ts';
import { processes } from './collector.ts';

export const processCollectors = [processes] as const satisfies readonly Collector[];
