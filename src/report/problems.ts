// Findings folded into problems: one cause on k targets is one problem, the worst first.
import { isFinding, type Change, type Result } from '../inspector/index.ts';
import type { Trend } from './words.ts';

/** One cause, by the code of its check, with everything it touches. */
export interface Problem {
  readonly code: string;
  readonly kind: 'crit' | 'warn' | 'unknown';
  readonly trend: Trend | undefined;
  /** Worst first, never empty. */
  readonly findings: readonly [Result, ...Result[]];
}

const RANK = { crit: 0, warn: 1, unknown: 2 } as const;
const TREND_RANK = { added: 0, worse: 1, unchanged: 2, better: 3, recovering: 4 } as const satisfies Record<
  Trend,
  number
>;

const kindOf = (result: Result): Problem['kind'] | undefined =>
  result.verdict === 'crit' || result.verdict === 'warn' || result.verdict === 'unknown' ? result.verdict : undefined;

/** How far beyond its limit a value is, as a factor; 0 where that cannot be said. */
const overshoot = ({ value, limit }: Result): number =>
  value === undefined || limit === undefined || limit === 0 ? 0 : Math.abs(value - limit) / Math.abs(limit);

const identity = (result: Result): string => `${result.code}\0${result.target}`;

/** What changed, by finding. A finding of the run that the change does not name has no trend. */
export function trendsOf(change: Change | undefined): (result: Result) => Trend | undefined {
  const trends = new Map<string, Trend>();
  for (const trend of ['unchanged', 'better', 'worse', 'added'] as const)
    for (const result of change?.[trend] ?? []) trends.set(identity(result), trend);
  return (result) => (result.streak > 0 && result.verdict !== 'unknown' ? 'recovering' : trends.get(identity(result)));
}

/**
 * Folds findings by check. What could not be seen is a problem of its own beside what was seen.
 * The order is total: verdict, trend, targets touched, code.
 */
export function foldProblems(results: readonly Result[], change: Change | undefined): readonly Problem[] {
  const trendOf = trendsOf(change);
  const groups = new Map<string, Result[]>();
  for (const finding of results.filter(isFinding)) {
    const key = `${finding.verdict === 'unknown' ? 'unknown' : 'seen'}\0${finding.code}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [finding]);
    else group.push(finding);
  }
  return [...groups.values()].flatMap((group) => toProblem(group, trendOf)).sort(byUrgency);
}

function toProblem(group: readonly Result[], trendOf: (result: Result) => Trend | undefined): readonly Problem[] {
  const sorted = [...group].sort(
    (a, b) =>
      RANK[kindOf(a) ?? 'unknown'] - RANK[kindOf(b) ?? 'unknown'] ||
      overshoot(b) - overshoot(a) ||
      a.since - b.since ||
      (a.target < b.target ? -1 : 1),
  );
  const [first, ...others] = sorted;
  if (first === undefined) return [];
  const trends = sorted.map(trendOf).filter((trend) => trend !== undefined);
  const trend = trends.sort((a, b) => TREND_RANK[a] - TREND_RANK[b])[0];
  return [{ code: first.code, kind: kindOf(first) ?? 'unknown', trend, findings: [first, ...others] }];
}

const byUrgency = (a: Problem, b: Problem): number =>
  RANK[a.kind] - RANK[b.kind] ||
  TREND_RANK[a.trend ?? 'unchanged'] - TREND_RANK[b.trend ?? 'unchanged'] ||
  b.findings.length - a.findings.length ||
  (a.code < b.code ? -1 : 1);

/** Problems by verdict, as the subject counts them. */
export const countProblems = (
  problems: readonly Problem[],
): { readonly crit: number; readonly warn: number; readonly unknown: number } => ({
  crit: problems.filter((p) => p.kind === 'crit').length,
  warn: problems.filter((p) => p.kind === 'warn').length,
  unknown: problems.filter((p) => p.kind === 'unknown').length,
});
