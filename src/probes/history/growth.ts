// How fast something grows: the slope of its hourly minima over a day, as a leak raises the floor and a burst does not.

/** Hours that are looked at. */
export const GROWTH_HOURS = 24;
/** With fewer whole hours nothing is said. */
const FEWEST_HOURS = 4;
/** What falls below this part of what it was has been begun anew: only what came after counts. */
const RESTART_RATIO = 0.5;
const HOUR_MS = 3_600_000;

/**
 * Growth per hour of hourly minima, given by hour, oldest first: Theil and Sen's median of the slopes between any two. Undefined
 * where there is too little to say.
 */
export function growthPerHour(minima: readonly (readonly [hour: number, value: number])[]): number | undefined {
  let from = 0;
  for (let i = 1; i < minima.length; i += 1) {
    const [before, now] = [minima[i - 1]?.[1] ?? 0, minima[i]?.[1] ?? 0];
    if (now < before * RESTART_RATIO) from = i;
  }
  const points = minima.slice(from);
  if (points.length < FEWEST_HOURS) return undefined;
  const slopes: number[] = [];
  for (const [i, [hour, value]] of points.entries()) {
    for (const [later, then] of points.slice(i + 1)) slopes.push((then - value) / (later - hour));
  }
  slopes.sort((a, b) => a - b);
  const middle = Math.floor(slopes.length / 2);
  const high = slopes[middle] ?? 0;
  return slopes.length % 2 === 1 ? high : (high + (slopes[middle - 1] ?? high)) / 2;
}

/** Hourly minima of many things by name, of the last day. */
export class HourlyMinima {
  readonly #of = new Map<string, Map<number, number>>();
  readonly #most: number;

  /** `most` names are followed at a time. */
  constructor(most: number) {
    this.#most = most;
  }

  note(name: string, at: number, value: number): void {
    let hours = this.#of.get(name);
    if (hours === undefined) {
      if (this.#of.size >= this.#most) return;
      this.#of.set(name, (hours = new Map()));
    }
    const hour = Math.floor(at / HOUR_MS);
    const before = hours.get(hour);
    if (before === undefined || value < before) hours.set(hour, value);
  }

  /** Growth per hour of all of which something can be said, of the whole hours before `now`; forgets what is older. */
  growth(now: number): ReadonlyMap<string, number> {
    const current = Math.floor(now / HOUR_MS);
    const found = new Map<string, number>();
    for (const [name, hours] of this.#of) {
      for (const hour of hours.keys()) if (Math.abs(current - hour) > GROWTH_HOURS) hours.delete(hour);
      if (hours.size === 0) this.#of.delete(name);
      const whole = [...hours].filter(([hour]) => hour < current).sort(([a], [b]) => a - b);
      const growth = growthPerHour(whole);
      if (growth !== undefined) found.set(name, growth);
    }
    return found;
  }
}
