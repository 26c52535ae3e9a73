// DNS rebinding and changes sent by other sites' pages.
import t from 'tap';
import { isCrossSite, isOurs } from '../../src/http/host-check.ts';
import { echo, openTestDoor, problemOf } from './door.ts';

t.test('a Host header must name this daemon', async (t) => {
  const names = ['hb1-h087', 'ops.example.com'];
  const cases: [host: string | undefined, ours: boolean][] = [
    [undefined, true],
    ['localhost', true],
    ['localhost:9618', true],
    ['LOCALHOST:9618', true],
    ['localhost.:9618', true],
    ['127.0.0.1:9618', true],
    ['[::1]:9618', true],
    ['10.1.2.3:9619', true],
    ['hb1-h087', true],
    ['ops.example.com:443', true],
    ['evil.example.com', false],
    ['10.1.2.4', false],
    ['localhost.evil.com', false],
    ['evil.com@localhost', false],
    ['localhost:9618:1', false],
    ['[localhost]', false],
    ['::1', false],
    ['', false],
    ['127.0.0.1:9618/x', false],
  ];
  for (const [host, ours] of cases)
    t.equal(isOurs({ host, localAddress: '::ffff:10.1.2.3', names }), ours, String(host));
});

t.test('a change of another site is told from one of our own page', async (t) => {
  const ask = (method: string, origin?: string, fetchSite?: string, host = 'localhost:9618') =>
    isCrossSite({ method, host, origin, fetchSite });
  t.equal(ask('POST'), false, 'curl');
  t.equal(ask('POST', 'http://localhost:9618', 'same-origin'), false);
  t.equal(ask('POST', 'https://jdos', undefined, 'jdos:443'), false, 'the port of the scheme');
  t.equal(ask('POST', 'http://localhost:8080'), true, 'another port is another site');
  t.equal(ask('POST', 'http://evil.com'), true);
  t.equal(ask('DELETE', 'null'), true);
  t.equal(ask('POST', undefined, 'cross-site'), true);
  t.equal(ask('GET', 'http://evil.com', 'cross-site'), false, 'reading is for the browser to forbid');
});

t.test('the server refuses both, except on the Unix socket', async (t) => {
  const routes = [echo({ method: 'POST', path: '/in', right: 'ingest', body: 'raw' })];
  const { ask } = await openTestDoor(t, { routes, config: { hosts: ['Ops.Example.com'] } });
  const rebound = await ask({ path: '/livez', headers: { host: 'evil.com' } });
  t.equal(rebound.status, 421);
  t.equal(problemOf(rebound)['code'], 'JD_MISDIRECTED');
  t.equal((await ask({ path: '/livez', headers: { host: 'ops.example.com' } })).status, 200);
  t.equal((await ask({ path: '/livez', headers: { host: 'test-host' } })).status, 200);
  t.equal((await ask({ path: '/livez', listener: 'socket', headers: { host: 'anything' } })).status, 200);
  const foreign = await ask({ method: 'POST', path: '/in', headers: { origin: 'http://evil.com' } });
  t.equal(foreign.status, 403);
  t.equal(problemOf(foreign)['code'], 'JD_CROSS_SITE');
});
