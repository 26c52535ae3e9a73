// Silenced findings: said in the configuration, with an end and a reason; they stay listed.
import type { Result } from './model.ts';

export interface Mute {
  readonly code: string;
  /** One target; all of the check when absent. */
  readonly target?: string | undefined;
  /** Unix milliseconds. */
  readonly until: number;
  readonly reason: string;
}

/** The mute in force for a result, or undefined: the one that ends last. */
export function muteOf(mutes: readonly Mute[], code: string, target: string, now: number): Result['muted'] | undefined {
  const fitting = mutes.filter(
    (mute) => mute.code === code && (mute.target === undefined || mute.target === target) && mute.until > now,
  );
  if (fitting.length === 0) return undefined;
  const { until, reason } = fitting.reduce((a, b) => (b.until > a.until ? b : a));
  return { until, reason };
}
