// `jdos mail`: tests the way to a mailbox, and shows the outbox.
import { z } from '../base/schema.ts';
import { type CliCommand, EXIT, readOptions, type ReadOptions, withClient } from './command.ts';
import { paint, printable, table } from './io.ts';

const TEST_MS = 210_000;

const Tested = z.object({
  ok: z.boolean(),
  kind: z.string(),
  relay: z.string(),
  messageId: z.string(),
  reply: z.string(),
  tls: z.object({ version: z.string(), cipher: z.string(), verified: z.boolean() }).nullish(),
  dialogue: z.array(z.string()),
  setting: z.string().nullish(),
});

const Mails = z.object({
  items: z.array(
    z.object({
      id: z.string(),
      createdAt: z.number(),
      state: z.string(),
      attempts: z.number(),
      subject: z.string(),
      lastReply: z.string().nullish(),
      file: z.string().nullish(),
    }),
  ),
});

export const mailCommand: CliCommand = (program, { io, exit }) => {
  const group = program.command('mail').description('the way of the reports to their readers');
  readOptions(group.command('test <address>'))
    .description('send a test mail and show the SMTP dialogue, the encryption and the answer of the relay')
    .action(async (address: string, { json, ...server }: ReadOptions) => {
      const reply = await withClient(server, io, (client) =>
        client.send('POST', '/jdos/v1/mail/test', { to: address }, TEST_MS),
      );
      const { ok, relay, messageId, tls, dialogue, kind, reply: said, setting } = Tested.parse(reply);
      if (!ok) exit(EXIT.failed);
      if (json) return io.out(JSON.stringify(reply));
      for (const line of dialogue) io.out(paint(io, 'dim', printable(line)));
      io.out(`relay      ${relay}`);
      io.out(
        `encrypted  ${tls == null ? 'no' : `${tls.version}, ${tls.cipher}, certificate ${tls.verified ? 'verified' : 'not verified'}`}`,
      );
      io.out(`answer     ${printable(said)}`);
      io.out(`message    ${messageId}`);
      io.out(ok ? paint(io, 'green', 'sent') : paint(io, 'red', kind));
      if (!ok && setting != null) io.err(`Try: look at ${setting} in the configuration`);
    });
  readOptions(group.command('list'))
    .description('the outbox: every mail and what became of it')
    .action(async ({ json, ...server }: ReadOptions) => {
      const reply = await withClient(server, io, (client) => client.get('/jdos/v1/mail'));
      if (json) return io.out(JSON.stringify(reply));
      const rows = Mails.parse(reply).items.map(({ createdAt, state, attempts, subject, lastReply, file }) => [
        new Date(createdAt).toISOString().slice(0, 16).replace('T', ' '),
        state,
        String(attempts),
        printable(subject),
        printable(lastReply ?? file ?? ''),
      ]);
      for (const line of table(['MADE (UTC)', 'STATE', 'TRIES', 'SUBJECT', 'LAST'], rows, ['TRIES'])) io.out(line);
    });
};
