// The way of a report from a whole daemon to a mailbox, through a real relay and past one that is down.
import { once } from 'node:events';
import { simpleParser } from 'mailparser';
import t from 'tap';
import { startRelay } from '../report/relay.ts';
import { eventually, type RunningDaemon, startDaemon } from '../support/daemon.ts';
import { freePort } from '../support/free-port.ts';
import { needs, needsRoot } from '../support/needs.ts';
import { startOpenSmtpd } from '../support/opensmtpd.ts';

const reportVia = (port: number): string =>
  JSON.stringify({
    report: {
      locale: 'zh-CN',
      timezone: 'Asia/Shanghai',
      from: 'jdosinspector@example.com',
      to: ['ops@example.test'],
      smtp: { host: '127.0.0.1', port },
    },
  });

interface Mail {
  readonly state: string;
  readonly attempts: number;
  readonly messageId: string;
}

const outbox = async (daemon: RunningDaemon): Promise<readonly Mail[]> =>
  ((await daemon.get('/jdos/v1/mail')) as { items: Mail[] }).items;

const allSent = (daemon: RunningDaemon, count: number): Promise<readonly Mail[]> =>
  eventually(
    `${count} mails sent`,
    async () => {
      const mails = await outbox(daemon);
      return mails.length === count && mails.every(({ state }) => state === 'sent') ? mails : undefined;
    },
    90_000,
  );

t.test(
  'an inspection with --mail is one mail in the mailbox behind a real relay: text, HTML and three attachments',
  { skip: needs('opensmtpd') || needsRoot() },
  async (t) => {
    const relay = await startOpenSmtpd();
    t.teardown(() => relay.stop());
    const daemon = startDaemon(t, { config: reportVia(relay.port) });
    await daemon.until(/first report/);
    await allSent(daemon, 1);
    const [first] = await relay.delivered('ops', 1);

    const inspected = await daemon.cli('inspect', '--now', '--mail', '--json');
    t.equal(inspected.code, 0, inspected.err);
    const run = JSON.parse(inspected.out) as { id: string; host: string };
    await allSent(daemon, 2);
    const delivered = await relay.delivered('ops', 2);
    t.equal(delivered.length, 2, 'the first report, and this one once');
    const bytes = delivered.find((mail) => !mail.equals(first ?? Buffer.alloc(0))) ?? Buffer.alloc(0);

    const mail = await simpleParser(bytes);
    t.match(mail.headers.get('content-type'), { value: 'multipart/mixed' });
    t.match(bytes.toString('latin1'), /^Content-Type: multipart\/alternative;/m);
    t.match(mail.subject, / JDOS巡检邮件 \d\d-\d\d \d+分/);
    t.match(mail.from?.text, /jdosinspector@example\.com/);
    t.match(mail.text, /覆盖 [\d.]+ ?%/);
    t.match(mail.html || '', /^<!doctype html>\n<html lang="zh-CN"/);
    t.same(
      mail.attachments.map(({ filename, contentType }) => [filename, contentType]),
      [
        ['report.html', 'text/html'],
        ['findings.csv', 'text/csv'],
        ['report.json', 'application/json'],
      ],
    );
    const [html, csv, json] = mail.attachments.map(({ content }) => content);
    t.match(html?.toString(), /^<!doctype html>\n<html lang="zh-CN"/);
    t.equal(csv?.subarray(0, 3).toString('hex'), 'efbbbf', 'Excel shows Chinese');
    t.match(csv?.toString(), /^\ufeff\S+,/);
    t.match(JSON.parse(json?.toString() ?? ''), { run: { id: run.id, host: run.host } });

    await t.test('and the mail test shows the dialogue with the relay', async (t) => {
      const { code, out, err } = await daemon.cli('mail', 'test', 'ops@example.com');
      t.equal(code, 0, err);
      t.match(out, /220 .*OpenSMTPD[^]*EHLO[^]*RCPT TO:<ops@example\.com>[^]*250 /);
      t.match(out, /^encrypted +no$/m);
      t.match(out, /^answer +250 .*accepted for delivery$/m);
      t.match(out, /\nsent\n$/);
      const messageId = /^message +(<.+>)$/m.exec(out)?.[1];
      const ids = (await Promise.all((await relay.delivered('ops', 3)).map((each) => simpleParser(each)))).map(
        (each) => each.messageId,
      );
      t.ok(ids.includes(messageId), 'it arrived under the Message-ID that was shown');
    });
  },
);

t.test(
  'a mail that waits for a relay survives kill -9 of the daemon and is delivered once when it is back',
  async (t) => {
    const port = await freePort();
    const config = reportVia(port);
    const killed = startDaemon(t, { config });
    await killed.until(/first report/);
    const [waiting] = await eventually('a first attempt', async () => {
      const mails = await outbox(killed);
      return mails[0]?.state === 'deferred' ? mails : undefined;
    });
    t.match((await killed.cli('status')).out, /report +failing +.*ECONNREFUSED/);
    for (const pid of Object.values(await killed.pids())) process.kill(pid, 'SIGKILL');
    if (killed.child.signalCode === null) await once(killed.child, 'exit');

    const relay = await startRelay(t, { port });
    const again = startDaemon(t, { config, dataDir: killed.dataDir });
    await again.until(/inspection of/);
    const [sent] = await allSent(again, 1);
    t.equal(sent?.messageId, waiting?.messageId);
    t.equal(relay.taken.length, 1);
    t.same(relay.taken[0]?.to, ['ops@example.test']);
    t.equal((await simpleParser(relay.taken[0]?.bytes ?? '')).messageId, waiting?.messageId);
  },
);
