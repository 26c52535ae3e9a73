// A queue of keys for level-based controllers: each key at most once at a time, tried again later where that is wanted.
import { explain, Fault } from '../../base/fault.ts';
import type { Logger } from '../../base/logging.ts';

/** Done until something changes; once more after a time (what is waited for is no change); a rejection is tried again, later each time. */
export type Outcome = { readonly done: true } | { readonly againAfterMs: number };

interface KeyQueueOptions {
  readonly name: string;
  readonly log: Logger;
  /** Reads what is there now for the key and takes it one step on. */
  readonly reconcile: (key: string) => Promise<Outcome>;
}

export interface KeyQueue {
  add(key: string): void;
  /** No more is begun; resolves when what is under way has ended. */
  stop(): Promise<void>;
  /** Why the last try of a key failed, where one did. */
  failure(): string | undefined;
}

const FIRST_MS = 200;
const LAST_MS = 60_000;

export function openKeyQueue({ name, log, reconcile }: KeyQueueOptions): KeyQueue {
  const waiting = new Set<string>();
  const timers = new Map<string, NodeJS.Timeout>();
  const failures = new Map<string, { readonly tries: number; readonly why: string }>();
  let running: Promise<void> | undefined;
  let stopped = false;

  const later = (key: string, ms: number): void => {
    clearTimeout(timers.get(key));
    const timer = setTimeout(() => {
      timers.delete(key);
      add(key);
    }, ms);
    timers.set(key, timer.unref());
  };
  const one = async (key: string): Promise<void> => {
    try {
      const outcome = await reconcile(key);
      failures.delete(key);
      if ('againAfterMs' in outcome) later(key, outcome.againAfterMs);
    } catch (error) {
      const tries = failures.get(key)?.tries ?? 0;
      failures.set(key, { tries: tries + 1, why: explain(error) });
      later(key, Math.min(LAST_MS, FIRST_MS * 2 ** tries));
      // A conflict is another writer who was faster: the next try sees what they wrote.
      if (!(error instanceof Fault && error.status === 409))
        log.warn({ err: error, controller: name, key }, 'reconcile failed');
    }
  };
  const drain = async (): Promise<void> => {
    for (const key of waiting) {
      if (stopped) break;
      waiting.delete(key);
      await one(key);
    }
    running = undefined;
  };
  const add = (key: string): void => {
    if (stopped) return;
    waiting.add(key);
    running ??= drain();
  };
  return {
    add,
    async stop() {
      stopped = true;
      for (const timer of timers.values()) clearTimeout(timer);
      await running;
    },
    failure: () => [...failures.values()].find(({ tries }) => tries > 3)?.why,
  };
}
