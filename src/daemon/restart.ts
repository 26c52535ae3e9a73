// When a process that ended is started again: a pure decision.

/** A run this long is taken as success: the next end starts the back-off anew. */
const STEADY_MS = 60_000;
const FIRST_MS = 250;
const LONGEST_MS = 30_000;

/** How the probe process says that it ended because it held more memory than it may: EX_TEMPFAIL of sysexits(3). */
export const MEMORY_EXIT = 75;

/** Why a run ended: killed because it hung, its memory, another configuration, or by itself. */
export const END_REASONS = ['hung', 'memory', 'configuration', 'ended'] as const;
export type EndReason = (typeof END_REASONS)[number];

/** What is known of the end of a run. */
export interface RunEnd {
  /** Why the agent ended it, if it did. */
  asked: EndReason | undefined;
  /** It was killed because it did not answer. */
  silent: boolean;
  exitCode: number | null;
}

export function reasonOf({ asked, silent, exitCode }: RunEnd): EndReason {
  if (asked !== undefined) return asked;
  if (silent) return 'hung';
  return exitCode === MEMORY_EXIT ? 'memory' : 'ended';
}

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
