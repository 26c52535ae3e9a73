// The inspector as a part: sweeps by the tick, one report a day over restarts and failures, runs when asked.
import { pino } from 'pino';
import t, { type Test } from 'tap';
import type { StateStore } from '../../src/drivers/sqlite/index.ts';
import { InspectorConfig, openInspector, type Inspector } from '../../src/inspector/index.ts';
import { checks } from '../../src/inspector/checks/index.ts';
import type { ReportInput } from '../../src/inspector/model.ts';
import { listRuns } from '../../src/inspector/store.ts';
import { fakeView, healthy, openStore, NOW, one, type FakeView } from './support.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

interface Bench {
  readonly inspector: Inspector;
  readonly view: FakeView;
  readonly reports: ReportInput[];
  readonly tick: () => Promise<void>;
}

interface BenchOptions {
  readonly clock: { now: number };
  readonly store: StateStore;
  readonly reports?: ReportInput[];
  readonly refresh?: () => Promise<void>;
  readonly onReport?: (input: ReportInput) => Promise<void>;
  readonly config?: object;
}

/** A started inspector whose first run is done; reports at 08:00 UTC. */
async function bench(t: Test, options: BenchOptions): Promise<Bench> {
  const { clock, store, reports = [], refresh = async () => undefined } = options;
  const view = fakeView(healthy());
  let tick = async (): Promise<void> => undefined;
  const inspector = openInspector({
    view,
    store,
    config: InspectorConfig.parse({ timezone: 'UTC', ...options.config }),
    parts: () => new Map(),
    now: () => clock.now,
    log: pino({ level: 'silent' }),
    refresh,
    onReport: options.onReport ?? (async (input) => void reports.push(input)),
    cost: () => ({ cpuRatio: 0.01, memoryBytes: 1e8 }),
    ticker: (given) => {
      tick = given;
      return () => undefined;
    },
  });
  await inspector.start(new AbortController().signal);
  t.teardown(() => inspector.stop());
  await tick();
  return { inspector, view, reports, tick: () => tick() };
}

const runs = async (store: StateStore): Promise<number> => (await listRuns(store, undefined, 1000)).length;

t.test('the first run is at the start, the next by the cron expression', async (t) => {
  await using store = await openStore(t);
  const clock = { now: NOW + 9 * HOUR + MINUTE };
  const { tick, inspector } = await bench(t, { clock, store });
  t.equal(await runs(store), 1);
  t.match(inspector.health(), { state: 'available', summary: /score 100/ });
  for (let i = 0; i < 10; i += 1) {
    clock.now += MINUTE;
    await tick();
  }
  t.equal(await runs(store), 3, 'at :05 and :10');
});

t.test('the report is made once, also over restarts, and compares with the one before', async (t) => {
  await using store = await openStore(t);
  const reports: ReportInput[] = [];
  const clock = { now: NOW - HOUR };
  const first = await bench(t, { clock, store, reports });
  t.equal(reports.length, 0, 'yesterday’s is not owed');
  clock.now = NOW;
  await first.tick();
  await first.tick();
  t.equal(reports.length, 1);
  await first.inspector.stop();
  clock.now = NOW + 5 * MINUTE;
  const second = await bench(t, { clock, store, reports });
  t.equal(reports.length, 1, 'a restart does not send it again');
  clock.now = NOW + 27 * HOUR;
  second.view.metrics['node_load15'] = one(9);
  second.view.metrics['node_load5'] = one(9);
  await second.tick();
  const [yesterday, today] = reports;
  t.equal(reports.length, 2, 'three hours late, within the catch-up time');
  t.same([yesterday?.previous, yesterday?.change], [undefined, undefined], 'the first has no yesterday');
  t.equal(today?.previous?.id, yesterday?.run.id);
  t.match(today?.change, { added: [{ code: 'LOAD', verdict: 'crit' }] });
  t.same(today?.period, { from: NOW, to: NOW + 27 * HOUR });
  t.same(today?.scores, [100, today?.run.score]);
  t.match(today?.host, { name: 'h1', os: 'Debian GNU/Linux 12', kernel: '6.1.0', cpus: 2, memoryBytes: 16e9 });
  t.ok((today?.worst.length ?? 0) >= 3 && (today?.worst.length ?? 9) <= 5);
  t.same(today?.checks.get('LOAD')?.title, { 'zh-CN': '每核负载', en: 'load per processor' });
});

t.test('a report that was not taken is handed over again, as the same run', async (t) => {
  await using store = await openStore(t);
  const clock = { now: NOW - HOUR };
  const given: string[] = [];
  let broken = true;
  const onReport = async (input: ReportInput): Promise<void> => {
    given.push(input.run.id);
    if (broken) throw new Error('outbox is full');
  };
  const { tick, inspector } = await bench(t, { clock, store, onReport });
  clock.now = NOW;
  await tick();
  t.match(inspector.health(), { state: 'failing', reason: 'outbox is full' });
  broken = false;
  clock.now = NOW + MINUTE;
  await tick();
  clock.now = NOW + 2 * MINUTE;
  await tick();
  t.equal(given.length, 2);
  t.equal(given[0], given[1]);
  t.equal(inspector.health().state, 'available');
});

t.test(
  'a daemon that stops before it noted the hand-over gives the same run again, so that the taker can tell',
  async (t) => {
    await using store = await openStore(t);
    const clock = { now: NOW - HOUR };
    const given: string[] = [];
    const onReport = async (input: ReportInput): Promise<void> => void given.push(input.run.id);
    const cut: StateStore = {
      ...store,
      write: (...statements) =>
        statements.some(({ sql }) => sql.includes('last_key = ?'))
          ? Promise.reject(new Error('killed'))
          : store.write(...statements),
    };
    const dying = await bench(t, { clock, store: cut, onReport });
    clock.now = NOW;
    await dying.tick();
    await dying.inspector.stop();
    const { tick } = await bench(t, { clock, store, onReport });
    await tick();
    t.equal(given.length, 2);
    t.equal(new Set(given).size, 1);
  },
);

t.test('a report that is too late is given up and said once', async (t) => {
  await using store = await openStore(t);
  const clock = { now: NOW - HOUR };
  const first = await bench(t, { clock, store });
  await first.inspector.stop();
  clock.now = NOW + 7 * HOUR;
  const { reports, tick } = await bench(t, { clock, store });
  t.equal(reports.length, 0);
  clock.now = NOW + 24 * HOUR;
  await tick();
  t.equal(reports.length, 1, 'the next day is a new day');
});

t.test('asked for, it runs now, sends a report of it when told, and does not count as the daily one', async (t) => {
  await using store = await openStore(t);
  const clock = { now: NOW - HOUR };
  const { inspector, reports, tick } = await bench(t, { clock, store });
  const signal = new AbortController().signal;
  const silent = await inspector.inspectNow({ mail: false, signal });
  t.equal(reports.length, 0);
  clock.now += 1000;
  const mailed = await inspector.inspectNow({ mail: true, signal });
  t.same(
    reports.map((input) => input.run.id),
    [mailed.run.id],
  );
  t.not(silent.run.id, mailed.run.id);
  t.same(await inspector.latest(), JSON.parse(JSON.stringify(mailed.run)));
  clock.now = NOW;
  await tick();
  t.equal(reports.length, 2);
  t.equal(reports[1]?.previous, undefined, 'compared with daily reports only');
  await t.rejects(inspector.inspectNow({ mail: false, signal: AbortSignal.abort(new Error('gone')) }), /gone/);
});

t.test('when the collection does not end, the run is partial and says so', async (t) => {
  await using store = await openStore(t);
  const refresh = (): Promise<void> => Promise.reject(new Error('the probe did not answer within 10 s'));
  const { inspector } = await bench(t, { clock: { now: NOW }, store, refresh });
  t.match(await inspector.latest(), { state: 'partial', missing: [{ en: /did not answer within 10 s/ }] });
});

t.test('stopping does not wait for a collection that hangs, and leaves no half run', async (t) => {
  await using store = await openStore(t);
  let hang = false;
  const refresh = (): Promise<void> => (hang ? new Promise<void>(() => undefined) : Promise.resolve());
  const { inspector } = await bench(t, { clock: { now: NOW }, store, refresh });
  const before = await runs(store);
  hang = true;
  const asked = inspector.inspectNow({ mail: false, signal: new AbortController().signal });
  const refused = t.rejects(asked);
  await inspector.stop();
  await refused;
  t.equal(await runs(store), before);
});

t.test('pressure and OOM kills wait for data, then say', async (t) => {
  await using store = await openStore(t);
  const clock = { now: NOW + HOUR };
  const { inspector, view, tick } = await bench(t, { clock, store });
  t.same(
    (await inspector.latest())?.waiting.map(({ code }) => code),
    ['PRESSURE', 'OOM_KILLS'],
  );
  clock.now += 5 * MINUTE;
  view.metrics['node_pressure_io_waiting_seconds_total'] = one(10 + 210);
  view.metrics['node_vmstat_oom_kill'] = one(2);
  await tick();
  const run = await inspector.latest();
  t.same(
    run?.waiting.map(({ code }) => code),
    ['OOM_KILLS'],
  );
  t.match(
    run?.results.filter(({ verdict }) => verdict !== 'ok' && verdict !== 'skipped'),
    [
      { code: 'PRESSURE', target: 'io', verdict: 'crit', area: 'storage' },
      { code: 'OOM_KILLS', verdict: 'warn', value: 2 },
    ],
  );
});

t.test('every metric that a check says it needs is one of a healthy host', async (t) => {
  for (const { code, needs } of checks) for (const metric of needs) t.ok(metric in healthy(), `${code}: ${metric}`);
});
