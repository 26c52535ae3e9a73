// `jdos token`: creates, lists and revokes tokens.
import { InvalidArgumentError, Option } from 'commander';
import { ROLES } from '../base/route.ts';
import { z } from '../base/schema.ts';
import { type CliCommand, readOptions, type ReadOptions, serverOptions, withClient } from './command.ts';
import type { ServerOptions } from './client.ts';
import { printable, table } from './io.ts';

const Tokens = z.object({
  items: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      role: z.string(),
      createdAt: z.number(),
      expiresAt: z.number().nullish(),
      lastUsedAt: z.number().nullish(),
    }),
  ),
});
const Created = z.object({ id: z.string(), token: z.string() });

interface CreateOptions extends ReadOptions {
  readonly role: string;
  readonly days?: number;
}

const DAY_SECONDS = 86_400;
const MOST_DAYS = 3650;

const wholeDays = (text: string): number => {
  if (!/^\d{1,4}$/.test(text) || Number(text) < 1 || Number(text) > MOST_DAYS)
    throw new InvalidArgumentError(`a number from 1 to ${MOST_DAYS} is expected.`);
  return Number(text);
};

const day = (at: number | null | undefined): string =>
  at == null ? '-' : new Date(at).toISOString().slice(0, 16).replace('T', ' ');

export const tokenCommand: CliCommand = (program, { io }) => {
  const group = program.command('token').description('tokens for the HTTP interfaces');
  readOptions(group.command('create <name>'))
    .description('make a token; it is shown once')
    .addOption(new Option('--role <role>', 'what it may do').choices(ROLES).default('viewer'))
    .option('--days <n>', 'days until it expires; for ever unless said', wholeDays)
    .action(async (name: string, { role, days, json, ...server }: CreateOptions) => {
      const body = { name, role, ...(days === undefined ? {} : { expiresInSeconds: days * DAY_SECONDS }) };
      const made = await withClient(server, io, (client) => client.send('POST', '/jdos/v1/tokens', body));
      io.out(json ? JSON.stringify(made) : Created.parse(made).token);
    });
  readOptions(group.command('list'))
    .description('list the tokens, without the tokens themselves')
    .action(async ({ json, ...server }: ReadOptions) => {
      const reply = await withClient(server, io, (client) => client.get('/jdos/v1/tokens'));
      if (json) return io.out(JSON.stringify(reply));
      const rows = Tokens.parse(reply).items.map((token) => [
        token.id,
        printable(token.name),
        token.role,
        day(token.createdAt),
        day(token.expiresAt),
        day(token.lastUsedAt),
      ]);
      for (const line of table(['ID', 'NAME', 'ROLE', 'CREATED', 'EXPIRES', 'LAST USED'], rows)) io.out(line);
    });
  serverOptions(group.command('revoke <id>'))
    .description('revoke a token at once')
    .action(async (id: string, server: ServerOptions) => {
      await withClient(server, io, (client) => client.send('DELETE', `/jdos/v1/tokens/${encodeURIComponent(id)}`));
      io.out(`revoked ${id}`);
    });
};
