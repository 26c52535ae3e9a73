// What differs between two runs. Pure.
import { isFinding, type Change, type Result, type Run, type Verdict } from './model.ts';

const key = (result: Result): string => `${result.code}\0${result.target}`;

const RANK = { ok: 0, skipped: 0, unknown: 1, warn: 2, crit: 3 } as const satisfies Record<Verdict, number>;

/** Better or worse needs two sights: a finding that can no longer be seen is unchanged, not better. */
function compare(before: Result, after: Result): 'worse' | 'better' | 'unchanged' {
  if (after.verdict === 'unknown' || RANK[after.verdict] === RANK[before.verdict]) return 'unchanged';
  return RANK[after.verdict] > RANK[before.verdict] ? 'worse' : 'better';
}

/**
 * Compares the findings of two runs. Every finding of `after` is in exactly one of added, worse, better and unchanged (as
 * it is now); every finding of `before` is in one of worse, better, unchanged and gone (as it was), unless it is muted now.
 */
export function changeOf(before: Run, after: Run): Change {
  const earlier = new Map(before.results.filter(isFinding).map((result) => [key(result), result]));
  const muted = new Set(after.results.filter((result) => result.muted !== undefined).map(key));
  const change = { added: [], worse: [], better: [], unchanged: [], gone: [] } as Record<keyof Change, Result[]>;
  for (const result of after.results.filter(isFinding)) {
    const was = earlier.get(key(result));
    change[was === undefined ? 'added' : compare(was, result)].push(result);
    earlier.delete(key(result));
  }
  change.gone.push(...[...earlier.values()].filter((result) => !muted.has(key(result))));
  return change;
}
