// The score: its formula in examples, and what holds for every run.
import t from 'tap';
import { SCORE_FORMULA } from '../../src/inspector/index.ts';
import { AREAS, type Result, type Verdict } from '../../src/inspector/model.ts';
import { scoreOf } from '../../src/inspector/score.ts';
import { FUZZ_SEED, random } from '../support/random.ts';
import { result } from './support.ts';

const many = (count: number, verdict: Verdict, area: Result['area'] = 'storage'): Result[] =>
  Array.from({ length: count }, (_, i) => result('C', `${verdict}${i}`, verdict, area));

t.test('the formula in examples', async (t) => {
  const table: readonly (readonly [string, readonly Result[], number])[] = [
    ['nothing was checked', [], 100],
    ['all is well', many(9, 'ok'), 100],
    ['one critical', [...many(9, 'ok'), ...many(1, 'crit')], 85],
    ['criticals of one area cost at most 40', [...many(9, 'ok'), ...many(9, 'crit')], 60],
    ['one warning', [...many(9, 'ok'), ...many(1, 'warn')], 95],
    ['warnings of one area cost at most 15', [...many(9, 'ok'), ...many(9, 'warn')], 85],
    ['one unknown of ten', [...many(9, 'ok'), ...many(1, 'unknown')], 98],
    ['unknowns of one area cost at most 10', [...many(90, 'ok'), ...many(9, 'unknown')], 90],
    ['a fifth unknown is not yet too little data', [...many(8, 'ok'), ...many(2, 'unknown')], 96],
    ['more than a fifth unknown caps at 79', [...many(7, 'ok'), ...many(2, 'unknown')], 79],
    ['the skipped do not dilute the unknown', [...many(7, 'ok'), ...many(2, 'unknown'), ...many(50, 'skipped')], 79],
    ['areas add up', [...many(40, 'ok'), ...many(1, 'crit'), ...many(1, 'warn', 'cpu')], 80],
    ['never below 0', AREAS.flatMap((area) => many(9, 'crit', area)), 0],
    ['muted costs nothing', many(3, 'crit').map((one) => ({ ...one, muted: { until: 1, reason: 'r' } })), 100],
  ];
  for (const [name, results, want] of table) t.equal(scoreOf(results).score, want, name);
});

t.test(
  'deductions are worst first and sum to what is missing from 100, and muting never lowers the score',
  async (t) => {
    const next = random();
    const verdicts: readonly Verdict[] = ['ok', 'ok', 'skipped', 'unknown', 'warn', 'crit'];
    const pick = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)] as T;
    for (let round = 0; round < 500; round += 1) {
      const results = Array.from({ length: Math.floor(next() * 60) }, (_, i) =>
        result('C', String(i), pick(verdicts), pick(AREAS)),
      );
      const { score, deductions } = scoreOf(results);
      const points = deductions.map((one) => one.points);
      const sum = points.reduce((a, b) => a + b, 0);
      const sorted = points.every((value, i) => value > 0 && (i === 0 || value <= (points[i - 1] ?? 0)));
      const [first, ...rest] = results;
      const quiet =
        first === undefined ? score : scoreOf([{ ...first, muted: { until: 1, reason: '' } }, ...rest]).score;
      if (score < 0 || score > 100 || sum !== 100 - score || !sorted || quiet < score) {
        t.fail(`seed ${FUZZ_SEED}, round ${round}: score ${score}, deductions ${points.join('+')}, muted ${quiet}`);
      }
    }
    t.pass('held');
  },
);

t.test('the published formula names the numbers in use', async (t) => {
  for (const text of Object.values(SCORE_FORMULA)) {
    for (const number of ['100', '15', '40', '5', '2', '10', '20', '79']) t.match(text, number);
  }
});
