// The counters of a process, and how they become increments of its group.

/** What stands where in {@link Counters}. CPU in clock ticks, the rest as named. */
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
export const [USER, SYSTEM, MINOR_FAULTS, MAJOR_FAULTS, READ_BYTES, WRITE_BYTES, VOLUNTARY, NONVOLUNTARY] = [
  0, 1, 2, 3, 4, 5, 6, 7,
] as const;

/** In the order of {@link COUNTERS}; NaN where a counter was never read. */
export type Counters = Float64Array;

export const unknownCounters = (): Counters => new Float64Array(COUNTERS.length).fill(Number.NaN);

/** A counter, or undefined where it is not known. */
export function known(counters: Counters, index: number): number | undefined {
  const value = counters[index];
  return value === undefined || Number.isNaN(value) ? undefined : value;
}

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

/** Notes where the counters of a process stand that counts nowhere yet; one born while we watched counts whole later. */
export function mark(last: Counters, read: Counters, born: boolean): void {
  if (born) return;
  for (let i = 0; i < COUNTERS.length; i += 1) if (Number.isNaN(last[i])) last[i] = read[i] ?? Number.NaN;
}

/** Moves the marks of counters on that are counted elsewhere this time, and takes them out of what was read. */
export function passOver(last: Counters, read: Counters, ...indices: readonly number[]): void {
  for (const at of indices) {
    const value = read[at] ?? Number.NaN;
    if (!Number.isNaN(value)) last[at] = value;
    read[at] = Number.NaN;
  }
}

/**
 * Takes newly read values into `last` and adds what they grew by to `total`. A counter read for the first time counts
 * whole if the process was born while we watched; else it only sets the mark to count from. A counter once known in the
 * total stays known: a sum of nothing that was readable is unknown, not 0.
 */
export function advance(last: Counters, read: Counters, born: boolean, total: Counters | undefined): void {
  for (let i = 0; i < COUNTERS.length; i += 1) {
    const now = read[i] ?? Number.NaN;
    if (Number.isNaN(now)) continue;
    const before = last[i] ?? Number.NaN;
    last[i] = now;
    if (total === undefined) continue;
    const added = Number.isNaN(before) ? (born ? now : 0) : increase(before, now);
    const sum = total[i] ?? Number.NaN;
    total[i] = Number.isNaN(sum) ? added : sum + added;
  }
}
