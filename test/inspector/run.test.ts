// One inspection: a check that throws, time that runs out, targets that go, and what is muted.
import t from 'tap';
import type { Check } from '../../src/inspector/check.ts';
import { checks } from '../../src/inspector/checks/index.ts';
import { changeOf } from '../../src/inspector/change.ts';
import { factsOf } from '../../src/inspector/facts.ts';
import type { Observation } from '../../src/inspector/model.ts';
import { inspect } from '../../src/inspector/run.ts';
import { fakeView, healthy, historyFor, NOW, runOver, status } from './support.ts';

const check = (code: string, evaluate: Check['evaluate']): Check => ({
  code,
  area: 'system',
  unit: 'count',
  needs: [],
  limits: { bad: 'above', warn: 5, crit: 10, clearWarn: 4, clearCrit: 9 },
  source: 'test',
  text: {
    title: { 'zh-CN': '题', en: 'title' },
    meaning: { 'zh-CN': '义', en: 'meaning' },
    remedy: { 'zh-CN': '法', en: 'remedy' },
  },
  evaluate,
  line: ({ target }, value) => ({ 'zh-CN': `${target} ${value}`, en: `${target} ${value}` }),
  samples: [],
});

const values = (code: string, targets: Record<string, number>): Check =>
  check(code, () => ({
    observations: Object.entries(targets).map(([target, value]) => ({ target, value, evidence: [] })),
  }));

const blind: Observation = {
  target: 'host',
  value: undefined,
  missing: { verdict: 'unknown', reason: { 'zh-CN': '看不见', en: 'cannot see' } },
  evidence: ['why=x'],
};

const shown = (outcome: ReturnType<typeof runOver>): string =>
  outcome.run.results.map((result) => `${result.code}/${result.target}=${result.verdict}`).join(' ');

const view = fakeView({});

t.test('a healthy host is all ok, has no such thing, or waits for data', async (t) => {
  const { run } = runOver(checks, fakeView(healthy()));
  t.same(
    run.results.filter(({ verdict }) => verdict !== 'ok' && verdict !== 'skipped'),
    [],
  );
  t.equal(run.score, 100);
  t.equal(run.state, 'complete');
  t.same(
    run.waiting.map((one) => one.code),
    ['PRESSURE', 'OOM_KILLS'],
  );
});

t.test('a check that throws is unknown, with its error as evidence, and the others go on', async (t) => {
  const broken = check('BROKEN', () => {
    throw new Error('boom');
  });
  const noLine: Check = { ...values('NO_LINE', { a: 1 }), line: broken.evaluate as never };
  const { run } = runOver([broken, noLine, values('GOOD', { a: 1 })], view);
  t.equal(shown({ run, memories: new Map(), remember: [] }), 'BROKEN/host=unknown NO_LINE/host=unknown GOOD/a=ok');
  t.match(run.results[0], { evidence: ['error=boom'], value: undefined, limit: undefined });
});

t.test('when time runs out, the checks that are left are unknown and the run says what is missing', async (t) => {
  let time = NOW;
  const slow = check('SLOW', () => {
    time += 5000;
    return { observations: [] };
  });
  const { run } = runOver([slow, values('LATE', { a: 1 })], view, { clock: () => time });
  t.match(run, { state: 'partial', missing: [{ en: /LATE/ }], results: [{ code: 'LATE', verdict: 'unknown' }] });
});

t.test('a target that is gone is dropped from memory', async (t) => {
  const first = runOver([values('C', { a: 7, b: 7 })], view);
  const second = runOver([values('C', { b: 7 })], view, { memories: first.memories });
  t.same([...(second.memories.get('C')?.keys() ?? [])], ['b']);
});

t.test('what a blind check found before is unknown, not gone, and is taken up again', async (t) => {
  const first = runOver([values('C', { a: 7, b: 1 })], view);
  const second = runOver([check('C', () => ({ observations: [blind] }))], view, { memories: first.memories });
  t.equal(shown(second), 'C/a=unknown C/b=unknown');
  t.same(changeOf(first.run, second.run).gone, []);
  const third = runOver([values('C', { a: 4.5, b: 1 })], view, { memories: second.memories });
  t.equal(shown(third), 'C/a=warn C/b=ok', 'the side was remembered: 4.5 is in the dead band');
});

t.test('a check that waits for data again does not lose what it found', async (t) => {
  const first = runOver([values('C', { a: 7, b: 1 })], view);
  const waiting = { until: NOW + 1, reason: { 'zh-CN': '等', en: 'wait' } };
  const second = runOver([check('C', () => ({ observations: [], waiting }))], view, { memories: first.memories });
  t.equal(shown(second), 'C/a=unknown');
  t.match(second.run.waiting, [{ code: 'C', until: NOW + 1 }]);
});

t.test('a muted finding stays in the results and costs nothing, until the mute ends', async (t) => {
  const facts = factsOf({ view, parts: () => new Map(), history: historyFor([]), now: NOW });
  const run = (until: number, target?: string) =>
    inspect({
      id: 'r',
      host: 'h',
      startedAt: NOW,
      checks: [values('C', { a: 11 })],
      facts,
      memories: new Map(),
      limits: {},
      mutes: [{ code: 'C', until, reason: 'known', ...(target === undefined ? {} : { target }) }],
      missing: [],
      deadline: NOW,
      clock: () => NOW,
    }).run;
  t.match(run(NOW + 1), { score: 100, results: [{ verdict: 'crit', muted: { reason: 'known', until: NOW + 1 } }] });
  t.equal(run(NOW).score, 85, 'over');
  t.equal(run(NOW + 1, 'b').score, 85, 'another target');
});

t.test('evidence is bounded and on one line', async (t) => {
  const evidence = Array.from({ length: 20 }, () => `x\n${'y'.repeat(500)}`);
  const { run } = runOver([check('C', () => ({ observations: [{ target: 'a', value: 1, evidence }] }))], view);
  const shownEvidence = run.results[0]?.evidence ?? [];
  t.equal(shownEvidence.length, 8);
  t.ok(shownEvidence.every((fact) => fact.length <= 200 && !fact.includes('\n')));
});

t.test('observations that are not numbers or from the future are not remembered', async (t) => {
  const remember = [
    { series: 'a', at: NOW, value: NaN },
    { series: 'b', at: NOW + 60_000, value: 1 },
    { series: 'c', at: NOW, value: 1 },
  ];
  const outcome = runOver([check('C', () => ({ observations: [], remember }))], view);
  t.same(
    outcome.remember.map(({ series }) => series),
    ['c'],
  );
});

t.test(
  'when all collectors fail, everything is unknown and the score says that there is too little data',
  async (t) => {
    const nothing = fakeView({});
    nothing.statuses = [status('all', { state: 'stale' })];
    const { run } = runOver(checks, nothing);
    t.ok(run.results.filter((result) => result.code !== 'DAEMON').every((result) => result.verdict === 'unknown'));
    t.ok(run.score <= 79, `${run.score}`);
  },
);
