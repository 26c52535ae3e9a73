// What `jdos top` shows of the processes of a moment: a headline, the culprit, a table.
import { z } from '../base/schema.ts';
import { formatBytes, formatRatio } from '../base/units.ts';
import { type Io, paint, printable, table } from './io.ts';
import { formatWhen } from './when.ts';

export const BY = ['cpu', 'memory', 'fds'] as const;
export type By = (typeof BY)[number];

const number = z.number().nullable();
const Process = z.object({
  pid: z.number(),
  comm: z.string(),
  state: z.string(),
  startTime: z.number(),
  cpuRatio: number,
  rssBytes: number,
  fds: number,
  fdLimit: number,
  fdsGrowthPerHour: number.optional(),
  container: z.string().nullable(),
  cmdline: z.string().nullable(),
});
type Process = z.output<typeof Process>;

/** The answer about now, and the one about a moment, which knows the culprit. */
export const Processes = z.object({
  at: z.number(),
  items: z.array(Process),
  culprit: z.object({ process: Process, value: z.number(), before: number }).nullable().optional(),
  earlierAt: number.optional(),
});
export type Processes = z.output<typeof Processes>;

const FORMAT: Readonly<Record<By, (value: number) => string>> = {
  cpu: formatRatio,
  memory: formatBytes,
  fds: String,
};
const WHAT: Readonly<Record<By, string>> = { cpu: 'of a core', memory: 'of memory', fds: 'file descriptors' };

/** What could not be read is a question mark, not a zero. */
const known = (value: number | null | undefined, format: (value: number) => string): string =>
  value === null || value === undefined ? '?' : format(value);

/** Of the last day; only for the descriptors is it worth a column. */
const growth = (perHour: number): string => `${perHour > 0 ? '+' : ''}${Number(perHour.toFixed(1))}/h`;

const command = ({ cmdline, comm }: Process): string =>
  printable(cmdline === null || cmdline === '' ? `[${comm}]` : cmdline);

/** The table of the processes, cut at `columns`. */
export function processLines({ items }: Processes, by: By, columns: number): readonly string[] {
  const growing = by === 'fds';
  const head = ['PID', 'CPU', 'MEMORY', 'FDS', 'LIMIT', 'HEADROOM', ...(growing ? ['GROWTH'] : []), 'S', 'CONTAINER'];
  const rows = items.map((process) => {
    const { pid, cpuRatio, rssBytes, fds, fdLimit, fdsGrowthPerHour, state, container } = process;
    const headroom = fds === null || fdLimit === null ? null : Math.max(0, fdLimit - fds);
    return [
      String(pid),
      known(cpuRatio, formatRatio),
      known(rssBytes, formatBytes),
      known(fds, String),
      known(fdLimit, String),
      known(headroom, String),
      ...(growing ? [known(fdsGrowthPerHour, growth)] : []),
      state,
      container === null ? '-' : container.slice(0, 12),
      command(process),
    ];
  });
  return table([...head, 'COMMAND'], rows, head.slice(0, growing ? 7 : 6)).map((line) =>
    line.length > columns ? `${line.slice(0, columns - 1)}…` : line,
  );
}

/** When it was, and who did it. */
export function momentLines({ at, culprit, earlierAt }: Processes, by: By, io: Io): readonly string[] {
  const lines = [`${formatWhen(at)}, by ${by}`];
  if (culprit === null || culprit === undefined) return lines;
  const { process, value, before } = culprit;
  const use = `${FORMAT[by](value)} ${WHAT[by]}`;
  const text = `${process.comm} (pid ${process.pid}), ${use}${earlier(culprit, by, earlierAt)}`;
  return [...lines, `${paint(io, before === null ? 'yellow' : 'red', 'culprit:')} ${printable(text)}`, ''];
}

function earlier(
  { process, before }: NonNullable<Processes['culprit']>,
  by: By,
  at: number | null | undefined,
): string {
  if (before === null || at === null || at === undefined) return '; nothing is known of the hour before';
  const started = process.startTime * 1000;
  return started > at ? `; it started at ${formatWhen(started)}` : `; ${FORMAT[by](before)} an hour before`;
}
