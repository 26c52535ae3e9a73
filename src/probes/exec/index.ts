// The collector of what processes do between two looks at /proc.
import type { Collector } from '../collector.ts';
import { exec } from './collector.ts';

export { clearTraces } from './tracefs.ts';
export const execCollectors = [exec] as const satisfies readonly Collector[];
