// One watch: changes wait in a bounded queue until their reader takes them; a reader that falls behind is ended.
import type { Watch, WatchEvent } from './object-store.ts';

const MAX_WAITING = 10_000;
/** Changes handed out at once: what a slow connection has to take before the next are read. */
const BATCH = 100;

export interface Watcher extends Watch {
  /** Offers a change of any key, in order. */
  offer(event: WatchEvent): void;
  /** Ends it. */
  end(): void;
}

/** `since`: changes up to this revision are not offered to the reader. */
export function openWatcher(prefix: string, since: number, onEnd: (watcher: Watcher) => void): Watcher {
  let waiting: WatchEvent[] = [];
  let ended = false;
  let reached = since;
  let wake: (() => void) | undefined;

  const pause = (waitMs: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, waitMs);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  const end = (): void => {
    if (ended) return;
    ended = true;
    onEnd(watcher);
    wake?.();
  };
  const watcher: Watcher = {
    offer(event) {
      if (ended || event.revision <= since) return;
      // What is of no interest still moves the bookmark, as long as nothing older is waiting.
      if (!event.key.startsWith(prefix)) {
        if (waiting.length === 0) reached = Math.max(reached, event.revision);
        return;
      }
      waiting.push(event);
      if (waiting.length > MAX_WAITING) {
        waiting = [];
        end();
      }
      wake?.();
    },
    end,
    async next(waitMs) {
      if (waiting.length === 0 && !ended) await pause(waitMs);
      wake = undefined;
      const batch = waiting.splice(0, BATCH);
      const last = batch.at(-1);
      if (last === undefined) return ended ? undefined : [];
      reached = Math.max(reached, last.revision);
      return batch;
    },
    revision: () => reached,
    [Symbol.asyncDispose]: async () => end(),
  };
  return watcher;
}
