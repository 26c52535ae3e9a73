import { simpleParser } from 'mailparser';
import t from 'tap';
import { buildMessage, messageIdOf } from '../../src/report/message.ts';
import { MORNING } from './samples.ts';
import { sampleMessage } from './setup.ts';

t.test('a mail is text and HTML side by side, with its attachments', async (t) => {
  const { bytes, messageId } = await sampleMessage();
  const mail = await simpleParser(bytes);
  t.equal(mail.subject, '✖1 hb1-h031 JDOS巡检邮件 11-23 58分(−29)');
  t.match(mail.text, /^磁盘将满\n\.\nend/);
  t.match(mail.html || '', '<p>磁盘将满</p>');
  t.same(
    mail.attachments.map((a) => [a.filename, a.contentType]),
    [['findings.csv', 'text/csv']],
  );
  t.equal(mail.attachments[0]?.content.toString(), '\ufeffcode\r\n');
  t.equal(mail.messageId, messageId);
  t.equal(mail.date?.getTime(), MORNING);
  t.match(mail.from?.value, [{ name: 'jdosinspector', address: 'jdosinspector@example.com' }]);
  t.match(mail.replyTo?.value, [{ address: 'ops@example.com' }]);
});

t.test('the headers keep vacation replies and lists quiet', async (t) => {
  const { bytes } = await sampleMessage();
  const head = bytes.subarray(0, bytes.indexOf('\r\n\r\n')).toString();
  t.match(head, /^Auto-Submitted: auto-generated\r$/m);
  t.match(head, /^X-Auto-Response-Suppress: All\r$/m);
  t.match(head, /^Precedence: bulk\r$/m);
  t.match(head, /^List-ID: "?JDOS inspection"? <inspection\.jdos\.example\.com>\r$/im);
  t.notMatch(head, /List-Unsubscribe/i, 'there is nowhere to unsubscribe');
  t.notMatch(bytes.toString('latin1'), /[^\r]\n/, 'lines end in CR LF');
  for (const line of bytes.toString('latin1').split('\r\n')) t.ok(line.length <= 998);
});

t.test('the Message-ID follows from the key and stays within its alphabet', async (t) => {
  const parts = { dedupeKey: 'daily|h|2026-11-23', host: 'h 主机\r\n>x', day: '2026-11-23', from: 'a@example.com' };
  t.match(messageIdOf(parts), /^<insp\.h-x\.20261123\.[0-9a-f]{16}@example\.com>$/);
  t.equal(messageIdOf(parts), messageIdOf({ ...parts }));
  t.not(messageIdOf(parts), messageIdOf({ ...parts, dedupeKey: 'other' }));
});

t.test('nothing can begin a header of its own', async (t) => {
  const fine = {
    dedupeKey: 'k',
    host: 'h',
    day: '2026-11-23',
    date: new Date(MORNING),
    from: 'a@b.c',
    to: ['x@y.z'],
    subject: 's',
    text: 't',
  };
  const evil = 'x@y.z\r\nBcc: all@y.z';
  for (const over of [
    { from: evil },
    { to: [evil] },
    { replyTo: evil },
    { subject: `a\nBcc: x` },
    { host: 'h\r\nX: y' },
    { dedupeKey: 'k\nX: y' },
  ])
    await t.rejects(buildMessage({ ...fine, ...over }), { code: 'JD_MAIL_HEADER' }, JSON.stringify(over));
  const { bytes } = await buildMessage({ ...fine, to: ['x@y.z', 'Bcc:all'] }).catch(() => ({ bytes: Buffer.from('') }));
  t.notMatch(bytes.toString(), /^Bcc:/im);
});
