// How often collectors run within a budget of CPU time: the decision as a table, and ten thousand rounds of it.
import t from 'tap';
import { openLog } from '../../src/base/logging.ts';
import { SILENT } from '../../src/probes/announcements.ts';
import type { Collector } from '../../src/probes/collector.ts';
import { ProbesConfig } from '../../src/probes/config.ts';
import { afterOne, costOf, MOST_TIMES, timesFor, type Spending } from '../../src/probes/governor.ts';
import type { Publication } from '../../src/probes/publication.ts';
import { openRunner } from '../../src/probes/runner.ts';
import { openSnapshots } from '../../src/probes/snapshots.ts';
import { random } from '../support/random.ts';
import { fakeClock, type FakeClock } from './fake-clock.ts';

const PERIOD = 10;

/** A collector that takes this share of a core when its period is not stretched. */
const taking = (share: number, times = 1, more: Partial<Spending> = {}): Spending => ({
  name: `takes ${share}`,
  periodSeconds: PERIOD,
  steady: false,
  recent: [share * PERIOD],
  times,
  ...more,
});

interface Case {
  readonly name: string;
  readonly all: readonly Spending[];
  readonly elsewhere?: number;
  readonly expected: readonly number[];
}

const BUDGET = 0.05;
const cases: readonly Case[] = [
  { name: 'what fits is left alone', all: [taking(0.03), taking(0.019)], expected: [1, 1] },
  { name: 'one that does not fit waits just long enough', all: [taking(0.12)], expected: [3] },
  { name: 'the dearest is stretched', all: [taking(0.09), taking(0.004)], expected: [2, 8] },
  { name: 'and when it is, the cheap ones are not', all: [taking(0.09, 2), taking(0.004)], expected: [2, 1] },
  { name: 'two that are alike share', all: [taking(0.042, 2), taking(0.041, 2)], expected: [2, 2] },
  { name: 'nobody takes room that others have not made yet', all: [taking(0.03), taking(0.041)], expected: [4, 3] },
  { name: 'none is stretched further than is said', all: [taking(3), taking(2)], expected: [MOST_TIMES, MOST_TIMES] },
  { name: 'what is slight keeps its period, come what may', all: [taking(3), taking(0.001)], expected: [8, 1] },
  { name: 'what is steady keeps it', all: [taking(0.06, 1, { steady: true }), taking(0.02)], expected: [1, 8] },
  { name: 'what goes by between the collections counts', all: [taking(0.04)], elsewhere: 0.03, expected: [2] },
  { name: 'a stretched period that is needed stays', all: [taking(0.12, 3)], expected: [3] },
  { name: 'one that might be shorter by a hair stays', all: [taking(0.099, 3)], expected: [3] },
  { name: 'one that is easily shorter becomes so by one step', all: [taking(0.03, 5)], expected: [4] },
  { name: 'down to what is configured', all: [taking(0.03, 2)], expected: [1] },
  { name: 'a slight one that was stretched is not held back', all: [taking(0.0001, 8)], expected: [1] },
  { name: 'one that cost nothing yet', all: [taking(0, 1, { recent: [] })], expected: [1] },
];

for (const { name, all, elsewhere = 0, expected } of cases) {
  const times = all.map((one) => timesFor(one.name, all, { cpuRatio: BUDGET, elsewhere }));
  t.same(times, expected, name);
}

t.test('a collection is taken to cost as the last one, or the mean of the last eight if that is more', async (t) => {
  let recent: readonly number[] = [];
  const costs = [1, 3, 0, 9].map((cost) => costOf({ recent: (recent = afterOne(recent, cost)) }));
  t.same(costs, [1, 3, 4 / 3, 9]);
  for (let i = 0; i < 8; i += 1) recent = afterOne(recent, 2);
  t.equal(costOf({ recent }), 2, 'the dear one is forgotten');
});

interface Burden {
  readonly name: string;
  readonly periodSeconds?: number;
  readonly steady?: boolean;
  /** CPU seconds of a collection. */
  readonly cost: () => number;
}

interface Ran {
  readonly name: string;
  /** Milliseconds of uptime. */
  readonly at: number;
  readonly cpuSeconds: number;
}

function host(t: { teardown(f: () => unknown): void }, burdens: readonly Burden[], cpuRatio = BUDGET) {
  const clock: FakeClock = fakeClock();
  const published: Publication[] = [];
  const ran: Ran[] = [];
  const collectors = burdens.map(({ name, periodSeconds = 15, steady = false, cost }): Collector => {
    const metrics = [{ name, help: '', type: 'gauge', source: '' }] as const;
    const open: Collector['open'] = () => ({
      collect(out) {
        const cpuSeconds = cost();
        clock.spend(cpuSeconds);
        ran.push({ name, at: clock.uptime(), cpuSeconds });
        out.add(name, 1);
      },
    });
    return { name, view: 'node', periodSeconds, steady, metrics, open };
  });
  const runner = openRunner({
    collectors,
    hostRoot: '/nowhere',
    config: ProbesConfig.parse({ periodSeconds: PERIOD, budget: { cpuRatio } }),
    resumption: { states: {} },
    quarantine: [],
    announcements: SILENT,
    publish: async (publication) => void published.push(publication),
    handOver: async () => {},
    log: openLog('test', 'silent'),
    clock,
  });
  t.teardown(() => runner.stop());
  const start = () => runner.start(new AbortController().signal);
  return { runner, clock, published, ran, collectors, start };
}

t.test('a collector that becomes dear runs less often, says so, and comes back when it is cheap again', async (t) => {
  let cost = 0.1;
  const { clock, published, collectors, start } = host(t, [
    { name: 'process', cost: () => cost },
    { name: 'cheap', cost: () => 0.001 },
    { name: 'stat', steady: true, cost: () => 0.02 },
  ]);
  const snapshots = openSnapshots({ collectors, log: openLog('test', 'silent'), now: clock.now });
  const accept = (): void => published.splice(0).forEach((publication) => snapshots.accept(publication));
  const status = () => snapshots.collectors()[0];
  await start();
  await clock.advance(60_000);
  accept();
  t.match(status(), { periodSeconds: 10, stretched: undefined });
  cost = 1;
  await clock.advance(10_000);
  accept();
  t.match(status(), { periodSeconds: 30, stretched: { fromSeconds: 10, cpuRatio: 0.1 } });
  await clock.advance(29_999);
  t.equal(published.filter(({ collector }) => collector === 'process').length, 0);
  t.equal(published.filter(({ collector }) => collector === 'stat').length, 2);
  t.equal(published.filter(({ collector }) => collector === 'cheap').length, 2);
  await clock.advance(1);
  t.equal(published.filter(({ collector }) => collector === 'process').length, 1);
  accept();
  clock.set(clock.now() + 119_000);
  t.equal(status()?.state, 'ok', 'it is stale after four of its stretched periods');
  clock.set(clock.now() + 2000);
  t.equal(status()?.state, 'stale');
  clock.set(clock.now() - 121_000);
  cost = 0.1;
  await clock.advance(300_000);
  accept();
  t.match(status(), { periodSeconds: 10, stretched: undefined, state: 'ok' });
});

t.test(
  'a stretched collector is not hurried by who asks for a fresh collection, but by who lost the last',
  async (t) => {
    const { runner, clock, ran, start } = host(t, [
      { name: 'process', cost: () => 1 },
      { name: 'stat', steady: true, cost: () => 0 },
    ]);
    await start();
    await clock.advance(11_000);
    ran.length = 0;
    void runner.collectNow();
    await clock.advance(0);
    t.same(
      ran.map(({ name }) => name),
      ['stat'],
    );
    runner.collectAgain(['process']);
    await clock.advance(0);
    t.equal(ran.at(-1)?.name, 'process');
  },
);

t.test('a first collection that reads all anew stretches nothing', async (t) => {
  let first = true;
  const { clock, published, start } = host(t, [{ name: 'process', cost: () => (first ? ((first = false), 5) : 0.1) }]);
  await start();
  await clock.advance(60_000);
  t.same([...new Set(published.map(({ periodSeconds }) => periodSeconds))], [PERIOD]);
});

t.test('work between the collections counts as well', async (t) => {
  const { clock, published, start } = host(t, [{ name: 'process', cost: () => 0.3 }]);
  await start();
  await clock.advance(600_000);
  t.equal(published.at(-1)?.periodSeconds, PERIOD);
  for (let second = 0; second < 1200; second += 1) {
    clock.spend(0.03);
    await clock.advance(1000);
  }
  t.equal(published.at(-1)?.periodSeconds, 2 * PERIOD, '3 % and 3 % are more than 5 %');
});

/** The most that was spent in any window of this length. */
function mostIn(windowMs: number, ran: readonly Ran[]): number {
  let most = 0;
  let spent = 0;
  let from = 0;
  for (const { at, cpuSeconds } of ran) {
    spent += cpuSeconds;
    for (let oldest = ran[from]; oldest !== undefined && oldest.at <= at - windowMs; oldest = ran[from]) {
      spent -= oldest.cpuSeconds;
      from += 1;
    }
    most = Math.max(most, spent);
  }
  return most;
}

t.test(
  'ten thousand rounds at random costs: never over the budget by more than is said, and nobody starves',
  async (t) => {
    const next = random();
    const level = { heavy: 0.5, other: 0.2 };
    const burdens: readonly Burden[] = [
      { name: 'heavy', cost: () => level.heavy * 2 * next() },
      { name: 'other', cost: () => level.other * 2 * next() },
      { name: 'slow', periodSeconds: 30, cost: () => 0.6 * next() },
      { name: 'spiky', cost: () => (next() < 0.02 ? 2 : 0.01) },
      { name: 'stat', steady: true, cost: () => 0.01 * next() },
    ];
    const dearest = { heavy: 2.4, other: 1.2, slow: 0.6, spiky: 2, stat: 0.01 };
    const { clock, ran, start } = host(t, burdens);
    await start();
    for (let round = 0; round < 10_000; round += 100) {
      level.heavy = 0.6 + 0.6 * next();
      level.other = 0.1 + 0.5 * next();
      await clock.advance(100 * PERIOD * 1000);
    }
    const oneOfEach = Object.values(dearest).reduce((a, b) => a + b, 0);
    for (const seconds of [60, 300, 3600, 86_400]) {
      const most = mostIn(seconds * 1000, ran);
      const allowed = BUDGET * seconds + oneOfEach;
      t.ok(most <= allowed, `in any ${seconds} s: ${most.toFixed(2)} s of ${allowed.toFixed(2)} s`);
    }
    t.ok(mostIn(86_400_000, ran) > BUDGET * 86_400 * 0.5, 'and the budget is used');
    for (const { name, periodSeconds = 15 } of burdens) {
      const every = (periodSeconds > 15 ? periodSeconds : PERIOD) * MOST_TIMES * 1000;
      const starts = ran.filter((one) => one.name === name).map(({ at }) => at);
      const longest = starts.reduce((gap, at, i) => Math.max(gap, at - (starts[i - 1] ?? at)), 0);
      t.ok(longest <= every, `${name} ran at least every ${longest / 1000} s`);
    }
  },
);
