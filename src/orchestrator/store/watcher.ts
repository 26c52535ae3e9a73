// One watch: changes wait in a bounded queue until their reader takes them; a reader that falls behind is ended.
import type { Watch, WatchEvent } from './object-store.ts';

const MAX_WAITING = 10_000;
const MAX_WAITING_BYTES = 32 * 1024 * 1024;
/** Changes handed out at once: what a slow connection has to take before the next are read. */
const BATCH = 100;
const BATCH_BYTES = 1024 * 1024;

export interface Watcher extends Watch {
  /** Offers a change of any key, in order; `bytes` is about what it holds in memory. */
  offer(event: WatchEvent, bytes: number): void;
  /** Whether it has ended. */
  ended(): boolean;
  /** Ends it. */
  end(): void;
}

/** `since`: changes up to this revision are not offered to the reader. */
export function openWatcher(prefix: string, since: number, onEnd: (watcher: Watcher) => void): Watcher {
  let waiting: { readonly event: WatchEvent; readonly bytes: number }[] = [];
  let waitingBytes = 0;
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
  /** Takes the next off the queue: at least one, and no more than a batch. */
  const take = (): readonly WatchEvent[] => {
    let count = 0;
    for (let bytes = 0; count < Math.min(waiting.length, BATCH); count += 1) {
      bytes += waiting[count]?.bytes ?? 0;
      if (count > 0 && bytes > BATCH_BYTES) break;
    }
    const batch = waiting.splice(0, count);
    waitingBytes -= batch.reduce((sum, { bytes }) => sum + bytes, 0);
    return batch.map(({ event }) => event);
  };
  const watcher: Watcher = {
    offer(event, bytes) {
      if (ended || event.revision <= since) return;
      // What is of no interest still moves the bookmark, as long as nothing older is waiting.
      if (!event.key.startsWith(prefix)) {
        if (waiting.length === 0) reached = Math.max(reached, event.revision);
        return;
      }
      waiting.push({ event, bytes });
      waitingBytes += bytes;
      if (waiting.length > MAX_WAITING || waitingBytes > MAX_WAITING_BYTES) {
        waiting = [];
        waitingBytes = 0;
        end();
      }
      wake?.();
    },
    end,
    ended: () => ended,
    async next(waitMs) {
      if (waiting.length === 0 && !ended) await pause(waitMs);
      wake = undefined;
      const batch = take();
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
