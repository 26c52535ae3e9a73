// The score of a run: 100 minus what each area loses. Pure, published, and explained by its deductions.
import { AREAS, type Area, type Localized, type Result, type Verdict } from './model.ts';

const POINTS = { crit: 15, warn: 5, unknown: 2, ok: 0, skipped: 0 } as const satisfies Record<Verdict, number>;
const MOST = { crit: 40, warn: 15, unknown: 10, ok: 0, skipped: 0 } as const satisfies Record<Verdict, number>;
const MOST_UNKNOWN = 0.2;
const BLIND_SCORE = 79;

/** The formula as people read it, in the report's footer and the documentation. */
export const SCORE_FORMULA: Localized = {
  'zh-CN':
    '评分 = 100 − Σ 各类别扣分(最低 0)。每类别:严重每项 15(至多 40),警告每项 5(至多 15),未知每项 2(至多 10)。' +
    '不适用与已静默不扣分;未知超过已检项 20% 时最高 79(数据不足)。',
  en:
    'score = 100 − Σ of the areas’ deductions (at least 0). Per area: 15 for each critical (at most 40), 5 for each warning ' +
    '(at most 15), 2 for each unknown (at most 10). Not applicable and muted lose nothing; with more than 20 % of the ' +
    'checked unknown it is at most 79 (too little data).',
};

interface Scored {
  readonly score: number;
  /** Worst first, none of 0 points; they sum to 100 - score. */
  readonly deductions: readonly { readonly area: Area; readonly points: number }[];
}

const counted = (result: Result): Verdict => (result.muted === undefined ? result.verdict : 'ok');

/**
 * Points lost per area: 15 per crit (at most 40), 5 per warn (at most 15), 2 per unknown (at most 10). Skipped and muted
 * results lose nothing. When over 20 % of what was checked (all but the skipped) is unknown, the score is at most 79, and
 * the points that takes are the area's with the most unknowns.
 */
export function scoreOf(results: readonly Result[]): Scored {
  const lost = new Map<Area, number>(AREAS.map((area) => [area, areaPoints(results, area)]));
  const unknown = results.filter((result) => counted(result) === 'unknown');
  const checked = results.filter((result) => result.verdict !== 'skipped').length;
  const total = [...lost.values()].reduce((sum, points) => sum + points, 0);
  if (unknown.length > checked * MOST_UNKNOWN && total < 100 - BLIND_SCORE) {
    const blind = blindest(unknown);
    lost.set(blind, (lost.get(blind) ?? 0) + (100 - BLIND_SCORE - total));
  }
  const ranked = [...lost].filter(([, points]) => points > 0).sort((a, b) => b[1] - a[1]);
  let left = 100;
  const deductions = ranked.flatMap(([area, points]) => {
    const taken = Math.min(left, points);
    left -= taken;
    return taken === 0 ? [] : [{ area, points: taken }];
  });
  return { score: left, deductions };
}

function areaPoints(results: readonly Result[], area: Area): number {
  const verdicts = results.filter((result) => result.area === area).map(counted);
  return (['crit', 'warn', 'unknown'] as const).reduce((sum, verdict) => {
    const count = verdicts.filter((one) => one === verdict).length;
    return sum + Math.min(MOST[verdict], count * POINTS[verdict]);
  }, 0);
}

function blindest(unknown: readonly Result[]): Area {
  const counts = AREAS.map((area) => ({ area, count: unknown.filter((result) => result.area === area).length }));
  return counts.reduce((a, b) => (b.count > a.count ? b : a)).area;
}
