// When a process that ended is started again: a pure decision.

/** A run this long is taken as success: the next end starts the back-off anew. */
const STEADY_MS = 60_000;
const FIRST_MS = 250;
const LONGEST_MS = 30_000;

interface RestartPlan {
  /** Milliseconds to wait. */
  readonly waitMs: number;
  /** Ends in a row, this one included; goes into the next decision. */
  readonly failures: number;
}

/** Doubling from a quarter of a second to half a minute; a wanted end (a hung probe that was killed) does not count. */
export function planRestart(failuresBefore: number, ranMs: number, wanted: boolean): RestartPlan {
  if (wanted) return { waitMs: 0, failures: failuresBefore };
  const failures = ranMs >= STEADY_MS ? 1 : failuresBefore + 1;
  return { waitMs: Math.min(LONGEST_MS, FIRST_MS * 2 ** (failures - 1)), failures };
}
