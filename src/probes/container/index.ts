// The collectors of containers.
import type { Collector } from '../collector.ts';
import { containers } from './collector.ts';

export const containerCollectors = [containers] as const satisfies readonly Collector[];
