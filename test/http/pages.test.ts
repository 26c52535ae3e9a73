// Health, status, the landing page and the OpenAPI document.
import t from 'tap';
import type { Health } from '../../src/base/component.ts';
import { z } from '../../src/base/schema.ts';
import { readiness } from '../../src/http/health-routes.ts';
import { renderLanding } from '../../src/http/landing.ts';
import { golden } from '../support/golden.ts';
import { echo, openTestDoor } from './door.ts';

const parts = (entries: Record<string, Health>) => () => new Map(Object.entries(entries));
const MIXED: Record<string, Health> = {
  http: { state: 'available', summary: 'http://127.0.0.1:9618, https://0.0.0.0:9619, unix:/var/lib/jdos/jdos.sock' },
  probes: { state: 'available', summary: '38 collectors, 1,812 series' },
  inspector: {
    state: 'limited',
    reason: 'no permission to read /proc/*/io',
    costs: 'disk traffic per process',
    remedy: 'start the daemon as root',
  },
  report: {
    state: 'failing',
    reason: 'connect ECONNREFUSED 10.0.0.25:25\nsecond <line>',
    remedy: 'check mail.smtp.host in /etc/jdos/jdos.yaml',
  },
  docker: { state: 'missing', reason: 'there is no /var/run/docker.sock' },
  tracing: { state: 'starting' },
};

t.test('the daemon is ready unless a part is failing or starting', async (t) => {
  const state = (...states: Health['state'][]) =>
    readiness(new Map(states.map((one) => [one, { state: one }])), false).status;
  t.equal(state('available', 'limited', 'missing'), 200);
  t.equal(state('available', 'failing'), 503);
  t.equal(state('available', 'starting'), 503);
  t.equal(state(), 200);
});

t.test('readyz speaks in Kubernetes’ lines', async (t) => {
  const { ask } = await openTestDoor(t, { parts: parts(MIXED) });
  t.equal((await ask({ path: '/livez' })).text, 'ok\n');
  const answer = await ask({ path: '/readyz?verbose' });
  t.equal(answer.status, 503);
  await golden(t, 'http/readyz.txt', answer.text);
  const ready = await openTestDoor(t, { parts: parts({ http: { state: 'available' } }) });
  t.equal((await ready.ask({ path: '/readyz' })).text, 'ok\n');
  t.equal((await ready.ask({ path: '/readyz?verbose' })).text, '[+]http ok\nreadyz check passed\n');
});

t.test('the status names parts, processes and series', async (t) => {
  let now = 1_000_000;
  const facts = () => ({ processes: [{ name: 'agent', pid: 7, cpuRatio: 0.01 }], series: 1812 });
  const { ask } = await openTestDoor(t, { parts: parts(MIXED), facts, now: () => now });
  now += 90_000;
  const status = JSON.parse((await ask({ path: '/jdos/v1/status', listener: 'socket' })).text) as unknown;
  t.match(status, {
    version: '1.2.3',
    host: 'test-host',
    startedAt: 1_000_000,
    uptimeSeconds: 90,
    ready: false,
    processes: [{ name: 'agent', pid: 7, cpuRatio: 0.01 }],
    series: 1812,
  });
  t.match((status as { parts: object[] }).parts[3], { name: 'report', state: 'failing', remedy: /mail\.smtp\.host/ });
});

const landing = (entries: Record<string, Health>, hostname = 'hb1-h087') => ({
  parts: parts(entries),
  version: '1.2.3',
  hostname,
  now: () => 0,
  paths: () => ['/metrics', '/metrics/node', '/metrics/process', '/readyz', '/jdos/v1/openapi.json'],
  latestReport: () => '/jdos/v1/reports/latest',
});

t.test('the landing page shows every part with its state, reason and remedy', async (t) => {
  await golden(t, 'http/landing.html', renderLanding(landing(MIXED), 93_784));
  const page = renderLanding(landing(MIXED), 93_784);
  t.notMatch(page, /<script|<line>|\son[a-z]+=/i);
});

t.test('nothing foreign reaches the landing page unescaped', async (t) => {
  const evil = '<img src=x onerror=alert(1)>"\'&';
  const page = renderLanding(
    {
      ...landing({ [evil]: { state: 'failing', reason: evil, costs: evil, remedy: evil, summary: evil } }, evil),
      latestReport: () => `/${evil}`,
    },
    1,
  );
  t.notMatch(page, /<img/);
  t.equal(page.split('&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;').length - 1, 9);
});

t.test('the landing page links only what is there', async (t) => {
  const { ask } = await openTestDoor(t);
  const page = await ask({ path: '/' });
  t.match(page.headers['content-type'], 'text/html; charset=utf-8');
  t.match(page.text, 'href="/readyz?verbose"');
  t.notMatch(page.text, 'href="/metrics"');
  t.notMatch(page.text, 'Latest report');
});

t.test('the OpenAPI document describes every route with its right', async (t) => {
  const routes = [
    echo({
      method: 'PUT',
      path: '/things/:id/parts/:part',
      right: 'operate',
      params: z.object({ id: z.coerce.number().int(), part: z.string() }),
      query: z.object({ 'collect[]': z.array(z.string()).optional(), from: z.string() }),
      body: z.strictObject({ name: z.string(), at: z.date().optional() }),
      reply: z.object({ n: z.number() }),
    }),
    echo({ method: 'POST', path: '/raw', right: 'ingest', body: 'raw' }),
  ];
  const { ask, door } = await openTestDoor(t, { routes });
  const answer = await ask({ path: '/jdos/v1/openapi.json' });
  const document = JSON.parse(answer.text) as {
    openapi: string;
    paths: Record<string, Record<string, Record<string, unknown>>>;
  };
  t.match(document, { openapi: '3.1.0', info: { title: 'JDOS', version: '1.2.3' } });
  const ids = new Set<unknown>();
  for (const route of door.routes) {
    const operation = document.paths[route.path.replace(/:(\w+)/g, '{$1}')]?.[route.method.toLowerCase()];
    t.match(
      operation,
      {
        summary: route.summary,
        'x-jdos-right': route.right,
        responses: { default: { $ref: '#/components/responses/Problem' } },
      },
      route.path,
    );
    ids.add(operation?.['operationId']);
    const inPath = (operation?.['parameters'] as { in: string; name: string }[]).filter((one) => one.in === 'path');
    t.same(
      inPath.map(({ name }) => name),
      [...route.path.matchAll(/:(\w+)/g)].map(([, name]) => name),
    );
  }
  t.equal(ids.size, door.routes.length, 'every operation has an id of its own');
  for (const [, path] of answer.text.matchAll(/"\$ref":"#\/([^"]+)"/g)) {
    const found = path?.split('/').reduce<unknown>((node, key) => (node as Record<string, unknown>)[key], document);
    t.type(found, 'object', path ?? '');
  }
  await golden(
    t,
    'http/openapi-operation.json',
    `${JSON.stringify(document.paths['/things/{id}/parts/{part}'], undefined, 2)}\n`,
  );
});
