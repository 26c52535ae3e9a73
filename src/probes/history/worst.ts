// Where there may be any number of things (groups, disks, interfaces): which of them are kept. Pure.
import type { Worst } from './series.ts';

/** What a thing uses, by metric; what is not known is absent. */
type Uses = ReadonlyMap<string, number>;

/** A thing that was among the worst stays for this long, so that its history has no holes. Milliseconds. */
const STAYS_MS = 3_600_000;

/**
 * The things to keep now: of each metric the `keep` largest, and those that were among them within the last hour, up to
 * as many again as there can be. `chosen` holds when each was among them last, and is brought up to date.
 */
export function chooseWorst(
  things: ReadonlyMap<string, Uses>,
  { by, keep, alive }: Worst,
  chosen: Map<string, number>,
  now: number,
): ReadonlySet<string> {
  const isThere = (uses: Uses): boolean => alive === undefined || uses.get(alive) !== 0;
  const worst = new Set<string>();
  for (const metric of by) {
    const ranked = [...things].flatMap(([name, uses]) => {
      const value = uses.get(metric);
      return value === undefined || !isThere(uses) ? [] : [{ name, value }];
    });
    ranked.sort((a, b) => b.value - a.value || (a.name < b.name ? -1 : 1));
    for (const { name } of ranked.slice(0, keep)) worst.add(name);
  }
  for (const name of worst) chosen.set(name, now);
  for (const [name, at] of chosen) if (Math.abs(now - at) > STAYS_MS) chosen.delete(name);
  const most = 2 * keep * by.length;
  if (chosen.size > most) {
    const oldest = [...chosen].sort(([, a], [, b]) => a - b).slice(0, chosen.size - most);
    for (const [name] of oldest) chosen.delete(name);
  }
  return new Set([...things].flatMap(([name, uses]) => (chosen.has(name) && isThere(uses) ? [name] : [])));
}
