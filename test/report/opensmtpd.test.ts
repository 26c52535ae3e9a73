// A report and the mail test against a real OpenSMTPD.
import { simpleParser } from 'mailparser';
import t from 'tap';
import { SmtpConfig } from '../../src/report/config.ts';
import { mailTest } from '../../src/report/mail-test.ts';
import { openOutbox } from '../../src/report/outbox.ts';
import { renderReport } from '../../src/report/render.ts';
import { buildMessage } from '../../src/report/message.ts';
import { loadTemplates } from '../../src/report/templates.ts';
import { needs, needsRoot } from '../support/needs.ts';
import { startOpenSmtpd } from '../support/opensmtpd.ts';
import { MORNING, SAMPLES, ZONE } from './samples.ts';
import { TEMPLATES, openStore, silent } from './setup.ts';

const skip = needs('opensmtpd') || needsRoot();

t.test('a report goes through OpenSMTPD into a maildir and reads there as it was written', { skip }, async (t) => {
  const server = await startOpenSmtpd();
  t.teardown(() => server.stop());
  const smtp = SmtpConfig.parse({ host: '127.0.0.1', port: server.port });
  const templates = await loadTemplates(TEMPLATES);
  const rendering = renderReport(SAMPLES.bad, templates['zh-CN'], { locale: 'zh-CN', timeZone: ZONE });
  const message = await buildMessage({
    dedupeKey: 'daily|hb1-h031|2026-11-23',
    host: 'hb1-h031',
    day: '2026-11-23',
    date: new Date(MORNING),
    from: 'jdosinspector@example.com',
    to: ['ops@example.test', 'second@example.test'],
    ...rendering,
    attachments: [{ filename: 'findings.csv', content: rendering.csv, contentType: 'text/csv; charset=utf-8' }],
  });
  const dir = t.testdir({});
  const outbox = openOutbox({ store: await openStore(t, dir), smtp, directory: dir, log: silent, now: Date.now });
  const { id } = await outbox.enqueue(message, { name: 'report' });
  await outbox.sendDue();
  t.match(await outbox.get(id), { state: 'sent', lastReply: /^250 2\.0\.0/ });

  for (const name of ['ops', 'second']) {
    const [bytes] = await server.delivered(name, 1);
    const mail = await simpleParser(bytes ?? '');
    t.equal(mail.subject, rendering.subject);
    t.equal(mail.messageId, message.messageId);
    t.equal(mail.text?.trimEnd(), rendering.text.trimEnd());
    t.equal((mail.html || '').trimEnd(), rendering.html.trimEnd());
    t.equal(mail.attachments[0]?.content.toString(), rendering.csv);
    t.match(mail.headers.get('auto-submitted'), 'auto-generated');
  }
});

t.test('the mail test shows what OpenSMTPD said', { skip }, async (t) => {
  const server = await startOpenSmtpd();
  t.teardown(() => server.stop());
  const result = await mailTest({
    smtp: SmtpConfig.parse({ host: '127.0.0.1', port: server.port }),
    from: 'jdosinspector@example.com',
    host: 'h1',
    to: ['ops@example.test'],
    now: new Date(MORNING),
    signal: new AbortController().signal,
  });
  t.match(result, { ok: true, reply: /Message accepted for delivery/ });
  t.match(result.dialogue.join('\n'), /< 220 .*OpenSMTPD/);
  const [bytes] = await server.delivered('ops', 1);
  t.equal((await simpleParser(bytes ?? '')).messageId, result.messageId);
});
