// The inspector's routes, called directly.
import { pino } from 'pino';
import t from 'tap';
import type { Route, RouteReply } from '../../src/base/route.ts';
import { checks } from '../../src/inspector/checks/index.ts';
import { InspectorConfig, inspectorRoutes, openInspector } from '../../src/inspector/index.ts';
import type { StateStore } from '../../src/drivers/sqlite/index.ts';
import { fakeView, healthy, NOW, one, openStore } from './support.ts';

interface Asking {
  readonly params?: unknown;
  readonly query?: unknown;
  readonly body?: unknown;
}

type Ask = (method: string, path: string, asking?: Asking) => Promise<{ status: number; body: any }>;

async function open(store: StateStore): Promise<{ ask: Ask; routes: readonly Route[]; load: (n: number) => void }> {
  const view = fakeView(healthy());
  let now = NOW;
  const config = InspectorConfig.parse({
    timezone: 'UTC',
    mute: [{ code: 'FD_HOST', until: '2030-01-01', reason: 'known' }],
    limits: { LOAD: { warn: 3 } },
  });
  const inspector = openInspector({
    view,
    store,
    config,
    parts: () => new Map(),
    now: () => (now += 1000),
    log: pino({ level: 'silent' }),
    refresh: async () => undefined,
    onReport: async () => undefined,
    cost: () => ({ cpuRatio: undefined, memoryBytes: undefined }),
    ticker: () => () => undefined,
  });
  const routes = inspectorRoutes({ inspector, store, config });
  const ask: Ask = async (method, path, { params = {}, query = {}, body } = {}) => {
    const route = routes.find((one) => one.method === method && one.path === path);
    if (route === undefined) throw new Error(`no route ${method} ${path}`);
    const reply: RouteReply = await route.handler({
      params: route.params?.parse(params) ?? params,
      query: route.query?.parse(query) ?? query,
      body: route.body === undefined || route.body === 'raw' ? undefined : route.body.parse(body),
      headers: {},
      caller: { name: 'test', role: 'operator', from: 'unix' },
      signal: new AbortController().signal,
    });
    return { status: reply.status ?? 200, body: reply.body };
  };
  const load = (value: number): void => {
    view.metrics['node_load5'] = one(value);
    view.metrics['node_filefd_allocated'] = one(95_000);
  };
  return { ask, routes, load };
}

t.test('reading needs the right to read, running the right to operate', async (t) => {
  await using store = await openStore(t);
  const { routes } = await open(store);
  for (const { method, right, path } of routes) t.equal(right, method === 'GET' ? 'read' : 'operate', path);
});

t.test('a run is asked for, listed, paged through and read', async (t) => {
  await using store = await openStore(t);
  const { ask } = await open(store);
  t.same((await ask('GET', '/jdos/v1/inspections')).body, { items: [] });
  t.same((await ask('GET', '/jdos/v1/findings')).body, { items: [], muted: [], run: null });
  const made = await ask('POST', '/jdos/v1/inspections');
  t.equal(made.status, 201);
  await ask('POST', '/jdos/v1/inspections', { body: { mail: true } });
  await ask('POST', '/jdos/v1/inspections', { body: {} });
  const first = await ask('GET', '/jdos/v1/inspections', { query: { limit: '2' } });
  t.equal(first.body.items.length, 2);
  t.match(first.body.items[0], { score: 100, counts: { crit: 0, warn: 0 }, results: undefined });
  const rest = await ask('GET', '/jdos/v1/inspections', { query: { cursor: first.body.next } });
  t.same(
    rest.body.items.map((item: { id: string }) => item.id),
    [made.body.id],
  );
  t.equal(rest.body.next, undefined);
  t.same(
    (await ask('GET', '/jdos/v1/inspections/:id', { params: { id: made.body.id } })).body,
    JSON.parse(JSON.stringify(made.body)),
  );
  await t.rejects(ask('GET', '/jdos/v1/inspections/:id', { params: { id: 'x' } }), { code: 'JD_INSPECTION_UNKNOWN' });
  await t.rejects(ask('GET', '/jdos/v1/inspections', { query: { cursor: 'x' } }), { code: 'JD_CURSOR_INVALID' });
  await t.rejects(ask('POST', '/jdos/v1/inspections', { body: { mial: true } }));
});

t.test('findings are what is wrong now, worst first, with the muted beside them', async (t) => {
  await using store = await openStore(t);
  const { ask, load } = await open(store);
  load(20);
  await ask('POST', '/jdos/v1/inspections');
  const all = (await ask('GET', '/jdos/v1/findings')).body;
  t.match(all, {
    items: [{ code: 'LOAD', verdict: 'crit' }],
    muted: [{ code: 'FD_HOST', muted: { reason: 'known' } }],
  });
  t.same((await ask('GET', '/jdos/v1/findings', { query: { verdict: 'warn' } })).body.items, []);
});

t.test('the catalogue explains each check with the limits in force', async (t) => {
  await using store = await openStore(t);
  const { ask } = await open(store);
  const { items } = (await ask('GET', '/jdos/v1/checks')).body;
  t.equal(items.length, checks.length);
  const load = (await ask('GET', '/jdos/v1/checks/:code', { params: { code: 'load' } })).body;
  t.match(load, {
    code: 'LOAD',
    limits: { warn: 3, crit: 4 },
    changed: true,
    source: /netdata/,
    meaning: { 'zh-CN': /负载/ },
    howToMute: /LOAD/,
  });
  const refused = await ask('GET', '/jdos/v1/checks/:code', { params: { code: 'DISK_SPAC' } }).catch((e: unknown) => e);
  t.match(refused, { code: 'JD_CHECK_UNKNOWN', status: 404, remedy: /did you mean DISK_SPACE/ });
});
