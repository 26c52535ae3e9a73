// `jdos top`: the processes that use most CPU, memory or file descriptors now, with limit and headroom.
import { InvalidArgumentError } from 'commander';
import { z } from '../base/schema.ts';
import { formatBytes, formatRatio } from '../base/units.ts';
import { type CliCommand, readOptions, type ReadOptions, withClient } from './command.ts';
import { printable, table } from './io.ts';

const BY = ['cpu', 'rss', 'fds'] as const;

const Process = z.object({
  pid: z.number(),
  comm: z.string(),
  state: z.string(),
  cpuRatio: z.number().nullable(),
  rssBytes: z.number().nullable(),
  fds: z.number().nullable(),
  fdLimit: z.number().nullable(),
  container: z.string().nullable(),
  cmdline: z.string().nullable(),
});
type Process = z.output<typeof Process>;
const Processes = z.object({ items: z.array(Process) });

interface TopOptions extends ReadOptions {
  readonly by: (typeof BY)[number];
  readonly limit: number;
}

const wholeNumber = (text: string): number => {
  if (!/^\d{1,3}$/.test(text) || Number(text) < 1 || Number(text) > 150)
    throw new InvalidArgumentError('a number from 1 to 150 is expected.');
  return Number(text);
};
const oneOf = (text: string): (typeof BY)[number] => {
  const found = BY.find((by) => by === text);
  if (found === undefined) throw new InvalidArgumentError(`one of ${BY.join(', ')} is expected.`);
  return found;
};

export const topCommand: CliCommand = (program, { io }) => {
  readOptions(program.command('top'))
    .description('the processes that use most CPU, memory or file descriptors now')
    .option('--by <what>', BY.join(', '), oneOf, 'cpu')
    .option('--limit <n>', 'how many', wholeNumber, 20)
    .action(async ({ by, limit, json, ...server }: TopOptions) => {
      const reply = await withClient(server, io, (client) =>
        client.get('/jdos/v1/processes', { by, limit, fresh: 'true' }),
      );
      if (json) return io.out(JSON.stringify(reply));
      const rows = Processes.parse(reply).items.map(row);
      const head = ['PID', 'CPU', 'RSS', 'FDS', 'LIMIT', 'HEADROOM', 'S', 'CONTAINER', 'COMMAND'];
      for (const line of table(head, rows, head.slice(0, 6)))
        io.out(line.length > io.columns ? `${line.slice(0, io.columns - 1)}…` : line);
    });
};

/** What could not be read is a question mark, not a zero. */
const known = (value: number | null, format: (value: number) => string): string =>
  value === null ? '?' : format(value);

function row({ pid, comm, state, cpuRatio, rssBytes, fds, fdLimit, container, cmdline }: Process): string[] {
  const headroom = fds === null || fdLimit === null ? null : Math.max(0, fdLimit - fds);
  return [
    String(pid),
    known(cpuRatio, formatRatio),
    known(rssBytes, formatBytes),
    known(fds, String),
    known(fdLimit, String),
    known(headroom, String),
    state,
    container === null ? '-' : container.slice(0, 12),
    printable(cmdline === null || cmdline === '' ? `[${comm}]` : cmdline),
  ];
}
