// Who changed what, or was refused: on disk before the answer is sent.
import t from 'tap';
import type { StateStore } from '../../src/drivers/sqlite/index.ts';
import { openAudit, type AuditEntry } from '../../src/http/audit.ts';
import { echo, openTestDoor, problemOf, quiet, temporaryDirectory, testStore } from './door.ts';

const routes = [
  echo({ method: 'GET', path: '/read', right: 'read' }),
  echo({ method: 'POST', path: '/change', right: 'operate' }),
  echo({ method: 'POST', path: '/ingest', right: 'ingest', audited: false, body: 'raw' }),
];

interface Row {
  id: number;
  [key: string]: unknown;
}

t.test('changes and refused credentials are recorded, reading and ingest are not', async (t) => {
  const { ask, door, store } = await openTestDoor(t, { routes, now: () => 1_000 });
  const viewer = (await door.tokens.create({ name: 'eve', role: 'viewer' })).token;
  const operator = (await door.tokens.create({ name: 'bob', role: 'operator' })).token;
  const count = async () => (await store.all('SELECT id FROM audit')).length;
  await ask({ path: '/read', token: viewer });
  await ask({ path: '/read' });
  await ask({ method: 'POST', path: '/ingest' });
  await ask({ method: 'POST', path: '/change' });
  t.equal(await count(), 0, 'reading, anonymous refusals and ingest leave no row');

  const changed = await ask({ method: 'POST', path: '/change?password=geheim', token: operator });
  t.equal(await count(), 1, 'on disk when the answer is there');
  await ask({ method: 'POST', path: '/change', token: viewer });
  await ask({ path: '/read', token: 'jdos_wrong' });
  await ask({ method: 'POST', path: '/change', listener: 'socket' });

  const answer = await ask({ path: '/jdos/v1/audit?limit=10', listener: 'socket' });
  const { items } = JSON.parse(answer.text) as { items: Row[] };
  t.match(items, [
    {
      name: 'unix',
      role: 'admin',
      from: 'unix',
      listener: 'socket',
      method: 'POST',
      path: '/change',
      right: 'operate',
      status: 200,
    },
    {
      name: 'unknown',
      role: 'anonymous',
      listener: 'loopback',
      method: 'GET',
      path: '/read',
      right: 'read',
      status: 401,
    },
    { name: 'eve', role: 'viewer', method: 'POST', path: '/change', status: 403 },
    { name: 'bob', role: 'operator', from: /^127\.0\.0\.1:\d+$/, at: 1000, status: 200 },
  ]);
  t.equal(items.length, 4);
  t.equal(items[3]?.['request'], changed.headers['x-request-id']);
  t.notMatch(answer.text, /geheim/);
});

t.test('the audit is read page by page', async (t) => {
  const { ask } = await openTestDoor(t, { routes });
  for (let n = 0; n < 5; n += 1) await ask({ method: 'POST', path: '/change', listener: 'socket' });
  const page = async (query: string) =>
    JSON.parse((await ask({ path: `/jdos/v1/audit?${query}`, listener: 'socket' })).text) as {
      items: Row[];
      next?: string;
    };
  const first = await page('limit=3');
  t.same(
    first.items.map(({ id }) => id),
    [5, 4, 3],
  );
  const second = await page(`limit=3&cursor=${first.next}`);
  t.same(
    second.items.map(({ id }) => id),
    [2, 1],
  );
  t.equal(second.next, undefined);
});

t.test('while the audit cannot be written, no further change is made', async (t) => {
  let broken = false;
  const real = await testStore(t, await temporaryDirectory(t));
  const store: StateStore = {
    ...real,
    write: (...all) => (broken ? Promise.reject(new Error('disk full')) : real.write(...all)),
  };
  let changes = 0;
  const change = echo({
    method: 'POST',
    path: '/change',
    right: 'operate',
    handler: () => ({ body: { n: (changes += 1) } }),
  });
  const { ask, door, logged } = await openTestDoor(t, { routes: [change], store });
  const post = () => ask({ method: 'POST', path: '/change', listener: 'socket' });
  broken = true;
  t.equal((await post()).status, 200, 'the change that was made is answered truthfully');
  const refused = await post();
  t.equal(refused.status, 503);
  t.equal(problemOf(refused)['code'], 'JD_AUDIT_UNAVAILABLE');
  t.equal(changes, 1);
  t.match(door.health(), { state: 'failing', reason: /disk full/ });
  t.equal(
    logged.filter(({ msg }) => msg === 'the audit cannot be written, changes are refused').length,
    1,
    'said once',
  );
  broken = false;
  t.equal((await post()).status, 200);
  t.equal(door.health().state, 'available');
  t.same(
    (await real.all('SELECT status FROM audit ORDER BY id')).map((row) => row['status']),
    [200, 503, 200],
    'nothing is lost',
  );
});

t.test('old rows go after 90 days', async (t) => {
  const store = await testStore(t, await temporaryDirectory(t));
  const entry = (at: number): AuditEntry => ({
    at,
    request: 'r',
    caller: { name: 'a', role: 'admin', from: 'unix' },
    listener: 'socket',
    method: 'POST',
    path: '/',
    right: 'admin',
    status: 200,
  });
  await openAudit(store, quiet()).record(entry(1000));
  await openAudit(store, quiet()).record(entry(1000 + 91 * 86_400_000));
  t.equal((await store.all('SELECT * FROM audit')).length, 1);
});

t.test('many entries at once are written in few transactions', async (t) => {
  let writes = 0;
  const real = await testStore(t, await temporaryDirectory(t));
  const audit = openAudit({ ...real, write: (...all) => ((writes += 1), real.write(...all)) }, quiet());
  const caller = { name: 'a', role: 'admin', from: 'unix' } as const;
  const entry: AuditEntry = {
    at: 1,
    request: 'r',
    caller,
    listener: 'socket',
    method: 'POST',
    path: '/',
    right: 'admin',
    status: 200,
  };
  await Promise.all(Array.from({ length: 500 }, () => audit.record(entry)));
  t.equal((await real.all('SELECT id FROM audit')).length, 500);
  t.ok(writes <= 3, `${writes} transactions`);
});
