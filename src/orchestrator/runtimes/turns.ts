// One at a time for each name, in the order in which they came.

export interface Turns {
  /** Does the work when all work of this name that was taken before has ended, well or not. */
  take<T>(name: string, work: () => Promise<T>): Promise<T>;
  /** Resolves when what is under way for this name has ended. */
  settled(name: string): Promise<void>;
  /** Whether anything is under way for this name. */
  isBusy(name: string): boolean;
}

export function openTurns(): Turns {
  const last = new Map<string, Promise<unknown>>();
  return {
    take(name, work) {
      const turn = (last.get(name) ?? Promise.resolve()).catch(() => undefined).then(work);
      last.set(name, turn);
      const done = (): unknown => last.get(name) === turn && last.delete(name);
      turn.then(done, done);
      return turn;
    },
    async settled(name) {
      await last.get(name)?.catch(() => undefined);
    },
    isBusy: (name) => last.has(name),
  };
}
