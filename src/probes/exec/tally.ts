// Counts by name with a bound on the names: the most frequent have a count of their own, the sum over all stays exact.

/** The name under which all others are counted; a process that is called so is among them. */
export const OTHER = 'other';
const MOST_NAMES = 200;
/** Names without a count of their own that are remembered. */
const MOST_WAITING = 2000;
/** One of them takes the place of the rarest when it came twice as often, and so much more. */
const LEAD = 10;

export interface Tally {
  readonly named: Map<string, number>;
  other: number;
  /** How often each of the others came. */
  readonly waiting: Map<string, number>;
  /** What a name that waits must have more than, as far as is known. */
  bar: number;
}

export const emptyTally = (): Tally => ({ named: new Map(), other: 0, waiting: new Map(), bar: 0 });

/**
 * Counts one. No count ever falls: where a rare name loses its own, that is added to the others, and the one in its place
 * begins at 0, as what it was counted before is with the others.
 */
export function count(tally: Tally, name: string, mostNames = MOST_NAMES): void {
  const { named, waiting } = tally;
  const own = named.get(name);
  if (own !== undefined) return void named.set(name, own + 1);
  if (name !== OTHER && named.size < mostNames) return void named.set(name, 1);
  tally.other += 1;
  if (name === OTHER) return;
  const times = (waiting.get(name) ?? 0) + 1;
  if (waiting.size >= MOST_WAITING && times === 1) waiting.clear();
  waiting.set(name, times);
  if (times > tally.bar) promote(tally, name, times);
}

function promote(tally: Tally, name: string, times: number): void {
  const { named, waiting } = tally;
  let rarest: string | undefined;
  let least = Infinity;
  for (const [one, value] of named) if (value < least) [rarest, least] = [one, value];
  tally.bar = 2 * least + LEAD;
  if (rarest === undefined || times <= tally.bar) return;
  named.delete(rarest);
  tally.other += least;
  waiting.delete(name);
  named.set(name, 0);
}
