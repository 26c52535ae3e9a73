// What disks say of their own health.
import type { Collector } from '../collector.ts';
import { smart } from './collector.ts';

export const smartCollectors = [smart] as const satisfies readonly Collector[];
