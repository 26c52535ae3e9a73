// Work by key: one worker per key at a time, keys beside each other up to a limit, failures again later and later.
import type { Clock } from './clock.ts';

/** Milliseconds after which the key is looked at again, or undefined for when something changes. Rejects: again, with back-off. */
export type Work = (key: string) => Promise<number | undefined>;

export interface KeyQueue {
  /** Soon; a key that is being worked on is worked on once more afterwards. */
  add(key: string): void;
  /** How many keys wait or are worked on. */
  readonly busy: number;
  /** Takes no more work; what is under way goes on by itself. */
  close(): void;
}

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 60_000;

export function openKeyQueue(
  work: Work,
  options: {
    readonly atOnce: number;
    readonly clock: Clock;
    readonly onFailure: (key: string, error: unknown) => void;
  },
): KeyQueue {
  const { atOnce, clock, onFailure } = options;
  const waiting = new Set<string>();
  const working = new Set<string>();
  const timers = new Map<string, Disposable>();
  const failures = new Map<string, number>();
  let closed = false;

  const later = (key: string, ms: number): void => {
    timers.get(key)?.[Symbol.dispose]();
    timers.set(
      key,
      clock.after(ms, () => {
        timers.delete(key);
        add(key);
      }),
    );
  };
  const run = async (key: string): Promise<void> => {
    waiting.delete(key);
    working.add(key);
    timers.get(key)?.[Symbol.dispose]();
    timers.delete(key);
    try {
      const again = await work(key);
      failures.delete(key);
      if (again !== undefined && !closed) later(key, again);
    } catch (error) {
      const count = failures.get(key) ?? 0;
      failures.set(key, count + 1);
      if (count === 0) onFailure(key, error);
      if (!closed) later(key, Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** count));
    }
    working.delete(key);
    next();
  };
  const next = (): void => {
    for (const key of waiting) {
      if (closed || working.size >= atOnce) return;
      if (!working.has(key)) void run(key);
    }
  };
  const add = (key: string): void => {
    if (closed) return;
    waiting.add(key);
    next();
  };
  return {
    add,
    get busy() {
      return new Set([...waiting, ...working]).size;
    },
    close() {
      closed = true;
      waiting.clear();
      for (const timer of timers.values()) timer[Symbol.dispose]();
      timers.clear();
    },
  };
}
