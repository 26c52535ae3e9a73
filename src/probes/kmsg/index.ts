// The log of the kernel: what it tells of problems, counted, attributed, and kept.
import type { Collector } from '../collector.ts';
import { kmsg } from './collector.ts';
import { kernelFaults } from './latched.ts';

export { openKernelEvents } from './keeper.ts';
export type { Tell } from './outbox.ts';

export const kmsgCollectors = [kmsg, kernelFaults] as const satisfies readonly Collector[];
