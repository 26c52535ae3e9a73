// The counters of a process, and how they become increments of its group.

export const COUNTERS = [
  'user',
  'system',
  'minorFaults',
  'majorFaults',
  'readBytes',
  'writeBytes',
  'voluntary',
  'nonvoluntary',
] as const;
type CounterName = (typeof COUNTERS)[number];

/** CPU in clock ticks, the rest as named. A counter that was never read is absent. */
export type Counters = { -readonly [name in CounterName]?: number | undefined };

const U32 = 2 ** 32;
const U64 = 2 ** 64; // as a double also 2^64 - 1

/**
 * How much a kernel counter grew. One that fell from the last quarter of its 32 or 64 bits into the first has wrapped;
 * any other that fell was begun anew (another thread became the main one by execve(2)): nothing is added.
 */
export function increase(before: number, now: number): number {
  if (now >= before) return now - before;
  for (const width of [U32, U64]) {
    if (before <= width && before >= 0.75 * width && now < 0.25 * width) return width - before + now;
  }
  return 0;
}

/**
 * Takes newly read values into `last` and returns what to add to the group. A counter read for the first time counts
 * whole if the process was born while we watched; else it only sets the mark to count from.
 */
export function advance(last: Counters, read: Counters, born: boolean): Counters {
  const added: Counters = {};
  for (const name of COUNTERS) {
    const now = read[name];
    if (now === undefined) continue;
    const before = last[name];
    added[name] = before !== undefined ? increase(before, now) : born ? now : 0;
    last[name] = now;
  }
  return added;
}

/** Adds increments. A counter once known stays known: a sum of nothing that was readable is absent, not 0. */
export function addTo(total: Counters, added: Counters): void {
  for (const name of COUNTERS) {
    const value = added[name];
    if (value !== undefined) total[name] = (total[name] ?? 0) + value;
  }
}
