// The life of a token, in the book and over HTTP.
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import type { StateStore } from '../../src/drivers/sqlite/index.ts';
import { hashToken, newToken, openTokens } from '../../src/http/tokens.ts';
import { openTestDoor, problemOf, quiet, temporaryDirectory, testStore } from './door.ts';

t.test('a token is 24 random characters of 62', async (t) => {
  const many = Array.from({ length: 2000 }, newToken);
  for (const token of many) if (!/^jdos_[0-9A-Za-z]{24}$/.test(token)) t.fail(token);
  t.equal(new Set(many).size, many.length);
  t.equal(new Set(many.join('').replaceAll('jdos_', '')).size, 62, 'every character occurs');
});

t.test('a token is known until it is revoked or expires, also after a restart', async (t) => {
  let now = 1000;
  const store = await testStore(t, await temporaryDirectory(t));
  const open = () => openTokens(store, () => now, quiet());
  const book = open();
  const { token, record } = await book.create({ name: 'ci', role: 'operator', expiresAt: 5000 });
  t.same(await book.verify(token), { name: 'ci', role: 'operator' });
  t.same(await open().verify(token), { name: 'ci', role: 'operator' }, 'read from disk');
  t.same(await book.verify(`${token}x`), { rejected: 'unknown' });
  t.same(await book.verify('x'.repeat(100_000)), { rejected: 'unknown' });
  now = 5000;
  t.same(await book.verify(token), { rejected: 'expired' });
  await book.revoke(record.id);
  t.same(await book.verify(token), { rejected: 'unknown' });
  t.same(await open().verify(token), { rejected: 'unknown' });
  await t.rejects(book.revoke(record.id), { code: 'JD_TOKEN_UNKNOWN' });
});

t.test('no part of a token reaches the disk', async (t) => {
  const dir = await temporaryDirectory(t);
  const book = openTokens(await testStore(t, dir), () => 1, quiet());
  const { token } = await book.create({ name: 'ci', role: 'viewer' });
  for (const file of await readdir(dir)) {
    const bytes = await readFile(join(dir, file), 'latin1');
    t.notOk(bytes.includes(token.slice(5)), file);
  }
  t.notMatch(JSON.stringify(await book.list()), new RegExp(hashToken(token)));
});

t.test('a name is given once', async (t) => {
  const book = openTokens(await testStore(t, await temporaryDirectory(t)), () => 1, quiet());
  await book.create({ name: 'ci', role: 'viewer' });
  await t.rejects(book.create({ name: 'ci', role: 'admin' }), { code: 'JD_TOKEN_EXISTS' });
});

t.test('the boot token is made once, replaced when it changes, and cannot be revoked', async (t) => {
  const book = openTokens(await testStore(t, await temporaryDirectory(t)), () => 1, quiet());
  const [first, second] = [newToken(), newToken()];
  await book.ensureAdminToken(hashToken(first));
  await book.ensureAdminToken(hashToken(first));
  t.match(await book.list(), [{ name: 'admin', role: 'admin' }]);
  t.same(await book.verify(first), { name: 'admin', role: 'admin' });
  await book.ensureAdminToken(hashToken(second));
  t.same(await book.verify(first), { rejected: 'unknown' });
  t.same(await book.verify(second), { name: 'admin', role: 'admin' });
  await t.rejects(book.revoke('admin'), { code: 'JD_TOKEN_PROTECTED' });
  await t.rejects(book.ensureAdminToken(first), TypeError, 'a token is not a hash');
});

t.test('the last use is on disk at most once a minute', async (t) => {
  let now = 1_000_000;
  let writes = 0;
  const real = await testStore(t, await temporaryDirectory(t));
  const store: StateStore = { ...real, write: (...all) => ((writes += 1), real.write(...all)) };
  const book = openTokens(store, () => now, quiet());
  const { token } = await book.create({ name: 'ci', role: 'viewer' });
  writes = 0;
  for (let n = 0; n < 60; n += 1) {
    await book.verify(token);
    now += 1000;
  }
  t.equal(writes, 1);
  await book.verify(token);
  t.equal(writes, 2);
  t.match(await book.list(), [{ lastUsedAt: 1_060_000 }]);
});

t.test('while the tokens cannot be read, health answers and the socket works', async (t) => {
  let broken = true;
  const real = await testStore(t, await temporaryDirectory(t));
  const store: StateStore = {
    ...real,
    all: (...query) => (broken ? Promise.reject(new Error('disk I/O error')) : real.all(...query)),
  };
  const { ask } = await openTestDoor(t, { store });
  t.equal((await ask({ path: '/livez' })).status, 200);
  t.equal((await ask({ path: '/jdos/v1/status', listener: 'socket' })).status, 200);
  const refused = await ask({ path: '/jdos/v1/status', token: newToken() });
  t.equal(refused.status, 503);
  t.equal(problemOf(refused)['code'], 'JD_TOKENS_UNAVAILABLE');
  t.notMatch(refused.text, /disk I\/O/);
  broken = false;
  t.equal((await ask({ path: '/jdos/v1/status', token: newToken() })).status, 401, 'tried again');
});

t.test('tokens are made, listed and revoked over HTTP', async (t) => {
  const { ask, door } = await openTestDoor(t, { now: () => 1_000_000 });
  const admin = newToken();
  await door.tokens.ensureAdminToken(hashToken(admin));
  const post = (body: object) =>
    ask({
      method: 'POST',
      path: '/jdos/v1/tokens',
      token: admin,
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    });
  const made = await post({ name: 'grafana', role: 'viewer', expiresInSeconds: 3600 });
  t.equal(made.status, 201);
  const { token, ...record } = JSON.parse(made.text) as { token: string; id: string };
  t.match(record, { name: 'grafana', role: 'viewer', createdAt: 1_000_000, expiresAt: 4_600_000 });
  t.equal((await ask({ path: '/jdos/v1/status', token })).status, 200);
  const listed = JSON.parse((await ask({ path: '/jdos/v1/tokens', token: admin })).text) as { items: object[] };
  t.match(listed.items.map((item) => (item as { name: string }).name).sort(), ['admin', 'grafana']);
  t.equal((await post({ name: 'grafana', role: 'viewer' })).status, 409);
  const wrong = await post({ name: 'Bad Name', role: 'root', expires: 1 });
  t.match(problemOf(wrong), { errors: [{ path: 'body.name' }, { path: 'body.role' }, { path: 'body.expires' }] });
  t.equal((await post({ name: 'anonymous', role: 'viewer' })).status, 400, 'a name of the audit');
  t.equal((await ask({ method: 'DELETE', path: '/jdos/v1/tokens/grafana', token: admin })).status, 204);
  t.equal((await ask({ path: '/jdos/v1/status', token })).status, 401);
});
