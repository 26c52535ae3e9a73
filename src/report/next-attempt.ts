// When a mail that was not taken is tried again, and when it is given up.

const MINUTE = 60_000;

/** After the first, second… failed attempt; the last one repeats. */
export const RETRY_MINUTES = [1, 5, 15, 30, 60] as const;
/** From the moment the mail was written. */
export const GIVE_UP_MS = 24 * 60 * MINUTE;
const JITTER = 0.1;

export interface Failed {
  /** `deferred`: the relay said later (4xx). `unreachable`: there was no usable session. `failed`: never (5xx). */
  readonly kind: 'deferred' | 'unreachable' | 'failed';
  /** Attempts made so far, this one included. */
  readonly attempts: number;
  readonly createdAt: number;
  readonly now: number;
  /** A number in [0, 1) that spreads retries by up to a tenth. */
  readonly jitter: number;
}

type NextAttempt =
  | { readonly state: 'deferred'; readonly at: number }
  | { readonly state: 'failed'; readonly why: 'refused' | 'too old' };

/** Decides on a failed attempt. A refusal for good is never repeated; the rest is, for a day. */
export function nextAttempt({ kind, attempts, createdAt, now, jitter }: Failed): NextAttempt {
  if (kind === 'failed') return { state: 'failed', why: 'refused' };
  const step = RETRY_MINUTES[Math.max(0, Math.min(attempts, RETRY_MINUTES.length) - 1)] ?? 60;
  const at = now + Math.round(step * MINUTE * (1 + JITTER * jitter));
  return at - createdAt > GIVE_UP_MS ? { state: 'failed', why: 'too old' } : { state: 'deferred', at };
}
