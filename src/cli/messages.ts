// `jdos messages`: the message ledger, newest first, filtered by state, service, procedure and time.
import { InvalidArgumentError, Option } from 'commander';
import { z } from '../base/schema.ts';
import { type CliCommand, readOptions, type ReadOptions, withClient } from './command.ts';
import { printable, table } from './io.ts';
import { Attempt, shownState } from './message.ts';
import { momentArgument } from './when.ts';

/** As the ledger knows them, most wanted first. */
const STATES = [
  'lost_request',
  'lost_reply',
  'timed_out',
  'failed',
  'expired',
  'cancelled',
  'unconfirmed',
  'in_flight',
  'delivered',
] as const;

const Messages = z.object({ items: z.array(Attempt), next: z.string().optional() });

interface MessagesOptions extends ReadOptions {
  readonly state?: string;
  readonly service?: string;
  readonly procedure?: string;
  readonly since?: number;
  readonly limit: number;
}

function limit(value: string): number {
  if (!/^\d{1,4}$/.test(value) || Number(value) < 1 || Number(value) > 1000)
    throw new InvalidArgumentError('a number from 1 to 1000 is expected.');
  return Number(value);
}

const HELP = `
What to ask:
  jdos messages --state lost_reply --since 1d     executed, and the caller never knew
  jdos messages --state timed_out                 with whether they were executed
  jdos messages --service jdos-probe --limit 5    the last calls to the probe process
  jdos message ID                                 the story of one, and what the states mean`;

export const messagesCommand: CliCommand = (program, { io }) => {
  readOptions(program.command('messages'))
    .description('the message ledger, newest first')
    .addOption(new Option('--state <state>', 'only these').choices([...STATES]))
    .option('--service <name>', 'only calls to this service')
    .option('--procedure <name>', 'only calls of this procedure')
    .option('--since <when>', 'only newer ones: 10m, 2h, 3d, or a time', momentArgument)
    .option('--limit <n>', 'how many', limit, 20)
    .addHelpText('after', HELP)
    .action(async ({ json, state, service, procedure, since: from, limit: count, ...server }: MessagesOptions) => {
      const query = { state, service, procedure, from, limit: count };
      const reply = await withClient(server, io, (client) => client.get('/jdos/v1/messages', query));
      if (json) return io.out(JSON.stringify(reply));
      const { items, next } = Messages.parse(reply);
      if (items.length === 0) return io.out('no such messages');
      const rows = items.map((item) => [
        (item.callerSide.sentAt ?? item.calleeSide.receivedAt ?? '').slice(0, 23).replace('T', ' '),
        item.id,
        printable(`${item.caller ?? '?'} → ${item.service ?? '?'}`),
        printable(item.procedure ?? '?'),
        shownState(item, io),
        item.state === 'delivered' ? '' : printable(item.proof),
      ]);
      const lines = table(['SENT (UTC)', 'ID', 'WHO', 'PROCEDURE', 'STATE', ''], rows);
      for (const line of lines) io.out(line);
      if (next !== undefined) io.out(`… and more: --limit, or --since to narrow`);
    });
};
