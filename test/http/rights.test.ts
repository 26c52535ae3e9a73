// Every route, every role, every listener, against a table written here and nowhere else.
import t from 'tap';
import { RIGHTS, type Right, type Route } from '../../src/base/route.ts';
import { LISTENERS, type Listener } from '../../src/http/access.ts';
import { echo, openTestDoor, problemOf, type Ask } from './door.ts';

/** Who has a right: columns are anonymous on loopback, anonymous over TLS, viewer, operator, admin. */
const WHO = {
  health: 'loopback viewer operator admin',
  metrics: 'loopback viewer operator admin',
  ingest: 'loopback operator admin',
  read: 'viewer operator admin',
  logs: 'operator admin',
  operate: 'operator admin',
  admin: 'admin',
} as const satisfies Record<Right, string>;

const CALLERS = ['anonymous', 'viewer', 'operator', 'admin', 'invalid', 'basic-viewer', 'basic-admin'] as const;
type Caller = (typeof CALLERS)[number];

function expected(listener: Listener, route: Pick<Route, 'method' | 'right'>, caller: Caller): 401 | 403 | 'answer' {
  if (listener === 'socket') return 'answer';
  if (caller === 'invalid') return 401;
  const has = WHO[route.right].split(' ');
  const everyone = listener === 'loopback' && has.includes('loopback');
  if (caller === 'anonymous') return everyone ? 'answer' : 401;
  if (caller.startsWith('basic-') && route.method !== 'GET') return 403;
  return everyone || has.includes(caller.replace('basic-', '')) ? 'answer' : 403;
}

const one = RIGHTS.flatMap((right) =>
  (['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const).map((method) => echo({ method, path: `/test/${right}`, right })),
);

/** A path with its parameters filled in with what names nothing. */
const filled = ({ path }: Route): string => path.replace(/:[a-z]+/gi, 'nothing');

t.test('every route answers exactly those who have its right, on every listener', async (t) => {
  const { door, ask } = await openTestDoor(t, { routes: one });
  const tokens: Record<string, string> = { invalid: `jdos_${'0'.repeat(24)}` };
  for (const role of ['viewer', 'operator', 'admin'] as const) {
    tokens[role] = (await door.tokens.create({ name: `${role}-1`, role })).token;
  }
  const credentials = (caller: Caller): Partial<Ask> => {
    if (caller === 'anonymous') return {};
    if (caller.startsWith('basic-')) return { basic: tokens[caller.slice(6)] ?? '' };
    return { token: tokens[caller] ?? '' };
  };
  let invalid = 0;
  for (const listener of LISTENERS) {
    for (const route of door.routes) {
      for (const caller of CALLERS) {
        const want = expected(listener, route, caller);
        const got = await ask({ listener, method: route.method, path: filled(route), ...credentials(caller) });
        const what = `${listener} ${route.method} ${route.path} (${route.right}) as ${caller}`;
        if (want === 'answer') {
          // 401 and 403 come from the guard alone; a handler may still say that a name is unknown.
          t.ok(![401, 403, 405, 421, 429, 500, 503].includes(got.status), `${what} answers with ${got.status}`);
        } else if (caller === 'invalid' && (invalid += 1) > 10) {
          t.equal(got.status, 429, `${what} failed too often`);
        } else t.equal(got.status, want, what);
      }
    }
  }
});

t.test('a HEAD request needs the right of its GET route', async (t) => {
  const { ask } = await openTestDoor(t, { routes: one });
  t.equal((await ask({ method: 'HEAD', path: '/test/health' })).status, 200);
  t.equal((await ask({ method: 'HEAD', path: '/test/read' })).status, 401);
});

t.test('a path that does not exist tells an anonymous caller over TLS nothing', async (t) => {
  const { ask } = await openTestDoor(t, {});
  t.equal((await ask({ listener: 'tls', path: '/nothing' })).status, 401);
  t.equal((await ask({ listener: 'loopback', path: '/nothing' })).status, 404);
});

t.test('a route without a right is refused when it is mounted', async (t) => {
  const { right: _, ...without } = echo({ method: 'GET', path: '/open', right: 'read' });
  await t.rejects(openTestDoor(t, { routes: [without as Route] }), /GET \/open names no right/);
});

t.test('a 401 says how to log in, and offers Basic only for reading', async (t) => {
  const { ask } = await openTestDoor(t, { routes: one });
  const read = await ask({ path: '/test/read' });
  t.equal(read.headers['www-authenticate'], 'Bearer realm="jdos", Basic realm="jdos", charset="UTF-8"');
  const write = await ask({ method: 'POST', path: '/test/operate', token: 'jdos_wrong' });
  t.equal(write.headers['www-authenticate'], 'Bearer realm="jdos", error="invalid_token"');
  t.equal(problemOf(write)['code'], 'JD_UNAUTHENTICATED');
});

t.test('the eleventh failed login within a minute is told to wait, a good token is not', async (t) => {
  let now = Date.now();
  const { ask, door } = await openTestDoor(t, { routes: one, now: () => now });
  const { token } = await door.tokens.create({ name: 'reader', role: 'viewer' });
  for (let n = 0; n < 10; n += 1) t.equal((await ask({ path: '/test/read', token: 'jdos_no' })).status, 401);
  const refused = await ask({ path: '/test/read', token: 'jdos_no' });
  t.equal(refused.status, 429);
  t.equal(refused.headers['retry-after'], '60');
  t.equal((await ask({ path: '/test/read', token })).status, 200);
  now += 60_000;
  t.equal((await ask({ path: '/test/read', token: 'jdos_no' })).status, 401, 'a minute later');
});

t.test('the handler is told who calls', async (t) => {
  const { ask, door } = await openTestDoor(t, { routes: one });
  const { token } = await door.tokens.create({ name: 'reader', role: 'viewer' });
  const caller = async (how: Partial<Ask>) =>
    (JSON.parse((await ask({ path: '/test/health', ...how })).text) as { caller: object }).caller;
  t.match(await caller({}), { name: 'anonymous', role: 'anonymous', from: /^127\.0\.0\.1:\d+$/ });
  t.match(await caller({ token }), { name: 'reader', role: 'viewer' });
  t.match(await caller({ listener: 'socket', token }), { name: 'unix', role: 'admin', from: 'unix' });
});
