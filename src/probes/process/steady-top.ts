// The first of a list by some measure, kept steady: who is near the end of it does not come and go with each look.

/** The `count` items with the largest key, largest first; of equal ones the first in the list. */
export function topBy<T>(items: readonly T[], key: (item: T) => number, count: number): T[] {
  const top: { readonly item: T; readonly key: number }[] = [];
  for (const item of items) {
    const value = key(item);
    const last = top[count - 1];
    if (last !== undefined && value <= last.key) continue;
    let at = Math.min(top.length, count - 1);
    while (at > 0 && (top[at - 1]?.key ?? Infinity) < value) at -= 1;
    top.splice(at, 0, { item, key: value });
    if (top.length > count) top.pop();
  }
  return top.map(({ item }) => item);
}

/** Who is among the first `enter` is in; who is in stays as long as it is among the first `leave`. */
export interface Bounds {
  readonly enter: number;
  readonly leave: number;
}

/** The first items by a key, largest first, given those that were in before: at least `enter` of them, at most `leave`. */
export const steadyTop = <T>(
  items: readonly T[],
  key: (item: T) => number,
  before: ReadonlySet<T>,
  { enter, leave }: Bounds,
): T[] => topBy(items, key, leave).filter((item, rank) => rank < enter || before.has(item));
