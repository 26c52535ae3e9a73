import t from 'tap';
import { openLog } from '../../src/base/logging.ts';
import { Counter, Gauge, Histogram, Registry } from '../../src/base/metrics.ts';
import type { Route, RouteReply } from '../../src/base/route.ts';
import type { Publication } from '../../src/probes/publication.ts';
import { probeRoutes } from '../../src/probes/routes.ts';
import { openSnapshots } from '../../src/probes/snapshots.ts';
import type { CollectorFacts } from '../../src/probes/snapshots.ts';
import { golden } from '../support/golden.ts';

const NOW = Date.UTC(2026, 10, 22);
const FACTS: readonly CollectorFacts[] = [
  {
    name: 'cpu',
    view: 'node',
    periodSeconds: 15,
    metrics: [{ name: 'node_load1', help: 'C.', type: 'gauge', source: '' }],
  },
  {
    name: 'uname',
    view: 'node',
    periodSeconds: 15,
    metrics: [{ name: 'node_uname_info', help: 'U.', type: 'gauge', source: '' }],
  },
  { name: 'inventory', view: 'node', periodSeconds: 3600, metrics: [] },
  {
    name: 'process',
    view: 'process',
    periodSeconds: 15,
    metrics: [{ name: 'named_x', help: 'P.', type: 'gauge', source: '' }],
  },
];

const publication = (collector: string, metric: string, more: Partial<Publication> = {}): Publication => ({
  collector,
  at: NOW - 5000,
  periodSeconds: 15,
  durationSeconds: 0.002,
  families: [{ name: metric, text: Buffer.from(`${metric} 1\n`), samples: 1 }],
  quarantined: [],
  ...more,
});

function site(refresh: () => Promise<void> = async () => {}) {
  const log = openLog('test', 'silent');
  const now = () => NOW;
  const snapshots = openSnapshots({ collectors: FACTS, log, now });
  const own = new Registry();
  const fdsGrowth = { process: ({ pid }: { pid: number }) => (pid === 1 ? 12.5 : undefined) };
  const routes = probeRoutes({ snapshots, own, refresh, fdsGrowth, version: '1.2.3', log, now });
  /** As `http/` calls it: the query is validated first. */
  const get = async (path: string, query: object = {}, headers: Record<string, string> = {}): Promise<RouteReply> => {
    const found = routes.find((route) => route.path === path) as Route;
    return found.handler({
      params: {},
      query: found.query === undefined ? query : found.query.parse(query),
      body: undefined,
      headers,
      caller: { name: 'anonymous', role: 'anonymous', from: '127.0.0.1:1' },
      signal: new AbortController().signal,
    });
  };
  const text = async (path: string, query: object = {}): Promise<string> => String((await get(path, query)).body);
  return { snapshots, own, routes, get, text };
}

function seen() {
  const it = site();
  it.snapshots.accept(publication('cpu', 'node_load1'));
  it.snapshots.accept(publication('uname', 'node_uname_info'));
  it.snapshots.accept(
    publication('process', 'named_x', { families: [], error: { reason: 'deadline', message: 'hung' } }),
  );
  it.snapshots.accept(publication('process', 'named_x', { quarantined: [{ target: '/proc/7', since: 1, until: 2 }] }));
  return it;
}

t.test('every route needs a right, and the exposition needs no more than `metrics`', async (t) => {
  t.same(
    site().routes.map(({ path, right }) => [path, right]),
    [
      ['/metrics', 'metrics'],
      ['/metrics/node', 'metrics'],
      ['/metrics/process', 'metrics'],
      ['/metrics/container', 'metrics'],
      ['/metrics/cadvisor', 'metrics'],
      ['/metrics/problem', 'metrics'],
      ['/metrics/ovs', 'metrics'],
      ['/jdos/v1/processes', 'read'],
      ['/jdos/v1/collectors', 'read'],
      ['/jdos/v1/hosts', 'read'],
    ],
  );
});

t.test('/metrics gives every collector, what they did, and the metrics of the daemon', async (t) => {
  const it = seen();
  const registers = [it.own];
  new Counter({ name: 'jdos_own_total', help: 'Own.', labelNames: ['kind'], registers }).inc({ kind: 'a"b' }, 2);
  const latency = new Histogram({ name: 'jdos_own_seconds', help: 'Own.', buckets: [0.1, 1], registers });
  for (const value of [0.05, 0.5, 5]) latency.observe(value);
  await golden(t, 'exposition/self-metrics.prom', await it.text('/metrics'));
  const openmetrics = await it.get('/metrics', {}, { accept: 'application/openmetrics-text' });
  t.equal(openmetrics.type, 'application/openmetrics-text; version=1.0.0; charset=utf-8');
  t.equal(openmetrics.headers?.['vary'], 'accept');
  await golden(t, 'exposition/self-metrics.openmetrics', String(openmetrics.body));
});

t.test('a view gives its own collectors alone', async (t) => {
  const it = seen();
  new Gauge({ name: 'jdos_own', help: 'Own.', registers: [it.own] }).set(1);
  const families = (text: string) => [...text.matchAll(/^# TYPE (\S+)/gm)].map((match) => match[1]);
  t.same(families(await it.text('/metrics/node')), [
    'node_load1',
    'node_uname_info',
    'node_scrape_collector_duration_seconds',
    'node_scrape_collector_success',
    'node_exporter_build_info',
  ]);
  t.match(await it.text('/metrics/node'), /^node_exporter_build_info\{version="1\.2\.3",branch="jdos"\} 1$/m);
  t.same(families(await it.text('/metrics/process')), ['named_x']);
});

t.test('collect[] chooses collectors and exclude[] leaves them out', async (t) => {
  const it = seen();
  new Gauge({ name: 'jdos_own', help: 'Own.', registers: [it.own] }).set(1);
  const one = await it.text('/metrics', { 'collect[]': 'cpu' });
  t.match(one, /^node_load1 1$/m);
  t.match(one, /^jdos_collector_success\{collector="cpu"\} 1$/m);
  t.notMatch(one, /uname|named_x|jdos_own|collector="process"/);
  const two = await it.text('/metrics/node', { 'collect[]': ['cpu', 'uname', 'cpu'] });
  t.match(two, /node_load1 1\n.*\n.*\nnode_uname_info 1\n/);
  const rest = await it.text('/metrics', { 'exclude[]': ['cpu'] });
  t.notMatch(rest, /node_load1|"cpu"/);
  t.match(rest, /node_uname_info 1\n/);
  t.match(rest, /jdos_own 1\n/);
});

for (const [path, query, message] of [
  ['/metrics', { 'collect[]': 'cpu', 'exclude[]': 'uname' }, /together/],
  ['/metrics', { 'collect[]': ['cpu', 'ghost'] }, /not here/],
  ['/metrics', { 'exclude[]': 'ghost' }, /not here/],
  ['/metrics/node', { 'collect[]': 'process' }, /not here/],
] as const) {
  t.test(`${path} refuses ${JSON.stringify(query)}`, async (t) => {
    await t.rejects(seen().get(path, query), { code: 'JD_BAD_SELECTION', status: 400, message });
  });
}

t.test('a refused name comes with the known ones', async (t) => {
  const refused: unknown = await seen()
    .get('/metrics/node', { 'collect[]': ['cpu', 'gohst'] })
    .catch((e: unknown) => e);
  t.match(refused, { details: [{ path: 'collect[]', expected: 'one of cpu, uname, inventory', value: 'gohst' }] });
});

t.test('an own metric that throws takes no other down', async (t) => {
  const it = seen();
  const registers = [it.own];
  new Gauge({
    name: 'jdos_broken',
    help: 'B.',
    registers,
    collect() {
      throw new Error('no');
    },
  });
  new Gauge({ name: 'jdos_fine', help: 'F.', registers }).set(1);
  const text = await it.text('/metrics');
  t.match(text, /jdos_fine 1\n/);
  t.match(text, /node_load1 1\n/);
  t.notMatch(text, /jdos_broken/);
});

const process = (pid: number, cpuRatio: number | null, rssBytes: number, fds: number | null) => ({
  pid,
  startTime: 1_700_000_000 + pid,
  cpuRatio,
  rssBytes,
  fds,
  fdLimit: 10,
  comm: `p${pid}`,
});
const DETAILS = {
  processes: [process(1, 0.5, 100, null), process(2, null, 300, 7), process(3, 0.75, 200, 9)],
  dstate: [{ pid: 8, wchan: 'nfs_wait' }],
  zombies: [{ pid: 9 }],
};

t.test('/jdos/v1/processes sorts what is known first and says when it was seen', async (t) => {
  const it = site();
  await t.rejects(it.get('/jdos/v1/processes'), { code: 'JD_NOT_SEEN_YET', status: 503 });
  it.snapshots.accept(publication('process', 'named_x', { details: DETAILS }));
  const pids = async (query: object) =>
    ((await it.get('/jdos/v1/processes', query)).body as { items: { pid: number }[] }).items.map(({ pid }) => pid);
  t.same(await pids({}), [3, 1, 2]);
  t.same(await pids({ by: 'memory' }), [2, 3, 1]);
  t.same(await pids({ by: 'fds', limit: '2' }), [3, 2]);
  t.match((await it.get('/jdos/v1/processes')).body, {
    items: [
      { comm: 'p3', fdRatio: 0.9, fdHeadroom: 1, fdsGrowthPerHour: null },
      { comm: 'p1', fdRatio: null, fdHeadroom: null, fdsGrowthPerHour: 12.5 },
      {},
    ],
    at: NOW - 5000,
    dstate: [{ pid: 8, wchan: 'nfs_wait' }],
    zombies: [{ pid: 9 }],
    next: null,
  });
  for (const query of [{ by: 'name' }, { limit: 151 }, { limit: 0 }, { fresh: 'yes' }]) {
    await t.rejects(it.get('/jdos/v1/processes', query), { name: 'ZodError' }, JSON.stringify(query));
  }
});

t.test('fresh=true collects first, unless that was just done', async (t) => {
  let asked = 0;
  const it = site(async () => {
    asked += 1;
    it.snapshots.accept(publication('process', 'named_x', { at: NOW - 10, details: DETAILS }));
  });
  t.match((await it.get('/jdos/v1/processes', { fresh: 'true' })).body, { at: NOW - 10 });
  await it.get('/jdos/v1/processes', { fresh: 'true' });
  t.equal(asked, 1);
});

t.test('/jdos/v1/collectors says what each did', async (t) => {
  const { body } = await seen().get('/jdos/v1/collectors');
  t.match(JSON.parse(JSON.stringify(body)), {
    items: [
      { name: 'cpu', view: 'node', state: 'ok', lastSuccessAt: NOW - 5000, error: null, series: 1 },
      { name: 'uname', state: 'ok' },
      { name: 'inventory', state: 'waiting', lastSuccessAt: null, error: null, series: 0 },
      { name: 'process', view: 'process', state: 'ok', quarantined: [{ target: '/proc/7', since: 1, until: 2 }] },
    ],
    next: null,
  });
});

t.test('/jdos/v1/hosts gives this host, and null for what is not known', async (t) => {
  const it = site();
  t.same((await it.get('/jdos/v1/hosts')).body, { items: [{ name: null, uname: null, inventory: null }], next: null });
  const labels = { nodename: 'h1', release: '6.1.0' };
  it.snapshots.accept(
    publication('uname', 'node_uname_info', {
      families: [
        {
          name: 'node_uname_info',
          text: Buffer.from('node_uname_info{nodename="h1",release="6.1.0"} 1\n'),
          samples: 1,
        },
      ],
    }),
  );
  it.snapshots.accept(publication('inventory', 'x', { families: [], periodSeconds: 3600, details: { cpus: 2 } }));
  t.same((await it.get('/jdos/v1/hosts')).body, {
    items: [{ name: 'h1', uname: labels, inventory: { cpus: 2 } }],
    next: null,
  });
});
