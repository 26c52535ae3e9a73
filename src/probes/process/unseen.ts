// The CPU time of children that came and went between two looks at /proc, as it appears in what their parents have waited for
// (netdata's apps.plugin does so too). Pure.
import type { Stat } from './stat.ts';

/** What one collection finds of it, in clock ticks. */
export interface Unseen {
  /** The tick of the collection before; Infinity in the first one. */
  readonly lastTick: number;
  /** What parents gained, less what was seen of those that are gone. */
  ticks: number;
}

const used = ({ user, system, reaped }: Stat): number => user + system + reaped;

/** A process of which something changed; `before` is undefined when it was not seen before. */
export function countParent(unseen: Unseen, before: Stat | undefined, now: Stat): void {
  if (before?.start === now.start) {
    unseen.ticks += Math.max(0, now.reaped - before.reaped);
    return;
  }
  if (before !== undefined) countEnded(unseen, before);
  if (now.start >= unseen.lastTick) unseen.ticks += now.reaped;
}

/** A process that is gone: its parent gains what was seen of it. */
export function countEnded(unseen: Unseen, stat: Stat): void {
  unseen.ticks -= used(stat);
}

/**
 * Clock ticks that children used of which nobody saw it. At least so much: of children that nobody waits for nothing
 * appears anywhere.
 */
export const unseenTicks = ({ ticks }: Unseen): number => Math.max(0, ticks);
