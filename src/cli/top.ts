// `jdos top`: the processes that use most CPU, memory or file descriptors, now and from moment to moment, or at a time gone by.
import { InvalidArgumentError, Option } from 'commander';
import { explain } from '../base/fault.ts';
import type { Client } from './client.ts';
import { type CliCommand, readOptions, type ReadOptions, withClient } from './command.ts';
import { type Io, paint } from './io.ts';
import type { Screen } from './screen.ts';
import { BY, type By, momentLines, Processes, processLines } from './top-view.ts';
import { formatWhen, momentArgument } from './when.ts';

interface TopOptions extends ReadOptions {
  readonly by: By;
  readonly at?: number;
  readonly limit: number;
  readonly once?: boolean;
}

const EVERY_MS = 3000;
/** What a key sorts by. */
const KEYS: Readonly<Record<string, By>> = { c: 'cpu', m: 'memory', f: 'fds' };
/** q, Q, Ctrl-C, Ctrl-D, Escape. */
const QUIT: ReadonlySet<string> = new Set(['q', 'Q', '\u0003', '\u0004', '\u001b']);

const wholeNumber = (text: string): number => {
  if (!/^\d{1,3}$/.test(text) || Number(text) < 1 || Number(text) > 150)
    throw new InvalidArgumentError('a number from 1 to 150 is expected.');
  return Number(text);
};

const HELP = `
On a terminal it goes on until q; c, m and f sort by CPU, memory and file descriptors.

What to ask:
  jdos top --by fds               who holds the most open files, its limit, and how fast it gains
  jdos top --at 03:12             the processes of last night, and which of them was not like that an hour before
  jdos top --at 2h --by memory    two hours ago
  jdos top --once --json          for programs
  jdos history node_load1         when was it: load, pressure and more over time

A process that is not shown was never among the first 50 by CPU, memory or file descriptors. ? is not known: it may not
be read, or, for growth, has not been watched for four hours.`;

export const topCommand: CliCommand = (program, { io }) => {
  readOptions(program.command('top'))
    .description('the processes that use most CPU, memory or file descriptors, now or at a time gone by')
    .addOption(new Option('--by <what>', 'what to sort by').choices([...BY]).default('cpu'))
    .option('--at <time>', 'a moment: 03:12, 2h (ago), or a time with its date', momentArgument)
    .option('--limit <n>', 'how many', wholeNumber, 20)
    .option('--once', 'print once, also on a terminal')
    .addHelpText('after', HELP)
    .action(async ({ by, at, limit, json, once, ...server }: TopOptions) => {
      await withClient(server, io, async (client) => {
        const screen = json === true || once === true || at !== undefined ? undefined : io.screen?.();
        if (screen !== undefined) return live(client, screen, by, io);
        const reply = await (at === undefined ? now(client, by, limit) : then(client, at, by, limit));
        if (json) return io.out(JSON.stringify(reply));
        const processes = Processes.parse(reply);
        const lines = processLines(processes, by, io.columns);
        for (const line of at === undefined ? lines : [...momentLines(processes, by, io), ...lines]) io.out(line);
      });
    });
};

const now = (client: Client, by: By, limit: number): Promise<unknown> =>
  client.get('/jdos/v1/processes', { by, limit, fresh: 'true' });

const then = (client: Client, at: number, by: By, limit: number): Promise<unknown> =>
  client.get('/jdos/v1/history/processes', { at, by, limit });

/** Shows the processes anew every three seconds; a daemon that does not answer is asked again. */
async function live(client: Client, taken: Screen, first: By, io: Io): Promise<void> {
  using screen = taken;
  let by = first;
  for (;;) {
    const lines = await now(client, by, 150).then(
      (reply) => {
        const processes = Processes.parse(reply);
        return [
          `jdos top, ${formatWhen(processes.at)}, by ${by}   ${paint(io, 'dim', 'c cpu  m memory  f fds  q quit')}`,
          '',
          ...processLines(processes, by, screen.columns),
        ];
      },
      (error: unknown) => [`${paint(io, 'red', 'error:')} ${explain(error)}`, 'asked again; q quits'],
    );
    screen.draw(lines);
    const key = await screen.key(EVERY_MS);
    if (key !== undefined && QUIT.has(key)) return;
    by = KEYS[key ?? ''] ?? by;
  }
}
