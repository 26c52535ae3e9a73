// Certificates: made, verified by others, renewed, or given.
import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdir, readFile, stat, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { promisify } from 'node:util';
import t from 'tap';
import { makeAuthority, makeServerCertificate, ownNames, renewalReason } from '../../src/http/certificates.ts';
import { loadTls, type TlsOptions } from '../../src/http/tls.ts';
import { openTestDoor, quiet, temporaryDirectory } from './door.ts';

const run = promisify(execFile);
const DAY = 86_400_000;
const NOW = Date.now();

const optionsIn = (dir: string, more: Partial<TlsOptions> = {}): TlsOptions => ({
  dir,
  files: undefined,
  hostname: 'hb1-h087',
  hosts: ['ops.example.com'],
  now: () => NOW,
  log: quiet(),
  ...more,
});

t.test('openssl trusts the certificate for every name of the host', async (t) => {
  const dir = await temporaryDirectory(t);
  await loadTls(optionsIn(dir));
  const ca = join(dir, 'ca.crt');
  const server = join(dir, 'server.crt');
  for (const name of ['hb1-h087', 'localhost', 'ops.example.com']) {
    const verify = ['verify', '-x509_strict', '-purpose', 'sslserver', '-verify_hostname', name, '-CAfile', ca, server];
    const { stdout } = await run('openssl', verify);
    t.match(stdout, /server\.crt: OK/, name);
  }
  for (const ip of ['127.0.0.1', '::1']) {
    const { stdout } = await run('openssl', ['verify', '-verify_ip', ip, '-CAfile', ca, server]);
    t.match(stdout, /OK/, ip);
  }
  const wrong = run('openssl', ['verify', '-verify_hostname', 'evil.com', '-CAfile', ca, server]);
  await t.rejects(wrong, /hostname mismatch/i);
  const { stdout: text } = await run('openssl', ['x509', '-in', ca, '-noout', '-text']);
  t.match(text, /CA:TRUE, pathlen:0/);
  t.match(text, /Certificate Sign, CRL Sign/);
});

t.test('keys are for their owner only', async (t) => {
  const dir = await temporaryDirectory(t);
  await loadTls(optionsIn(dir));
  const mode = async (file: string) => ((await stat(join(dir, file))).mode & 0o777).toString(8);
  t.same(await Promise.all(['ca.key', 'server.key', 'ca.crt', 'server.crt'].map(mode)), ['600', '600', '644', '644']);
});

t.test('the CA lives ten years, the server certificate 397 days', async (t) => {
  const ca = await makeAuthority('h', NOW);
  const server = await makeServerCertificate(ca, ['h'], NOW);
  const days = (pem: string) => Math.round((new X509Certificate(pem).validToDate.getTime() - NOW) / DAY);
  t.equal(days(ca.cert), 3650);
  t.equal(days(server.cert), 397);
  const late = await makeServerCertificate(ca, ['h'], NOW + 3600 * DAY);
  t.equal(new X509Certificate(late.cert).validTo, new X509Certificate(ca.cert).validTo, 'never longer than the CA');
});

t.test('a certificate is renewed when it must be, and only then', async (t) => {
  const ca = await makeAuthority('h', NOW);
  const other = await makeAuthority('h', NOW);
  const names = ['h', '10.0.0.1', '2001:db8::1'];
  const server = await makeServerCertificate(ca, names, NOW);
  const reason = (
    ...[pair, by = ca.cert, wanted = names, now = NOW]: [typeof server | undefined, string?, string[]?, number?]
  ) => renewalReason(pair, by, wanted, now);
  t.equal(reason(server), undefined);
  t.equal(reason(server, ca.cert, ['h']), undefined, 'a name too many');
  t.equal(reason(undefined), 'missing');
  t.equal(reason({ ...server, key: other.key }), 'broken');
  t.equal(reason({ ...server, cert: 'x' }), 'broken');
  t.equal(reason(server, other.cert), 'foreign');
  t.equal(reason(server, ca.cert, [...names, '10.0.0.2']), 'names');
  t.equal(reason(server, ca.cert, names, NOW + 366 * DAY), undefined);
  t.equal(reason(server, ca.cert, names, NOW + 368 * DAY), 'expiring');
});

t.test('the CA is kept over restarts and renewals', async (t) => {
  const dir = await temporaryDirectory(t);
  const first = await loadTls(optionsIn(dir));
  t.same(await loadTls(optionsIn(dir)), first, 'nothing changes without a reason');
  const later = await loadTls(optionsIn(dir, { now: () => NOW + 380 * DAY }));
  t.equal(later.ca, first.ca);
  t.not(later.cert, first.cert);
  await unlink(join(dir, 'ca.key'));
  t.equal(
    (await loadTls(optionsIn(dir, { now: () => NOW + 380 * DAY }))).cert,
    later.cert,
    'served on without the CA key',
  );
  const stuck = loadTls(optionsIn(dir, { hosts: ['new.example.com'] }));
  await t.rejects(stuck, { code: 'JD_TLS_AUTHORITY', message: /ca\.key is missing/ });
});

t.test('a crash between key and certificate heals at the next start', async (t) => {
  const dir = await temporaryDirectory(t);
  const first = await loadTls(optionsIn(dir));
  await writeFile(join(dir, 'server.key'), (await makeAuthority('x', NOW)).key);
  const healed = await loadTls(optionsIn(dir));
  t.not(healed.cert, first.cert);
  t.equal(healed.ca, first.ca);
});

t.test('given files are used, and refused by name when they are wrong', async (t) => {
  const dir = await temporaryDirectory(t);
  const ca = await makeAuthority('h', NOW);
  const server = await makeServerCertificate(ca, ['h'], NOW);
  const file = async (name: string, text: string) => {
    await writeFile(join(dir, name), text);
    return join(dir, name);
  };
  const files = {
    certFile: await file('a.crt', server.cert),
    keyFile: await file('a.key', server.key),
    caFile: await file('a.ca', ca.cert),
  };
  const load = (more: Partial<typeof files>, now = NOW) =>
    loadTls(optionsIn(dir, { files: { ...files, ...more }, now: () => now }));
  t.same(await load({}), { ...server, ca: ca.cert });
  await t.rejects(load({ certFile: '/nowhere.crt' }), { code: 'JD_TLS_FILE', message: '/nowhere.crt cannot be read' });
  await t.rejects(load({ certFile: files.keyFile }), { code: 'JD_TLS_FILE', message: /a\.key holds no certificate/ });
  await t.rejects(load({ keyFile: files.certFile }), {
    code: 'JD_TLS_FILE',
    message: /holds no unencrypted private key/,
  });
  await t.rejects(load({ keyFile: await file('b.key', ca.key) }), { code: 'JD_TLS_KEY_MISMATCH' });
  await t.rejects(load({}, NOW + 400 * DAY), { code: 'JD_TLS_EXPIRED' });
});

t.test('own names leave out link-local addresses', async (t) => {
  const address = (text: string, internal = false) => ({
    address: text,
    internal,
    netmask: '',
    mac: '',
    cidr: null,
    family: 'IPv4' as const,
  });
  const names = ownNames('H1', ['ops'], {
    lo: [address('127.0.0.1', true)],
    eth0: [address('10.0.0.1'), address('fe80::1'), address('169.254.1.1'), address('2001:db8::1')],
  });
  t.same(names, ['h1', 'localhost', '127.0.0.1', '::1', 'ops', '10.0.0.1', '2001:db8::1']);
});

t.test('the listener speaks TLS 1.2 and later, with the chain that clients trust', async (t) => {
  const { door, port, ask } = await openTestDoor(t);
  t.equal((await ask({ listener: 'tls', path: '/livez' })).status, 401, 'trusted by node:https');
  const handshake = (options: object) =>
    new Promise<string>((resolve) => {
      const socket = connect({
        port: port('tls'),
        host: '127.0.0.1',
        ca: door.authority(),
        servername: 'localhost',
        ...options,
      });
      socket.once('secureConnect', () => resolve(`${socket.getProtocol()} ${socket.authorized}`));
      socket.once('secureConnect', () => socket.destroy());
      socket.once('error', (error) => resolve(error.message));
    });
  t.equal(await handshake({}), 'TLSv1.3 true');
  t.equal(await handshake({ maxVersion: 'TLSv1.2' }), 'TLSv1.2 true');
  t.not(
    await handshake({ minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }),
    'TLSv1.1 true',
  );
  t.match(await handshake({ ca: [] }), /unable to verify|self.signed/);
});

t.test('a renewed certificate is served without a restart', async (t) => {
  let now = NOW;
  const { door, port, ask } = await openTestDoor(t, { now: () => now });
  const served = () =>
    new Promise<string>((resolve, reject) => {
      const socket = connect({ port: port('tls'), host: '127.0.0.1', ca: door.authority(), servername: 'localhost' });
      socket.once('error', reject);
      socket.once('secureConnect', () => {
        resolve(socket.getPeerCertificate().serialNumber);
        socket.end();
      });
    });
  const first = await served();
  const before = port('tls');
  await door.renewCertificate();
  t.equal(await served(), first, 'nothing is due');
  now = NOW + 380 * DAY;
  await door.renewCertificate();
  const renewed = new X509Certificate(await readFile(join(dirOf(door.addresses().socket), 'tls', 'server.crt')));
  t.not(renewed.serialNumber, first);
  t.equal(port('tls'), before);
  const answer = await ask({ listener: 'tls', path: '/livez' }).catch((error: { code: string }) => error.code);
  t.equal(answer, 'CERT_NOT_YET_VALID', 'the new one is served: it is made by the clock of the daemon');
});

const dirOf = (socket: string | undefined) => join((socket ?? '').replace('unix:', ''), '..');

t.test('wrong files take down the TLS listener only', async (t) => {
  const { door, ask } = await openTestDoor(t, {
    config: { tls: { certFile: '/no.crt', keyFile: '/no.key', caFile: '/no.ca' } },
  });
  t.equal((await ask({ path: '/livez' })).status, 200);
  t.equal(door.addresses().tls, undefined);
  t.match(door.health(), { state: 'failing', reason: /\/no\.(crt|key|ca) cannot be read/, remedy: /openssl/ });
});

t.test('a file of our own that cannot be read is named, not replaced', async (t) => {
  const dir = await temporaryDirectory(t);
  await loadTls(optionsIn(dir));
  await unlink(join(dir, 'server.key'));
  await mkdir(join(dir, 'server.key'));
  await t.rejects(loadTls(optionsIn(dir)), { code: 'JD_TLS_FILE', message: /server\.key cannot be read/ });
});
