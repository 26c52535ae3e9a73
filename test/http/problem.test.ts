// Errors as clients see them.
import t from 'tap';
import { Fault, faultKind } from '../../src/base/fault.ts';
import { z } from '../../src/base/schema.ts';
import { parseQuery } from '../../src/http/router.ts';
import { golden } from '../support/golden.ts';
import { echo, openTestDoor, problemOf, type Ask } from './door.ts';

const TEST_KIND = faultKind('JD_TEST_FULL', 507, 'free some space');

const routes = [
  echo({
    method: 'POST',
    path: '/things/:id',
    right: 'ingest',
    params: z.object({ id: z.coerce.number().int() }),
    query: z.strictObject({ limit: z.coerce.number().max(10).optional() }),
    body: z.strictObject({
      name: z.string(),
      password: z.string().min(8).optional(),
      list: z.array(z.number()).optional(),
    }),
  }),
  echo({ method: 'GET', path: '/query', right: 'health' }),
  echo({
    method: 'GET',
    path: '/fault',
    right: 'health',
    handler: () => {
      throw new Fault(TEST_KIND, 'the disk is full', { cause: new Error('at /secret/path') });
    },
  }),
  echo({
    method: 'GET',
    path: '/broken',
    right: 'health',
    handler: () => {
      throw new TypeError('cannot read properties of undefined (reading secret)');
    },
  }),
];
const post = (path: string, body: unknown): Ask => ({
  method: 'POST',
  path,
  body: JSON.stringify(body),
  headers: { 'content-type': 'application/json' },
});

const CASES: Record<string, Ask> = {
  'wrong everywhere': post('/things/x?limit=99&limt=1', { nam: 'a', password: 'short', list: [1, 'x'.repeat(500)] }),
  'no body': { method: 'POST', path: '/things/1' },
  'a fault of a handler': { path: '/fault' },
  'a bug': { path: '/broken' },
  'a misspelt path': { path: '/redyz' },
  'a path near nothing': { path: '/wp-login.php' },
  'a wrong method': { method: 'DELETE', path: '/things/1' },
  'a path that is no UTF-8': { path: '/%zz' },
  'no token': { path: '/jdos/v1/status' },
};

t.test('problem documents say what, where and what to do', async (t) => {
  const { ask, logged } = await openTestDoor(t, { routes });
  let text = '';
  for (const [name, what] of Object.entries(CASES)) {
    const answer = await ask(what);
    const { instance, ...problem } = problemOf(answer);
    t.match(answer.headers['content-type'], /^application\/problem\+json/, name);
    t.match(instance, /^urn:jdos:request:[0-9a-f-]{36}$/, name);
    t.equal(problem['status'], answer.status, name);
    text += `# ${name}\n${answer.headers['allow'] === undefined ? '' : `Allow: ${answer.headers['allow']}\n`}${JSON.stringify(problem, undefined, 2)}\n\n`;
  }
  await golden(t, 'http/problems.txt', text);
  const failures = logged.filter(({ msg }) => msg === 'request failed');
  t.equal(failures.length, 2, 'what is the daemon’s fault is logged once');
});

t.test('the log names the request that a client was given', async (t) => {
  const { ask, logged } = await openTestDoor(t, { routes });
  const answer = await ask({ path: '/broken?token=geheim' });
  t.match(
    logged.filter(({ msg }) => msg === 'request failed'),
    [
      {
        msg: 'request failed',
        request: answer.headers['x-request-id'],
        path: '/broken',
        err: { message: /undefined/ },
      },
    ],
  );
  t.notMatch(JSON.stringify(logged), /geheim/);
});

t.test('every answer carries the headers that keep browsers out of trouble', async (t) => {
  const { ask } = await openTestDoor(t, { routes });
  for (const path of ['/livez', '/', '/nothing', '/%zz', '/query']) {
    const { headers } = await ask({ path });
    t.match(
      headers,
      {
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'cache-control': 'no-store',
        'content-security-policy': /default-src 'none'.*frame-ancestors 'none'/,
      },
      path,
    );
  }
});

t.test('repeated keys of a query become arrays', async (t) => {
  const { ask } = await openTestDoor(t, { routes });
  const query = async (text: string) =>
    (JSON.parse((await ask({ path: `/query?${text}` })).text) as { query: unknown }).query;
  t.same(await query('collect[]=cpu&collect[]=meminfo&x=1'), { 'collect[]': ['cpu', 'meminfo'], x: '1' });
  t.same(await query('collect%5B%5D=cpu&a=1&a=2'), { 'collect[]': ['cpu'], a: ['1', '2'] });
  t.equal(Object.keys(parseQuery('&a'.repeat(5000))).length <= 200, true);
  t.same(parseQuery('__proto__=1'), JSON.parse('{"__proto__":"1"}'));
});

t.test('requests are counted by pattern, never by path', async (t) => {
  const { ask, registry } = await openTestDoor(t, { routes });
  await ask(post('/things/1', { name: 'a' }));
  await ask(post('/things/2', { name: 'a' }));
  await ask({ path: '/no/such/path/1' });
  const text = await registry.metrics();
  t.match(text, 'jdos_http_requests_total{route="/things/:id",method="POST",status="200"} 2');
  t.match(text, 'jdos_http_requests_total{route="none",method="GET",status="404"} 1');
  t.match(text, 'jdos_http_request_duration_seconds_count{route="/things/:id"} 2');
  t.match(text, /^jdos_http_in_flight 0$/m);
});
