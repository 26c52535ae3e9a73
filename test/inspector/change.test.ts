// What differs between two runs, and that the counts reconcile.
import t from 'tap';
import { changeOf } from '../../src/inspector/change.ts';
import { isFinding, type Change, type Verdict } from '../../src/inspector/model.ts';
import { FUZZ_SEED, random } from '../support/random.ts';
import { result, runWith } from './support.ts';

const where = (change: Change): string =>
  Object.entries(change)
    .flatMap(([name, list]) => (list.length > 0 ? [name] : []))
    .join(' ');

const TABLE: readonly (readonly [Verdict | 'absent', Verdict | 'absent', string])[] = [
  ['ok', 'warn', 'added'],
  ['absent', 'crit', 'added'],
  ['skipped', 'unknown', 'added'],
  ['warn', 'crit', 'worse'],
  ['unknown', 'warn', 'worse'],
  ['crit', 'warn', 'better'],
  ['warn', 'warn', 'unchanged'],
  ['crit', 'unknown', 'unchanged'],
  ['crit', 'ok', 'gone'],
  ['warn', 'absent', 'gone'],
  ['unknown', 'skipped', 'gone'],
  ['ok', 'ok', ''],
];

t.test('a finding is added, worse, better, unchanged or gone', async (t) => {
  for (const [before, after, want] of TABLE) {
    const run = (verdict: Verdict | 'absent') => runWith(verdict === 'absent' ? [] : [result('C', 't', verdict)]);
    t.equal(where(changeOf(run(before), run(after))), want, `${before} then ${after}`);
  }
});

t.test('a finding that was muted is not gone', async (t) => {
  const after = runWith([{ ...result('C', 't', 'warn'), muted: { until: 1, reason: 'r' } }]);
  t.equal(where(changeOf(runWith([result('C', 't', 'warn')]), after)), '');
});

t.test('the counts reconcile', async (t) => {
  const next = random();
  const verdicts: readonly Verdict[] = ['ok', 'skipped', 'unknown', 'warn', 'crit'];
  const some = () =>
    Array.from({ length: 40 }, (_, i) => result('C', String(i), verdicts[Math.floor(next() * 5)] ?? 'ok')).filter(
      () => next() < 0.8,
    );
  for (let round = 0; round < 200; round += 1) {
    const [before, after] = [runWith(some()), runWith(some())];
    const { added, worse, better, unchanged, gone } = changeOf(before, after);
    const kept = worse.length + better.length + unchanged.length;
    const now = after.results.filter(isFinding).length === added.length + kept;
    const then = before.results.filter(isFinding).length === gone.length + kept;
    if (!now || !then) t.fail(`seed ${FUZZ_SEED}, round ${round}`);
  }
  t.pass('held');
});
