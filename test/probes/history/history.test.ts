// History as a part: its routes and what they refuse, its thread that may end, its health.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { openLog } from '../../../src/base/logging.ts';
import { Registry } from '../../../src/base/metrics.ts';
import type { Route } from '../../../src/base/route.ts';
import { escapeLabelValue } from '../../../src/probes/sample-text.ts';
import { HistoryConfig } from '../../../src/probes/history/config.ts';
import { type FdsGrowthView, openHistory } from '../../../src/probes/index.ts';
import type { Publication } from '../../../src/probes/publication.ts';
import { eventually, privateDirectory } from '../../support/daemon.ts';

const log = openLog('test', 'silent');
const MINUTE = 60_000;
const NOW = Math.floor(Date.now() / MINUTE) * MINUTE - 10 * MINUTE;

const publication = (at: number, value: number, more: Partial<Publication> = {}): Publication => ({
  collector: 'process',
  at,
  periodSeconds: 15,
  durationSeconds: 0.002,
  families: [
    { name: 'node_load1', text: Buffer.from(`node_load1 ${value}\n`), samples: 1 },
    {
      name: 'node_disk_read_bytes_total',
      text: Buffer.from(['sda', 'sdb'].map((d) => `node_disk_read_bytes_total{device="${d}"} ${value}\n`).join('')),
      samples: 2,
    },
    { name: 'node_other', text: Buffer.from('node_other 1\n'), samples: 1 },
  ],
  quarantined: [],
  details: {
    processes: [{ pid: 1, startTime: 1, comm: 'a', cpuRatio: value, rssBytes: 1, fds: 1, state: 'S' }],
    dstate: [],
    zombies: [],
  },
  ...more,
});

async function opened(t: Test, dir = privateDirectory(t), start = true) {
  const registry = new Registry();
  const history = openHistory({ dir, config: HistoryConfig.parse({}), registry, log, now: () => NOW + 5 * MINUTE });
  if (start) {
    await history.start(new AbortController().signal);
    t.teardown(() => history.stop());
    await eventually('history is open', () => (history.health().state === 'available' ? true : undefined));
  }
  const get = async (path: string, query: object = {}) => {
    const found = history.routes.find((route) => route.path === path) as Route;
    const { body } = await found.handler({
      params: {},
      query: found.query?.parse(query) ?? {},
      body: undefined,
      headers: {},
      caller: { name: 'a', role: 'admin', from: 'unix' },
      signal: new AbortController().signal,
    });
    const json: unknown = Buffer.isBuffer(body) ? JSON.parse(body.toString('utf8')) : JSON.parse(JSON.stringify(body));
    return json as {
      items: { metric: string; labels: object; points: number[][]; pid: number }[];
      next: string | null;
    };
  };
  return { history, registry, get };
}

t.test('what was published is asked for: points, labels, pages, processes', async (t) => {
  const { history, get, registry } = await opened(t);
  t.same(
    history.routes.map(({ path, right }) => [path, right]),
    [
      ['/jdos/v1/history', 'read'],
      ['/jdos/v1/history/series', 'read'],
      ['/jdos/v1/history/processes', 'read'],
    ],
  );
  history.take([publication(NOW, 1), publication(NOW, 1, { collector: 'x', families: [] })]);
  history.take([publication(NOW + MINUTE, 2)]);
  history.take([publication(NOW + 2 * MINUTE, 3, { error: { reason: 'failed', message: 'no' }, families: [] })]);
  history.take([publication(NOW + 3 * MINUTE, 4, { details: { processes: 'none' } })]);
  t.match(await get('/jdos/v1/history', { metric: 'node_load1' }), {
    items: [
      {
        metric: 'node_load1',
        labels: {},
        as: 'value',
        points: [
          [NOW, 1, 1, 1, 1],
          [NOW + MINUTE, 2, 2, 2, 2],
        ],
      },
    ],
    to: NOW + 5 * MINUTE,
    from: NOW - 55 * MINUTE,
    stepSeconds: 60,
    next: null,
  });
  const series = await get('/jdos/v1/history/series');
  t.same(
    series.items.map(({ metric }) => metric),
    ['node_load1'],
    'a first value of a counter is no rate',
  );
  t.same(
    (await get('/jdos/v1/history/processes', { at: String(NOW + MINUTE), by: 'memory' })).items.map(({ pid }) => pid),
    [1],
  );
  const refused: readonly (readonly [string, object, object])[] = [
    ['/jdos/v1/history', { metric: 'node_other' }, { code: 'JD_HISTORY_QUERY', status: 400 }],
    ['/jdos/v1/history', { metric: 'node_load1', from: '5', to: '4' }, { code: 'JD_HISTORY_QUERY' }],
    ['/jdos/v1/history', { metric: 'node_load1', from: '1', step: '60' }, { code: 'JD_HISTORY_QUERY' }],
    [
      '/jdos/v1/history',
      { metric: 'node_load1', from: String(NOW - 10_000 * MINUTE), step: '60', limit: '100' },
      { code: 'JD_HISTORY_QUERY' },
    ],
    ['/jdos/v1/history', { metric: 'node_load1', step: '59' }, { name: 'ZodError' }],
    ['/jdos/v1/history', { metric: 'node_load1', from: 'teatime' }, { name: 'ZodError' }],
    ['/jdos/v1/history', { metric: 'node_load1', label: 'device' }, { name: 'ZodError' }],
    ['/jdos/v1/history', { metric: 'node_load1', lable: 'a=b' }, { name: 'ZodError' }],
    ['/jdos/v1/history', {}, { name: 'ZodError' }],
    [
      '/jdos/v1/history/processes',
      { at: String(NOW - 60 * MINUTE) },
      { code: 'JD_HISTORY_NOTHING_THEN', status: 404, message: /there is history from \d{4}-.*Z to .*Z/ },
    ],
    ['/jdos/v1/history/processes', { at: '1', by: 'rss' }, { name: 'ZodError' }],
  ];
  for (const [path, query, error] of refused) {
    const outcome: unknown = await get(path, query).catch((thrown: unknown) => thrown);
    t.match(outcome, error, JSON.stringify(query));
  }
  t.match(await registry.metrics(), /^jdos_history_lost_seconds_total 0$/m);
});

t.test('series come in pages, filtered by their labels', async (t) => {
  const { history, get } = await opened(t);
  const metric = 'namedprocess_namegroup_open_filedesc';
  const text = ['a', 'b "c" d', '中'].map((name) => `${metric}{groupname="${escapeLabelValue(name)}"} 5\n`).join('');
  const families = [{ name: metric, text: Buffer.from(text), samples: 3 }];
  history.take([publication(NOW, 0, { families })]);
  history.take([publication(NOW + MINUTE, 0, { families: [] }), publication(NOW + MINUTE, 1)]);
  const groups = async (query: object): Promise<unknown> => {
    const { items } = await get('/jdos/v1/history', { metric, ...query });
    return items.map(({ labels }) => (labels as { groupname: string }).groupname);
  };
  t.same(await groups({}), ['a', 'b "c" d', '中']);
  t.same(await groups({ label: 'groupname=b "c" d' }), ['b "c" d']);
  t.same(await groups({ label: ['groupname=a', 'x=y'] }), []);
  t.same(await groups({ from: String(NOW + MINUTE) }), [], 'nothing of this time');
  const pages: unknown[] = [];
  for (let cursor: string | undefined, i = 0; i < 5; i += 1) {
    const { items, next } = await get('/jdos/v1/history', {
      metric,
      limit: '1',
      ...(cursor === undefined ? {} : { cursor }),
    });
    pages.push(items.map(({ labels }) => labels));
    if (next === null) break;
    cursor = next;
  }
  t.same(pages, [[{ groupname: 'a' }], [{ groupname: 'b "c" d' }], [{ groupname: '中' }]]);
  const names = await get('/jdos/v1/history/series', { limit: '1', metric });
  t.same([names.items.length, typeof names.next], [1, 'string']);
});

t.test('before it is open and when it cannot be opened, that is said, and the daemon goes on', async (t) => {
  const closed = await opened(t, privateDirectory(t), false);
  t.equal(closed.history.health().state, 'starting');
  await t.rejects(closed.get('/jdos/v1/history', { metric: 'node_load1' }), { code: 'JD_HISTORY_FAILED', status: 503 });
  closed.history.take([publication(NOW, 1)]);
  const growth: FdsGrowthView = closed.history.fdsGrowth;
  t.equal(growth.group('a'), undefined, 'not known is not 0');
  t.equal(growth.process({ pid: 1, startTime: 1 }), undefined);
  const dir = privateDirectory(t);
  writeFileSync(join(dir, 'history'), 'a file where the directory should be');
  const history = openHistory({
    dir: join(dir, 'history'),
    config: HistoryConfig.parse({}),
    registry: new Registry(),
    log,
    now: Date.now,
  });
  const stop = new AbortController();
  await history.start(stop.signal);
  await eventually('it says so', () => (history.health().state === 'failing' ? true : undefined));
  t.match(history.health(), { reason: /cannot be opened/, costs: 'no history is written or can be read' });
  stop.abort();
  await history.stop();
});

t.test('a thread that does not keep up is said and bounded: what it cannot take is dropped', async (t) => {
  const { history } = await opened(t);
  // In one turn of the loop nothing of it can be answered, as when the disk hangs.
  for (let i = 0; i < 150; i += 1) history.take([publication(NOW + i * 1000, i)]);
  t.match(history.health(), { state: 'failing', reason: 'the disk does not answer' });
  await eventually('it has caught up', () => {
    history.take([publication(NOW + 200_000, 1)]);
    return history.health().state === 'available' ? true : undefined;
  });
});

t.test('what was published while it was being opened is kept', async (t) => {
  const dir = privateDirectory(t);
  mkdirSync(dir, { recursive: true });
  const history = openHistory({ dir, config: HistoryConfig.parse({}), registry: new Registry(), log, now: Date.now });
  await history.start(new AbortController().signal);
  history.take([publication(NOW, 1)]);
  await eventually('history is open', () => (history.health().state === 'available' ? true : undefined));
  await history.stop();
  const again = await opened(t, dir);
  t.same((await again.get('/jdos/v1/history', { metric: 'node_load1' })).items[0]?.points, [[NOW, 1, 1, 1, 1]]);
});
