// What is kept of the samples of a time: the smallest, the largest, the mean, the last, and how many they were.

export interface Rollup {
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  readonly last: number;
  /** Samples behind it; with none there is no rollup. */
  readonly count: number;
}

/** Adds up samples without making anything; begun anew after each minute. */
export class Accumulator {
  min = Infinity;
  max = -Infinity;
  sum = 0;
  last = Number.NaN;
  count = 0;

  /** A sample that is no number is not known, and not added. */
  add(value: number): void {
    if (!Number.isFinite(value)) return;
    if (value < this.min) this.min = value;
    if (value > this.max) this.max = value;
    this.sum += value;
    this.last = value;
    this.count += 1;
  }

  /** Adds a rollup of samples that came after those here. */
  addRollup({ min, max, mean, last, count }: Rollup): void {
    if (count === 0) return;
    if (min < this.min) this.min = min;
    if (max > this.max) this.max = max;
    this.sum += mean * count;
    this.last = last;
    this.count += count;
  }

  /** Undefined without a sample. */
  rollup(): Rollup | undefined {
    if (this.count === 0) return undefined;
    const { min, max, last, count } = this;
    return { min, max, mean: Math.min(max, Math.max(min, this.sum / count)), last, count };
  }

  clear(): void {
    this.min = Infinity;
    this.max = -Infinity;
    this.sum = 0;
    this.last = Number.NaN;
    this.count = 0;
  }
}

/** Two rollups of the same time as one; the second is the later. */
export function merge(first: Rollup, second: Rollup): Rollup {
  const both = new Accumulator();
  both.addRollup(first);
  both.addRollup(second);
  return both.rollup() ?? first;
}

/** When a collection was made, by two clocks. */
export interface Moment {
  /** Unix milliseconds; jumps when the clock is set. */
  readonly at: number;
  /** Milliseconds of a clock that never jumps, when it arrived. */
  readonly uptime: number;
}

/** Milliseconds by which a collection may arrive late. */
const LATE_MS = 2000;
const LATE_SHARE = 0.2;
/** After this many periods without a collection nobody knows when in them a counter grew. */
const PERIODS = 4;

/**
 * Seconds between two collections, for a rate. Undefined where there is none to be had: the clock was set (the two
 * clocks disagree, or time went back), or there was none for long. Absent is not 0: such a time is a gap.
 */
export function interval(before: Moment, now: Moment, periodSeconds: number): number | undefined {
  const [wall, steady] = [now.at - before.at, now.uptime - before.uptime];
  if (wall <= 0 || wall > PERIODS * periodSeconds * 1000) return undefined;
  return Math.abs(wall - steady) > Math.max(LATE_MS, wall * LATE_SHARE) ? undefined : wall / 1000;
}

/** The increase per second of a counter; undefined where it was begun anew, which says nothing of what was lost. */
export const rate = (before: number, now: number, seconds: number): number | undefined =>
  now >= before && Number.isFinite(now - before) ? (now - before) / seconds : undefined;
