// From samples to rollups: counters as rates, resets, gaps, clocks that are set, values that are none.
import t from 'tap';
import { type Lines, openIntake } from '../../../src/probes/history/intake.ts';
import { parseSeries, without } from '../../../src/probes/sample-text.ts';
import { Accumulator, interval, merge, rate } from '../../../src/probes/history/rollup.ts';
import { KEPT, type KeptFamily } from '../../../src/probes/history/series.ts';
import { collectors } from '../../../src/probes/registry.ts';
import { chooseWorst } from '../../../src/probes/history/worst.ts';
import { random } from '../../support/random.ts';

t.test('a rollup is the min, max, mean and last of what are numbers', async (t) => {
  const cases: readonly (readonly [string, readonly number[], object | undefined])[] = [
    ['nothing', [], undefined],
    ['one', [3], { min: 3, max: 3, mean: 3, last: 3, count: 1 }],
    ['several', [1, 5, 3], { min: 1, max: 5, mean: 3, last: 3, count: 3 }],
    ['negative', [-2, -8], { min: -8, max: -2, mean: -5, last: -8, count: 2 }],
    ['no numbers', [Number.NaN, Infinity, -Infinity], undefined],
    ['some numbers', [Number.NaN, 4, Infinity], { min: 4, max: 4, mean: 4, last: 4, count: 1 }],
    ['zero is a number', [0, 0], { min: 0, max: 0, mean: 0, last: 0, count: 2 }],
    ['the mean never leaves min and max', [0.1, 0.1, 0.1], { min: 0.1, max: 0.1, mean: 0.1, last: 0.1, count: 3 }],
  ];
  for (const [name, samples, rollup] of cases) {
    const minute = new Accumulator();
    for (const sample of samples) minute.add(sample);
    t.same(minute.rollup(), rollup, name);
    minute.clear();
    t.equal(minute.rollup(), undefined, `${name}, cleared`);
  }
});

t.test('two rollups of one minute are one, weighted by their samples', async (t) => {
  const first = { min: 1, max: 3, mean: 2, last: 3, count: 3 };
  t.same(merge(first, { min: 6, max: 6, mean: 6, last: 6, count: 1 }), { min: 1, max: 6, mean: 3, last: 6, count: 4 });
});

t.test('a rate needs two collections in a row and clocks that agree', async (t) => {
  const before = { at: 1_000_000, uptime: 5000 };
  const cases: readonly (readonly [string, number, number, number | undefined])[] = [
    ['as usual', 15_000, 15_000, 15],
    ['half a second late', 15_000, 15_500, 15],
    ['asked for in between', 1000, 1000, 1],
    ['the clock was set back', -3_600_000, 15_000, undefined],
    ['the clock was set back a little', 9000, 15_000, undefined],
    ['the clock was set forward a little', 25_000, 15_000, undefined],
    ['the clock was set forward far', 3_615_000, 15_000, undefined],
    ['the same moment', 0, 0, undefined],
    ['two were missed', 45_000, 45_000, 45],
    ['too many were missed', 61_000, 61_000, undefined],
  ];
  for (const [name, wall, steady, seconds] of cases) {
    t.equal(interval(before, { at: before.at + wall, uptime: before.uptime + steady }, 15), seconds, name);
  }
  t.equal(rate(10, 40, 15), 2);
  t.equal(rate(40, 40, 15), 0, 'no increase is 0');
  t.equal(rate(40, 10, 15), undefined, 'a counter that was begun anew');
  t.equal(rate(Number.NaN, 10, 15), undefined);
});

const FAMILIES: readonly KeptFamily[] = [
  {
    about: 'tests',
    metrics: [
      { metric: 'load', as: 'value' },
      { metric: 'cpu_total', as: 'rate', sum: ['cpu'] },
      { metric: 'memory', as: 'value', where: { memtype: 'resident' } },
      { metric: 'ratio', as: 'value', largest: ['container'] },
      { metric: 'done_total', as: 'rate', sum: ['container'] },
    ],
  },
];

/** Publishes texts 15 s apart and gives the rollups of each. */
function playing(maxSeries = 100) {
  const intake = openIntake(FAMILIES, maxSeries);
  let [at, uptime] = [Date.UTC(2026, 10, 26), 1000];
  const play = (families: Readonly<Record<string, string>>, step: Partial<Lines> = {}): Record<string, number> => {
    at = step.at ?? at + 15_000;
    uptime = step.uptime ?? uptime + 15_000;
    const given = Object.entries(families).map(([name, text]) => ({ name, text: Buffer.from(text) }));
    intake.take({ collector: 'c', periodSeconds: 15, at, uptime, families: given });
    const found = [...intake.series.values()].flatMap(({ text, minute }): [string, number][] => {
      const rollup = minute.rollup();
      minute.clear();
      return rollup === undefined ? [] : [[text, rollup.last]];
    });
    return Object.fromEntries(found);
  };
  return { intake, play, at: () => at };
}

t.test('what comes in as lines goes out as samples of series', async (t) => {
  const { play, at } = playing();
  const cpu = (a: number, b: number): string =>
    `cpu_total{cpu="0",mode="idle"} ${a}\ncpu_total{cpu="1",mode="idle"} ${b}\n`;
  t.same(
    play({ load: 'load 0.5\n', cpu_total: cpu(100, 200) }),
    { load: 0.5 },
    'a first value of a counter is no rate',
  );
  t.same(play({ load: 'load 1e-7\n', cpu_total: cpu(115, 207.5) }), { load: 1e-7, 'cpu_total{mode="idle"}': 1.5 });
  t.same(play({ load: 'load NaN\n', cpu_total: cpu(130, 215) }), { 'cpu_total{mode="idle"}': 1.5 }, 'NaN is not known');
  t.same(play({ load: 'load +Inf\n', cpu_total: cpu(0, 222.5) }), {}, 'a part that was begun anew: no sum');
  t.same(play({ cpu_total: cpu(15, 230) }), { 'cpu_total{mode="idle"}': 1.5 }, 'and goes on from there');
  t.same(play({ cpu_total: 'cpu_total{cpu="0",mode="idle"} 30\n' }), { 'cpu_total{mode="idle"}': 1 }, 'a core went');
  t.same(play({ cpu_total: cpu(45, 260) }), {}, 'and came again: nobody knows when it counted what');
  t.same(play({ cpu_total: cpu(60, 275) }, { at: at() - 7_200_000 }), {}, 'the clock was set back');
  t.same(play({ cpu_total: cpu(75, 290) }), { 'cpu_total{mode="idle"}': 2 }, 'and goes on from there');
  t.same(play({}), {}, 'a collection without it');
  t.same(play({ cpu_total: cpu(90, 305) }), {}, 'after a gap');
  t.same(
    play({ memory: 'memory{g="a b",memtype="resident"} 7\nmemory{g="a b",memtype="swapped"} 9\nmemory 1\n' }),
    { 'memory{g="a b",memtype="resident"}': 7 },
    'only with these labels',
  );
  t.same(play({ other: 'other 1\n', load: '' }), {}, 'what is not kept, and an empty family');
});

t.test('of what is told for each container the sum or the largest is kept, whichever come and go', async (t) => {
  const { play } = playing();
  const of = (metric: string, host: number, inside?: number): string =>
    `${metric}{g="a"} ${host}\n${inside === undefined ? '' : `${metric}{g="a",container="c"} ${inside}\n`}`;
  const both = (host: number, inside?: number) =>
    play({ ratio: of('ratio', host / 1000, inside), done_total: of('done_total', host, inside) });
  t.same(both(150), { 'ratio{g="a"}': 0.15 });
  t.same(both(300), { 'ratio{g="a"}': 0.3, 'done_total{g="a"}': 10 });
  t.same(both(450, 0.5), { 'ratio{g="a"}': 0.5, 'done_total{g="a"}': 10 }, 'one that joins adds nothing yet');
  t.same(both(600, 30.5), { 'ratio{g="a"}': 30.5, 'done_total{g="a"}': 12 });
  t.same(both(750), { 'ratio{g="a"}': 0.75, 'done_total{g="a"}': 10 }, 'one that went');
  const alone = playing().play;
  alone({ done_total: 'done_total{g="a",container="c"} 900\n' });
  t.same(alone({ done_total: 'done_total{g="b",container="c"} 900\n' }), {}, 'nothing is known of what begins');
});

t.test('series beyond the limit are left out and named; what is gone makes room', async (t) => {
  const { play, intake } = playing(2);
  const many = (...names: readonly string[]): string =>
    names.map((name) => `memory{g="${name}",memtype="resident"} 1\n`).join('');
  t.same(Object.keys(play({ memory: many('a', 'b', 'c') })).length, 2);
  t.same([...intake.dropped], ['memory{g="c",memtype="resident"}']);
  play({ load: '' });
  intake.forget(0);
  t.same(Object.keys(play({ memory: many('c') })), ['memory{g="c",memtype="resident"}']);
});

t.test('the name of a series is taken apart and put together, whatever a label holds', async (t) => {
  const next = random();
  const alphabet = ['a', ' ', '"', '\\', '\n', '{', '}', ',', '=', '中', '\u0007'];
  for (let i = 0; i < 2000; i += 1) {
    const value = Array.from(
      { length: Math.floor(next() * 6) },
      () => alphabet[Math.floor(next() * alphabet.length)],
    ).join('');
    const name = { metric: 'm', labels: { a: value, b: 'x', c: value } };
    const text = without(name, []);
    t.same(parseSeries(text), name, JSON.stringify(text));
  }
  t.same(parseSeries('load'), { metric: 'load', labels: {} });
  for (const broken of ['', '{a="b"}', 'm{', 'm{a=b}', 'm{a="b}', 'm{a="b"', 'm{a="b"}x', 'm{a="b"c="d"}']) {
    t.equal(parseSeries(broken), undefined, broken);
  }
});

t.test('the worst of many are kept, and stay for an hour', async (t) => {
  const HOUR = 3_600_000;
  const worst = { label: 'g', by: ['cpu', 'fds'], keep: 1, alive: 'procs' };
  const thing = (cpu: number, fds: number, procs = 1): Map<string, number> =>
    new Map([
      ['cpu', cpu],
      ['fds', fds],
      ['procs', procs],
    ]);
  const chosen = new Map<string, number>();
  const at = (now: number, things: Record<string, Map<string, number>>): string[] =>
    [...chooseWorst(new Map(Object.entries(things)), worst, chosen, now)].sort();
  t.same(at(0, { a: thing(1, 0), b: thing(0, 9), c: thing(0.5, 5) }), ['a', 'b']);
  t.same(at(HOUR, { a: thing(0, 0), b: thing(0, 9), c: thing(0.5, 5) }), ['a', 'b', 'c'], 'a stays for an hour');
  t.same(at(HOUR + 1, { a: thing(0, 0), b: thing(0, 9), c: thing(0.5, 5) }), ['b', 'c'], 'and goes then');
  t.same(at(HOUR + 2, { b: thing(0, 9, 0), c: thing(0.5, 5) }), ['c'], 'a group without processes is a gap');
  const storm = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`s${i}`, thing(i + 1, 0)]));
  for (let i = 0; i < 20; i += 1) at(HOUR + i, { [`s${i}`]: thing(i + 1, 0) });
  t.ok(at(HOUR + 30, storm).length <= 2 * worst.keep * worst.by.length, 'there is a bound to how many stay');
});

t.test(
  'what is kept is declared by a collector: counters as rates, gauges as values, by labels they have',
  async (t) => {
    const declared = new Map(
      collectors.flatMap(({ metrics }) => metrics.map((metric) => [metric.name, metric] as const)),
    );
    const seen = new Set<string>();
    for (const { about, metrics, worst } of KEPT) {
      for (const { metric, as, sum = [], where = {} } of metrics) {
        const { type, labels = [] } = declared.get(metric) ?? {};
        t.ok(
          type === (as === 'rate' ? 'counter' : 'gauge') || (type === 'untyped' && as === 'rate'),
          `${metric} of ${about}`,
        );
        for (const label of [...sum, ...Object.keys(where), ...(worst === undefined ? [] : [worst.label])])
          t.ok(labels.includes(label), `${label} of ${metric}`);
        t.notOk(seen.has(metric), `${metric} stands there once`);
        seen.add(metric);
      }
      for (const name of [...(worst?.by ?? []), ...(worst?.alive === undefined ? [] : [worst.alive])])
        t.ok(
          metrics.some(({ metric }) => metric === name),
          `${about} are compared by ${name}`,
        );
    }
  },
);
