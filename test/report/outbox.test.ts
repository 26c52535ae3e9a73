import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { simpleParser } from 'mailparser';
import t from 'tap';
import { openStateStore } from '../../src/drivers/sqlite/index.ts';
import { reportMigrations } from '../../src/report/migrations.ts';
import { GIVE_UP_MS, RETRY_MINUTES, nextAttempt } from '../../src/report/next-attempt.ts';
import { openOutbox, type OutboxOptions } from '../../src/report/outbox.ts';
import { claimDue } from '../../src/report/mail-store.ts';
import { MORNING } from './samples.ts';
import { openClock, openStore, sampleMessage, silent } from './setup.ts';
import { reply, startRawRelay, startRelay } from './relay.ts';

const SHORT = { connect: 2000, greeting: 2000, idle: 400, session: 5000 };
const NAME = { name: '2026-11-23-run' };

const options = (over: Partial<OutboxOptions> & Pick<OutboxOptions, 'store' | 'directory'>): OutboxOptions => ({
  smtp: undefined,
  log: silent,
  now: openClock().now,
  jitter: () => 0,
  timeouts: SHORT,
  ...over,
});

t.test('attempts spread over a day and then end', async (t) => {
  const at = (attempts: number, jitter = 0): unknown =>
    nextAttempt({ kind: 'deferred', attempts, createdAt: 0, now: 0, jitter });
  RETRY_MINUTES.forEach((minutes, i) => t.same(at(i + 1), { state: 'deferred', at: minutes * 60_000 }));
  t.same(at(99), { state: 'deferred', at: 3_600_000 });
  t.same(at(1, 0.5), { state: 'deferred', at: 63_000 });
  t.same(nextAttempt({ kind: 'failed', attempts: 1, createdAt: 0, now: 0, jitter: 0 }), {
    state: 'failed',
    why: 'refused',
  });
  t.same(nextAttempt({ kind: 'unreachable', attempts: 30, createdAt: 0, now: GIVE_UP_MS, jitter: 0 }), {
    state: 'failed',
    why: 'too old',
  });
});

t.test('a mail that is put off goes out later with the same Message-ID, once', async (t) => {
  const dir = t.testdir({});
  const clock = openClock();
  const { config, taken } = await startRelay(t, {
    onMessage: (_m, n) => (n < 3 ? reply(451, '4.3.0 later') : undefined),
  });
  const outbox = openOutbox(options({ store: await openStore(t, dir), directory: dir, smtp: config, now: clock.now }));
  const message = await sampleMessage();
  const { id } = await outbox.enqueue(message, NAME);
  await outbox.sendDue();
  t.match(await outbox.get(id), {
    state: 'deferred',
    attempts: 1,
    nextAt: MORNING + 60_000,
    lastCode: 451,
    lastReply: /later/,
  });
  await outbox.sendDue();
  t.match(await outbox.get(id), { attempts: 1 }, 'not before its time');
  clock.advance(1);
  await outbox.sendDue();
  t.match(await outbox.get(id), { state: 'deferred', attempts: 2, nextAt: MORNING + 6 * 60_000 });
  clock.advance(5);
  await outbox.sendDue();
  t.match(await outbox.get(id), { state: 'sent', attempts: 3, recipients: [{ state: 'sent', reply: /^250/ }] });
  clock.advance(60);
  await outbox.sendDue();
  t.equal(taken.length, 1);
  t.match((await simpleParser(taken[0]?.bytes ?? '')).messageId, message.messageId);
  t.match(outbox.health(), { state: 'available' });
});

t.test('one refused recipient does not keep the mail from the others, nor is it repeated', async (t) => {
  const dir = t.testdir({});
  const clock = openClock();
  let late = true;
  const { config, taken } = await startRelay(t, {
    onRcptTo: ({ address }, _session, done) =>
      done(
        address.startsWith('gone')
          ? reply(550, '5.1.1 unknown')
          : address.startsWith('grey') && late
            ? reply(450, 'greylisted')
            : null,
      ),
  });
  const outbox = openOutbox(options({ store: await openStore(t, dir), directory: dir, smtp: config, now: clock.now }));
  const { id } = await outbox.enqueue(await sampleMessage({ to: ['ops@x.test', 'gone@x.test', 'grey@x.test'] }), NAME);
  await outbox.sendDue();
  const first = await outbox.get(id);
  t.match(first, { state: 'deferred' });
  t.same(
    first?.recipients.map((r) => r.state),
    ['sent', 'failed', 'deferred'],
  );
  late = false;
  clock.advance(1);
  await outbox.sendDue();
  const second = await outbox.get(id);
  t.match(second, { state: 'failed' }, 'one will never have it');
  t.same(
    second?.recipients.map((r) => r.state),
    ['sent', 'failed', 'sent'],
  );
  t.same(
    taken.map((m) => m.to),
    [['ops@x.test'], ['grey@x.test']],
  );
});

t.test('a relay that goes silent after DATA, or drops the line in it, loses nothing', async (t) => {
  const dir = t.testdir({});
  const clock = openClock();
  const ids: string[] = [];
  let round = 0;
  let data = false;
  const config = await startRawRelay(t, (line, socket) => {
    if (line.startsWith('Message-ID: ')) ids.push(line.slice(12));
    if (data && round === 1 && line.startsWith('Subject')) return void ((data = false), socket.destroy());
    if (data && line === '.') {
      data = false;
      if (round > 1) socket.write('250 taken\r\n');
      return;
    }
    if (data) return;
    if (line === 'DATA') return void ((data = true), socket.write('354 go\r\n'));
    socket.write('250 ok\r\n');
  });
  const outbox = openOutbox(options({ store: await openStore(t, dir), directory: dir, smtp: config, now: clock.now }));
  const message = await sampleMessage();
  const { id } = await outbox.enqueue(message, NAME);
  for (round = 0; round < 3; round += 1) {
    await outbox.sendDue();
    t.match(await outbox.get(id), { state: round === 2 ? 'sent' : 'deferred', attempts: round + 1 });
    clock.advance(60);
  }
  t.ok(ids.length >= 2 && ids.every((seen) => seen === message.messageId), ids.join());
});

t.test('a mail is given up after a day, and a person can send it again', async (t) => {
  const dir = t.testdir({});
  const clock = openClock();
  let up = false;
  const { config, taken } = await startRelay(t, { onMessage: () => (up ? undefined : reply(452, 'full')) });
  const outbox = openOutbox(options({ store: await openStore(t, dir), directory: dir, smtp: config, now: clock.now }));
  const { id } = await outbox.enqueue(await sampleMessage(), NAME);
  for (let hour = 0; hour < 30; hour += 1) {
    await outbox.sendDue();
    clock.advance(61);
  }
  t.match(await outbox.get(id), { state: 'failed', lastReply: /given up after 24 h: 452/ });
  t.match(outbox.health(), { state: 'failing', remedy: /jdos mail test/ });
  up = true;
  t.match(await outbox.resend(id), { state: 'queued', attempts: 0 });
  await outbox.sendDue();
  t.match(await outbox.get(id), { state: 'sent' });
  t.equal(taken.length, 1);
  await outbox.resend(id);
  await outbox.sendDue();
  t.equal(taken.length, 2, 'one that everyone has goes to everyone again');
  await t.rejects(outbox.resend('nothing'), { code: 'JD_MAIL_NOT_FOUND' });
});

t.test('a mail of one key is stored once, and a waiting one can be cancelled', async (t) => {
  const dir = t.testdir({});
  const { config, taken } = await startRelay(t);
  const outbox = openOutbox(options({ store: await openStore(t, dir), directory: dir, smtp: config }));
  const first = await outbox.enqueue(await sampleMessage(), NAME);
  t.match(await outbox.enqueue(await sampleMessage({ subject: 'another' }), NAME), { id: first.id, duplicate: true });
  t.match(await outbox.cancel(first.id), { state: 'cancelled', recipients: [{ state: 'cancelled' }] });
  await outbox.sendDue();
  t.same(taken, []);
  t.equal((await outbox.list(10)).length, 1);
});

t.test('a crash while sending loses nothing: the next process takes the mail when the lease is over', async (t) => {
  const dir = t.testdir({});
  const clock = openClock();
  const { config, taken } = await startRelay(t);
  const message = await sampleMessage();
  const file = join(dir, 'state.db');
  const before = await openStateStore(file, [reportMigrations]);
  const { id } = await openOutbox(options({ store: before, directory: dir, smtp: config, now: clock.now })).enqueue(
    message,
    NAME,
  );
  t.match(await claimDue(before, 'the one that dies', clock.now(), clock.now() + 60_000), { id, state: 'sending' });
  await before[Symbol.asyncDispose]();
  const outbox = openOutbox(options({ store: await openStore(t, dir), directory: dir, smtp: config, now: clock.now }));
  await outbox.sendDue();
  t.same(taken, [], 'the lease still holds');
  await t.rejects(outbox.cancel(id), { code: 'JD_MAIL_BUSY' });
  clock.advance(1);
  await outbox.sendDue();
  t.match(await outbox.get(id), { state: 'sent', messageId: message.messageId });
  t.equal(taken.length, 1);
});

t.test('a stop in the middle of a session leaves the mail queued and the attempt uncounted', async (t) => {
  const dir = t.testdir({});
  const reached = Promise.withResolvers<void>();
  const config = await startRawRelay(t, (line, socket) =>
    line === 'DATA' ? reached.resolve() : socket.write('250 ok\r\n'),
  );
  const store = await openStore(t, dir);
  const outbox = openOutbox(
    options({ store, directory: dir, smtp: config, timeouts: { ...SHORT, idle: 60_000, session: 60_000 } }),
  );
  const { id } = await outbox.enqueue(await sampleMessage(), NAME);
  await outbox.start(new AbortController().signal);
  await reached.promise;
  await outbox.stop();
  t.match(await outbox.get(id), { state: 'queued', attempts: 0 });
});

t.test('once started the outbox sends by itself, one mail at a time', async (t) => {
  const dir = t.testdir({});
  let open = 0;
  let most = 0;
  const all = Promise.withResolvers<void>();
  const { config, taken } = await startRelay(t, {
    onConnect: (_session, done) => ((most = Math.max(most, (open += 1))), done()),
    onClose: () => void (open -= 1),
    onMessage: (_m, n) => (n === 3 ? (setImmediate(all.resolve), undefined) : undefined),
  });
  const outbox = openOutbox(options({ store: await openStore(t, dir), directory: dir, smtp: config }));
  await outbox.start(new AbortController().signal);
  for (const key of ['a', 'b', 'c']) await outbox.enqueue(await sampleMessage({ key }), NAME);
  await all.promise;
  await outbox.stop();
  t.equal(taken.length, 3);
  t.ok(most <= 2, 'at most one delivery, and one connection that is being closed');
});

t.test('without a relay the mail is a file that mail programs open', async (t) => {
  const dir = t.testdir({});
  const outbox = openOutbox(options({ store: await openStore(t, dir), directory: join(dir, 'reports') }));
  t.match(await outbox.enqueue(await sampleMessage({ to: [] }), NAME), { state: 'filed' });
  const [mail] = await outbox.list(10);
  t.match(mail, { state: 'filed', file: join(dir, 'reports', '2026-11-23-run.eml') });
  const parsed = await simpleParser(await readFile(mail?.file ?? ''));
  t.match(parsed.subject, /JDOS巡检邮件/);
  t.match(outbox.health(), { state: 'limited', remedy: /report\.smtp\.host/ });
});
