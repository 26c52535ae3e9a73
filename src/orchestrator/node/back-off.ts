// How long to wait before a container is started again: at once, then 10, 20, 40, 80, 160, 300, 300… seconds, and from the
// beginning after ten minutes of running well (Kubernetes: pod-lifecycle, container restarts). All times are monotonic
// milliseconds, so that a clock that is set changes nothing.

const FIRST_DELAY_MS = 10_000;
export const LAST_DELAY_MS = 300_000;
const RESET_AFTER_MS = 600_000;

export interface BackOff {
  /** The run that this is about. */
  readonly attempt: number;
  readonly startedAt: number;
  /** When it was seen to have ended. */
  readonly endedAt?: number;
  /** From its end to the next start, unless it ran well. */
  readonly delayMs: number;
}

/** The delay after `delayMs`: each fast end doubles it. */
const doubled = (delayMs: number): number => (delayMs === 0 ? FIRST_DELAY_MS : Math.min(LAST_DELAY_MS, delayMs * 2));

/** The delay after attempt number `attempt` where nothing is known of the runs before: as if all had ended fast. */
export const delayAfter = (attempt: number): number => {
  let delayMs = 0;
  for (let n = 0; n < attempt && delayMs < LAST_DELAY_MS; n += 1) delayMs = doubled(delayMs);
  return delayMs;
};

/** What stands in the way of the next start: nothing once a run went well. */
export const effectiveDelay = ({ startedAt, endedAt = startedAt, delayMs }: BackOff): number =>
  endedAt - startedAt >= RESET_AFTER_MS ? 0 : delayMs;

/** When the next run may start; undefined while this one goes on. */
export const dueAt = (backOff: BackOff): number | undefined =>
  backOff.endedAt === undefined ? undefined : backOff.endedAt + effectiveDelay(backOff);

/** The record of the next run. `counted` is false where the last one was ended by us, and not by itself. */
export const afterStart = (before: BackOff, attempt: number, startedAt: number, counted = true): BackOff => ({
  attempt,
  startedAt,
  delayMs: counted ? doubled(effectiveDelay(before)) : before.delayMs,
});

/** A start that failed and is tried again later, on the same curve from ten seconds on. */
export interface Trouble {
  /** Kubernetes' reason for a waiting container, such as `ErrImagePull`. */
  readonly reason: string;
  readonly message: string;
  readonly failures: number;
  readonly retryAt: number;
}

/** The trouble after one more failure. */
export const troubled = (
  before: Trouble | undefined,
  what: { readonly reason: string; readonly message: string },
  now: number,
): Trouble => {
  const failures = (before?.failures ?? 0) + 1;
  return { reason: what.reason, message: what.message, failures, retryAt: now + delayAfter(failures) };
};
