// `jdos history`: a metric over time as a line of the terminal, with its smallest, mean, largest and last value.
import { InvalidArgumentError } from 'commander';
import { z } from '../base/schema.ts';
import { formatBytes, formatRatio, formatSeconds } from '../base/units.ts';
import { type CliCommand, readOptions, type ReadOptions, withClient } from './command.ts';
import { printable, table } from './io.ts';
import { sparkline } from './spark.ts';
import { formatWhen, momentArgument } from './when.ts';

const Names = z.object({ items: z.array(z.object({ metric: z.string() })) });
const Series = z.object({
  items: z.array(
    z.object({
      metric: z.string(),
      labels: z.record(z.string(), z.string()),
      as: z.string(),
      points: z.array(z.tuple([z.number(), z.number(), z.number(), z.number(), z.number()])),
    }),
  ),
  from: z.number(),
  to: z.number(),
  stepSeconds: z.number(),
  next: z.string().nullable(),
});
type One = z.output<typeof Series>['items'][number];

interface HistoryOptions extends ReadOptions {
  readonly from: number;
  readonly to: number;
  readonly label?: readonly string[];
  readonly limit: number;
}

const limited = (text: string): number => {
  if (!/^\d{1,3}$/.test(text) || Number(text) < 1 || Number(text) > 100)
    throw new InvalidArgumentError('a number from 1 to 100 is expected.');
  return Number(text);
};
const labelled = (text: string, before: readonly string[] = []): readonly string[] => {
  if (!/^[a-zA-Z_]\w*=/.test(text)) throw new InvalidArgumentError('NAME=VALUE is expected.');
  return [...before, text];
};

const HELP = `
What to ask:
  jdos history                                              which metrics have a history
  jdos history node_load1                                   the last six hours
  jdos history node_cpu_seconds_total --label mode=user     cores in use by programs
  jdos history namedprocess_namegroup_open_filedesc --label groupname=java --from 7d
  jdos top --at 03:12                                       the processes of the moment you found

A counter is shown as its increase per second. A gap in the line is a time of which nothing is known. Minutes are kept for
15 days and days for 400, unless configured (probes.history).`;

const SIX_HOURS_MS = 6 * 3_600_000;
const LINE_COLUMNS = 72;

export const historyCommand: CliCommand = (program, { io }) => {
  readOptions(program.command('history'))
    .description('a metric over time')
    .argument('[metric]', 'its name as on /metrics; without it, the names of all that have a history')
    .option('--from <time>', 'a moment: 03:12, 2h (ago), or a time with its date; 6h unless said', momentArgument)
    .option('--to <time>', 'a moment; now unless said', momentArgument)
    .option('--label <name=value>', 'only series with this label; may be repeated', labelled)
    .option('--limit <n>', 'how many series', limited, 20)
    .addHelpText('after', HELP)
    .action(async (metric: string | undefined, options: Partial<HistoryOptions> & Pick<HistoryOptions, 'limit'>) => {
      const { json, label = [], limit, to = Date.now(), from = to - SIX_HOURS_MS, ...server } = options;
      await withClient(server, io, async (client) => {
        if (metric === undefined) {
          const reply = await client.get('/jdos/v1/history/series', { limit: 5000 });
          if (json) return io.out(JSON.stringify(reply));
          for (const name of new Set(Names.parse(reply).items.map((item) => item.metric))) io.out(name);
          return;
        }
        const width = Math.max(10, Math.min(LINE_COLUMNS, io.columns - 2));
        const step = Math.max(60, Math.ceil((to - from) / 1000 / width / 60) * 60);
        const labels = label.map((text) => `&label=${encodeURIComponent(text)}`).join('');
        const query = new URLSearchParams({
          metric,
          from: String(from),
          to: String(to),
          step: String(step),
          limit: String(limit),
        });
        const reply = await client.get(`/jdos/v1/history?${query.toString()}${labels}`);
        if (json) return io.out(JSON.stringify(reply));
        for (const line of historyLines(Series.parse(reply))) io.out(line);
      });
    });
};

/** A line and a row for each series. */
export function historyLines({ items, from, to, stepSeconds, next }: z.output<typeof Series>): readonly string[] {
  const head = `${formatWhen(from)} to ${formatWhen(to)}, a step is ${formatSeconds(stepSeconds)}`;
  if (items.length === 0) return [head, 'nothing is known of this time; a minute is shown when it is over'];
  const stepMs = stepSeconds * 1000;
  const first = Math.floor(from / stepMs) * stepMs;
  const steps = Array.from({ length: Math.ceil((to - first) / stepMs) }, (_, i) => first + i * stepMs);
  const lines = items.flatMap((one) => {
    const means = new Map(one.points.map(([at, , , mean]) => [at, mean]));
    const format = formatOf(one);
    const of = (pick: (points: One['points']) => number): string => format(pick(one.points));
    const rows = [
      [
        of((points) => Math.min(...points.map(([, min]) => min))),
        of((points) => points.reduce((sum, [, , , mean]) => sum + mean, 0) / points.length),
        of((points) => Math.max(...points.map(([, , max]) => max))),
        of((points) => points.at(-1)?.[4] ?? Number.NaN),
      ],
    ];
    return [
      '',
      printable(nameOf(one)),
      sparkline(steps.map((at) => means.get(at))),
      ...table(['MIN', 'MEAN', 'MAX', 'LAST'], rows),
    ];
  });
  return [head, ...lines, ...(next === null ? [] : ['', '… and more series: --label, or --limit'])];
}

const nameOf = ({ metric, labels }: One): string => {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${value}"`);
  return pairs.length === 0 ? metric : `${metric}{${pairs.join(',')}}`;
};

/** How a value of a metric is read, by the unit at the end of its name. */
function formatOf({ metric, as }: One): (value: number) => string {
  if (/_seconds_total$/.test(metric) && as === 'rate') return formatRatio;
  if (/_ratio$/.test(metric)) return formatRatio;
  const per = as === 'rate' ? '/s' : '';
  if (/_bytes(_total)?$/.test(metric)) return (value) => formatBytes(value) + per;
  return (value) => String(Number(value.toPrecision(4))) + per;
}
