import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { makeAuthority, makeServerCertificate } from '../../src/http/certificates.ts';
import { SmtpConfig } from '../../src/report/config.ts';
import { listenIn } from '../../src/report/dialogue.ts';
import { mailTest } from '../../src/report/mail-test.ts';
import { deliver, portOf } from '../../src/report/smtp.ts';
import { MORNING } from './samples.ts';
import { sampleMessage } from './setup.ts';
import { reply, startRawRelay, startRelay } from './relay.ts';

const never = new AbortController().signal;
const SHORT = { connect: 2000, greeting: 2000, idle: 400, session: 5000 };
const envelope = { from: 'jdosinspector@example.com', to: ['a@example.com', 'b@example.com'] };
const bytes = async (): Promise<Buffer> => (await sampleMessage()).bytes;
const authority = await makeAuthority('relay authority', Date.now());
const pair = await makeServerCertificate(authority, ['relay.test'], Date.now());

t.test('a message that is taken is sent to everyone, byte for byte', async (t) => {
  const { config, taken } = await startRelay(t);
  const message = await bytes();
  const outcome = await deliver(config, envelope, message, never);
  t.match(outcome, { kind: 'sent', code: 250, tls: undefined, setting: undefined });
  t.same(
    outcome.recipients.map((r) => [r.address, r.kind]),
    [
      ['a@example.com', 'sent'],
      ['b@example.com', 'sent'],
    ],
  );
  t.same(
    taken.map(({ from, to }) => ({ from, to })),
    [envelope],
  );
  t.equal(taken[0]?.bytes.toString().trimEnd(), message.toString().trimEnd());
  t.match(outcome.dialogue.join('\n'), /> MAIL FROM:<jdosinspector@example.com>[\s\S]+> DATA\n[\s\S]*< 354/);
});

t.test('4xx is later, 5xx is never, and each recipient has an answer', async (t) => {
  const later = await startRelay(t, { onMessage: () => reply(451, '4.7.1 greylisted, come back') });
  t.match(await deliver(later.config, envelope, await bytes(), never), {
    kind: 'deferred',
    code: 451,
    reply: /greylisted/,
  });
  const refused = await startRelay(t, { onMessage: () => reply(554, '5.7.1 spam') });
  t.match(await deliver(refused.config, envelope, await bytes(), never), { kind: 'failed', code: 554 });
  const one = await startRelay(t, {
    onRcptTo: ({ address }, _session, done) =>
      done(address === 'b@example.com' ? reply(550, '5.1.1 no such user') : null),
  });
  const outcome = await deliver(one.config, envelope, await bytes(), never);
  t.match(outcome, { kind: 'failed', setting: 'report.to' });
  t.match(outcome.recipients, [{ kind: 'sent' }, { kind: 'failed', code: 550, reply: /no such user/ }]);
  const mixed = await startRelay(t, {
    onRcptTo: ({ address }, _session, done) => done(reply(address === 'b@example.com' ? 550 : 450, 'no')),
  });
  t.match((await deliver(mixed.config, envelope, await bytes(), never)).recipients, [
    { kind: 'deferred' },
    { kind: 'failed' },
  ]);
  const sender = await startRelay(t, { onMailFrom: (_address, _session, done) => done(reply(553, 'not your domain')) });
  t.match(await deliver(sender.config, envelope, await bytes(), never), { kind: 'failed', setting: 'report.from' });
});

t.test('a connection that hangs or breaks is not an answer', async (t) => {
  const speak = (end: (socket: import('node:net').Socket) => void) => {
    let data = false;
    return (line: string, socket: import('node:net').Socket): void => {
      if (data) {
        if (line === '.') end(socket);
      } else if (line === 'DATA') {
        data = true;
        socket.write('354 go\r\n');
      } else socket.write('250 ok\r\n');
    };
  };
  const hangs = await startRawRelay(
    t,
    speak(() => undefined),
  );
  t.match(await deliver(hangs, envelope, await bytes(), never, SHORT), {
    kind: 'unreachable',
    code: undefined,
    reply: /timeout/i,
  });
  let inData = false;
  const drops = await startRawRelay(t, (line, socket) => {
    if (inData) return void (line.startsWith('Content') && socket.destroy());
    inData = line === 'DATA';
    socket.write(inData ? '354 go\r\n' : '250 ok\r\n');
  });
  t.match(await deliver(drops, envelope, await bytes(), never, SHORT), { kind: 'unreachable' });
  t.match(await deliver({ ...drops, port: 1 }, envelope, await bytes(), never, SHORT), {
    kind: 'unreachable',
    setting: 'report.smtp.port',
  });
  const stopping = new AbortController();
  const mute = await startRawRelay(t, () => stopping.abort());
  t.match(
    await deliver(mute, envelope, await bytes(), stopping.signal),
    { kind: 'unreachable' },
    'a stop ends the session at once',
  );
});

t.test('TLS: used when offered, demanded when asked for, checked when it matters', async (t) => {
  const dir = t.testdir({});
  await writeFile(join(dir, 'ca.pem'), authority.cert);
  const relay = await startRelay(t, pair);
  const offered = await deliver(relay.config, envelope, await bytes(), never);
  t.match(offered, { kind: 'sent', tls: { version: /TLS/, verified: false } }, 'opportunistic');
  const strict = await deliver({ ...relay.config, secure: 'require' }, envelope, await bytes(), never);
  t.match(strict, { kind: 'unreachable', setting: 'report.smtp.ca', reply: /certificate/i });
  const known = { ...relay.config, secure: 'require' as const, ca: join(dir, 'ca.pem'), servername: 'relay.test' };
  t.match(await deliver(known, envelope, await bytes(), never), { kind: 'sent', tls: { verified: true } });
  t.match(await deliver({ ...relay.config, secure: 'none' }, envelope, await bytes(), never), {
    kind: 'sent',
    tls: undefined,
  });
  const gone = await deliver({ ...known, ca: join(dir, 'nowhere.pem') }, envelope, await bytes(), never);
  t.match(gone, { kind: 'unreachable', setting: 'report.smtp.ca' });
  const plain = await startRelay(t);
  t.match(await deliver({ ...plain.config, secure: 'require' }, envelope, await bytes(), never), {
    kind: 'unreachable',
    setting: 'report.smtp.secure',
  });
  const implicit = await startRelay(
    t,
    { ...pair, secure: true },
    { secure: 'implicit', ca: join(dir, 'ca.pem'), servername: 'relay.test' },
  );
  t.match(await deliver(implicit.config, envelope, await bytes(), never), { kind: 'sent', tls: { verified: true } });
  const demands = await startRawRelay(t, (line, socket) =>
    socket.write(line.startsWith('MAIL') ? '530 5.7.0 Must issue STARTTLS first\r\n' : '250 ok\r\n'),
  );
  t.match(await deliver({ ...demands, secure: 'none' }, envelope, await bytes(), never), {
    kind: 'unreachable',
    code: 530,
    setting: 'report.smtp.secure',
  });
});

t.test('a login that is refused is retried and names the key, and the password is never shown', async (t) => {
  const dir = t.testdir({ right: 'kennwort-7\n', wrong: 'falsch-9\n' });
  const login: Parameters<typeof startRelay>[1] = {
    authOptional: false,
    allowInsecureAuth: true,
    onAuth: ({ username, password }, _session, done) =>
      username === 'jdos' && password === 'kennwort-7'
        ? done(null, { user: 'jdos' })
        : done(reply(535, '5.7.8 bad credentials')),
  };
  for (const authMethods of [['PLAIN'], ['LOGIN'], ['CRAM-MD5']]) {
    const relay = await startRelay(t, {
      ...login,
      authMethods,
      onAuth: (auth, session, done) =>
        auth.method === 'CRAM-MD5'
          ? done(null, { user: 'jdos' })
          : login.onAuth?.call({} as never, auth, session, done),
    });
    const config = { ...relay.config, user: 'jdos', passwordFile: join(dir, 'right') };
    const outcome = await deliver(config, envelope, await bytes(), never);
    t.match(outcome, { kind: 'sent' }, authMethods.join());
    const shown = outcome.dialogue.join('\n');
    t.match(shown, /\*\*\*/);
    t.notMatch(shown, 'kennwort-7');
    t.notMatch(shown, Buffer.from('kennwort-7').toString('base64').slice(0, 12));
    t.notMatch(shown, /secret/);
    if (authMethods[0] === 'CRAM-MD5') continue;
    t.match(await deliver({ ...config, passwordFile: join(dir, 'wrong') }, envelope, await bytes(), never), {
      kind: 'unreachable',
      code: 535,
      setting: 'report.smtp.passwordFile',
    });
    t.match(await deliver({ ...config, passwordFile: join(dir, 'nothing') }, envelope, await bytes(), never), {
      kind: 'unreachable',
      setting: 'report.smtp.passwordFile',
    });
  }
  const open = await startRelay(t, { disabledCommands: ['AUTH', 'STARTTLS'] });
  t.match(
    await deliver({ ...open.config, user: 'jdos', passwordFile: join(dir, 'right') }, envelope, await bytes(), never),
    {
      kind: 'unreachable',
      setting: 'report.smtp.user',
    },
  );
});

t.test('the dialogue is bounded and one line per line', async (t) => {
  const lines: string[] = [];
  const log = listenIn(lines);
  for (let i = 0; i < 500; i += 1) log.debug({ tnx: 'server' }, `250-a\r\n250 ${'x'.repeat(2000)}\u001b`);
  t.equal(lines.length, 200);
  for (const line of lines) t.ok(line.length <= 500);
  t.notMatch(lines.join(''), /\u001b/);
});

t.test('the port follows from the kind of session', async (t) => {
  const port = (over: object): number => portOf(SmtpConfig.parse({ host: 'relay', ...over }));
  t.equal(port({}), 25);
  t.equal(port({ user: 'x' }), 587);
  t.equal(port({ secure: 'implicit' }), 465);
  t.equal(port({ port: 2525 }), 2525);
});

t.test('the mail test shows relay, dialogue and Message-ID, and the key to change', async (t) => {
  const { config, taken } = await startRelay(t);
  const options = {
    smtp: config,
    from: 'jdosinspector@example.com',
    host: 'h1',
    to: ['a@example.com'],
    now: new Date(MORNING),
    signal: never,
  };
  const good = await mailTest(options);
  t.match(good, {
    ok: true,
    kind: 'sent',
    relay: `127.0.0.1:${config.port}`,
    messageId: /^<insp\.h1\.20261123\./,
    reply: /^250/,
  });
  t.match(taken[0]?.bytes.toString(), good.messageId);
  const bad = await mailTest({ ...options, smtp: { ...config, host: 'relay.invalid' } });
  t.match(bad, { ok: false, kind: 'unreachable', setting: 'report.smtp.host' });
});
