// Points of a series for a picture: rollups of minutes or days put together in steps. Pure.
import { Accumulator, type Rollup } from './rollup.ts';

export const MINUTE_S = 60;
/** Points a series may have in an answer. */
export const MOST_POINTS = 11_000;
/** Points a series has unless a step is asked for. */
const USUAL_POINTS = 400;
/** Steps that people think in, in seconds. */
const STEPS = [60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400];

/** The step for a time, in seconds: the smallest usual one with not too many points. */
export function stepFor(from: number, to: number): number {
  const least = (to - from) / 1000 / USUAL_POINTS;
  return STEPS.find((step) => step >= least) ?? Math.ceil(least / 86_400) * 86_400;
}

/** Unix milliseconds at the beginning of the step, then min, max, mean, last. */
type Point = readonly [at: number, min: number, max: number, mean: number, last: number];

/** Seven digits of a fraction, as many as are kept. */
const short = (value: number): number => (Number.isInteger(value) ? value : Number(value.toPrecision(7)));

/** Puts rollups together in steps of `stepSeconds` from the beginning of time. A step without any is a gap: no point. */
export class Steps {
  readonly #steps = new Map<number, Accumulator>();
  readonly #stepMs: number;

  constructor(stepSeconds: number) {
    this.#stepMs = stepSeconds * 1000;
  }

  /** Rollups come in the order of time. */
  add(at: number, rollup: Rollup): void {
    const step = Math.floor(at / this.#stepMs) * this.#stepMs;
    let sum = this.#steps.get(step);
    if (sum === undefined) this.#steps.set(step, (sum = new Accumulator()));
    sum.addRollup(rollup);
  }

  points(): readonly Point[] {
    return [...this.#steps]
      .sort(([a], [b]) => a - b)
      .flatMap(([at, sum]): Point[] => {
        const rollup = sum.rollup();
        return rollup === undefined
          ? []
          : [[at, short(rollup.min), short(rollup.max), short(rollup.mean), short(rollup.last)]];
      });
  }
}
