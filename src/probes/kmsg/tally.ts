// Exact counts by reason, and which of many events of one reason are kept: a bucket of tokens each, by the kernel's clock. Pure.

/** JSON, as it is saved. */
export interface Count {
  count: number;
  /** Events that were counted and not kept, of all and since the last that was kept. */
  suppressed: number;
  since: number;
  /** What is left in the bucket, and when that was so in microseconds since the boot. */
  tokens: number;
  at: number;
}

/** By reason. */
export type Counts = Map<string, Count>;

const emptyCount = (perMinute: number): Count => ({
  count: 0,
  suppressed: 0,
  since: 0,
  tokens: perMinute,
  at: 0,
});

const MINUTE_USEC = 60_000_000;

/**
 * Counts one. Returns how many were not kept since the last that was, when this one is to be kept; undefined when it is not.
 * A bucket holds as many tokens as come in a minute.
 */
export function countOne(counts: Counts, reason: string, usec: number, perMinute: number): number | undefined {
  let count = counts.get(reason);
  if (count === undefined) counts.set(reason, (count = emptyCount(perMinute)));
  count.count += 1;
  count.tokens = Math.min(perMinute, count.tokens + (Math.max(0, usec - count.at) * perMinute) / MINUTE_USEC);
  count.at = usec;
  if (count.tokens < 1) {
    count.suppressed += 1;
    count.since += 1;
    return undefined;
  }
  count.tokens -= 1;
  const { since } = count;
  count.since = 0;
  return since;
}
