// Work by key, for controllers and the node agent: one worker per key at a time, keys beside each other up to a limit,
// failures again later and later.
import { explain } from '../base/fault.ts';
import type { Clock } from './clock.ts';

/** Milliseconds after which the key is looked at again, or undefined for when something changes. Rejects: again, with back-off. */
export type Work = (key: string) => Promise<number | undefined>;

export interface KeyQueue {
  /** Soon; a key that is being worked on is worked on once more afterwards. */
  add(key: string): void;
  /** Why a key fails again and again, where one does. */
  failure(): string | undefined;
  /** Takes no more work; resolves when what is under way has ended. */
  close(): Promise<void>;
}

const FIRST_RETRY_MS = 200;
const LAST_RETRY_MS = 60_000;
/** Fewer failures in a row are the weather. */
const PERSISTENT = 4;

export function openKeyQueue(
  work: Work,
  options: {
    readonly atOnce: number;
    readonly clock: Clock;
    /** `failures` of this key in a row, this one counted. */
    readonly onFailure: (key: string, error: unknown, failures: number) => void;
  },
): KeyQueue {
  const { atOnce, clock, onFailure } = options;
  const waiting = new Set<string>();
  const working = new Map<string, Promise<void>>();
  const timers = new Map<string, Disposable>();
  const failures = new Map<string, { readonly count: number; readonly why: string }>();
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
    timers.get(key)?.[Symbol.dispose]();
    timers.delete(key);
    try {
      const again = await work(key);
      failures.delete(key);
      if (again !== undefined && !closed) later(key, again);
    } catch (error) {
      const count = (failures.get(key)?.count ?? 0) + 1;
      failures.set(key, { count, why: explain(error) });
      onFailure(key, error, count);
      if (!closed) later(key, Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** (count - 1)));
    }
    working.delete(key);
    next();
  };
  const next = (): void => {
    for (const key of waiting) {
      if (closed || working.size >= atOnce) return;
      if (working.has(key)) continue;
      waiting.delete(key);
      // In a turn of its own: work that fails at once must not end before it is noted.
      working.set(
        key,
        Promise.resolve().then(() => run(key)),
      );
    }
  };
  const add = (key: string): void => {
    if (closed) return;
    waiting.add(key);
    next();
  };
  return {
    add,
    failure: () => [...failures.values()].find(({ count }) => count >= PERSISTENT)?.why,
    async close() {
      closed = true;
      waiting.clear();
      for (const timer of timers.values()) timer[Symbol.dispose]();
      timers.clear();
      await Promise.all(working.values());
    },
  };
}
