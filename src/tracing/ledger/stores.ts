// Stores by day, opened when wanted and closed when nobody has used them for a while: each is a thread.
import type { StateStore } from '../../drivers/sqlite/index.ts';
import type { Day } from './days.ts';

interface StoresByDay extends AsyncDisposable {
  /** Runs `work` on the day's store, which stays open meanwhile. Rejects when it cannot be opened. */
  use<T>(day: Day, work: (store: StateStore) => Promise<T>): Promise<T>;
  /** Closes the day's store, once nobody uses it. */
  close(day: Day): Promise<void>;
}

interface Held {
  readonly store: Promise<StateStore>;
  users: Promise<unknown>;
  usedAt: number;
}

export function storesByDay(open: (day: Day) => Promise<StateStore>, idleMs: number): StoresByDay {
  const held = new Map<Day, Held>();
  let sweeping: NodeJS.Timeout | undefined;

  const hold = (day: Day): Held => {
    const known = held.get(day);
    if (known !== undefined) return known;
    const made: Held = { store: open(day), users: Promise.resolve(), usedAt: performance.now() };
    made.store.catch(() => held.delete(day)); // the next use tries again
    held.set(day, made);
    sweeping ??= setInterval(sweep, idleMs).unref();
    return made;
  };
  const close = async (day: Day): Promise<void> => {
    const found = held.get(day);
    if (found === undefined) return;
    held.delete(day);
    await found.users;
    const store = await found.store.catch(() => undefined);
    await store?.[Symbol.asyncDispose]();
  };
  function sweep(): void {
    for (const [day, { usedAt }] of held) if (performance.now() - usedAt > idleMs) void close(day);
    if (held.size > 0) return;
    clearInterval(sweeping);
    sweeping = undefined;
  }

  return {
    async use(day, work) {
      const entry = hold(day);
      entry.usedAt = performance.now();
      const working = entry.store.then(work);
      const over = working.then(
        () => undefined,
        () => undefined,
      );
      entry.users = entry.users.then(() => over);
      return working;
    },
    close,
    async [Symbol.asyncDispose]() {
      clearInterval(sweeping);
      await Promise.all([...held.keys()].map(close));
    },
  };
}
