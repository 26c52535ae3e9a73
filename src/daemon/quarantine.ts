// Targets whose reading hung: skipped for a while, tried again, for longer each time they hang anew. Pure.

export interface Quarantined {
  readonly collector: string;
  /** What was being read; empty when the collector as a whole was too slow. */
  readonly target: string;
  /** Unix milliseconds of the first hang. */
  readonly since: number;
  /** Unix milliseconds until when it is left alone. */
  readonly until: number;
  readonly times: number;
}

const FIRST_MS = 5 * 60_000;
const LONGEST_MS = 60 * 60_000;
/** A target that did not hang again for this long after its time was up is forgotten. */
const FORGET_MS = 2 * LONGEST_MS;
const MOST = 1000;

/** The list after `target` hung at `now`: 5 minutes the first time, doubling to an hour. */
export function quarantine(
  list: readonly Quarantined[],
  collector: string,
  target: string,
  now: number,
): readonly Quarantined[] {
  const before = list.find((entry) => entry.collector === collector && entry.target === target);
  const times = (before?.times ?? 0) + 1;
  const entry = {
    collector,
    target,
    since: before?.since ?? now,
    until: now + Math.min(LONGEST_MS, FIRST_MS * 2 ** (times - 1)),
    times,
  };
  return [...list.filter((other) => other !== before && other.until + FORGET_MS > now), entry].slice(-MOST);
}

/** The entries in force at `now`. */
export const inForce = (list: readonly Quarantined[], now: number): readonly Quarantined[] =>
  list.filter((entry) => entry.until > now);
