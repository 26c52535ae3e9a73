// `jdos traces`: traces newest first, by service, operation, duration and time.
import { InvalidArgumentError } from 'commander';
import { z } from '../base/schema.ts';
import { formatSeconds } from '../base/units.ts';
import { type CliCommand, readOptions, type ReadOptions, withClient } from './command.ts';
import { type Io, paint, printable, table } from './io.ts';
import { momentArgument } from './when.ts';

const Item = z.object({
  traceId: z.string(),
  start: z.number(),
  durationMs: z.number(),
  spans: z.number(),
  errors: z.number(),
  root: z.object({ service: z.string(), operation: z.string() }).nullable(),
});
type Item = z.output<typeof Item>;
const Traces = z.object({ items: z.array(Item), next: z.string().nullable() });

interface TracesOptions extends ReadOptions {
  readonly service?: string;
  readonly operation?: string;
  readonly minDuration?: number;
  readonly since?: number;
  readonly limit: number;
}

const UNITS: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `250ms`, `1.5s`, `2h` in milliseconds; a plain number is milliseconds. */
const duration = (text: string): number => {
  const match = /^(\d+(?:\.\d+)?)(us|ms|s|m|h|d)?$/.exec(text);
  if (match === null) throw new InvalidArgumentError('a duration such as 250ms, 1.5s or 2m is expected.');
  return Number(match[1]) * (UNITS[match[2] ?? 'ms'] ?? 1);
};

const MAX_LIMIT = 1000;
const limit = (text: string): number => {
  if (/^\d{1,4}$/.test(text) && Number(text) >= 1 && Number(text) <= MAX_LIMIT) return Number(text);
  throw new InvalidArgumentError(`a number from 1 to ${MAX_LIMIT} is expected.`);
};

const AFTER_HELP = `
The limit is applied after the order: these are the newest traces that match, not any. A trace matches
when one of its spans has the service, the operation and the duration.

Examples:
  jdos traces --service shop --since 15m
  jdos traces --service shop --operation "GET /cart" --min-duration 250ms
  jdos trace $(jdos traces --limit 1 --json | jq -r '.items[0].traceId')`;

export const tracesCommand: CliCommand = (program, { io }) => {
  readOptions(program.command('traces'))
    .description('the newest traces, by service, operation, duration and time')
    .option('--service <name>', 'with a span of this service')
    .option('--operation <name>', 'with a span of this name; needs --service')
    .option('--min-duration <duration>', 'with a span that took at least this long: 250ms, 1.5s', duration)
    .option('--since <time>', 'started since: 15m, 2h, or a time such as 2026-11-25T08:00Z', momentArgument)
    .option('--limit <n>', 'how many', limit, 20)
    .addHelpText('after', AFTER_HELP)
    .action(async (options: TracesOptions) => {
      const { service, operation, minDuration, since: from, limit, json, ...server } = options;
      const query = { service, operation, minDurationMs: minDuration, from, limit };
      const reply = await withClient(server, io, (client) => client.get('/jdos/v1/traces', query));
      if (json) return io.out(JSON.stringify(reply));
      const { items, next } = Traces.parse(reply);
      for (const line of lines(items, next !== null, io)) io.out(line);
    });
};

function lines(items: readonly Item[], more: boolean, io: Io): string[] {
  if (items.length === 0) return ['no traces match; `docs/tracing.md` says how programs send theirs'];
  const head = ['TRACE', 'STARTED (UTC)', 'DURATION', 'SPANS', 'ERRORS', 'SERVICE', 'OPERATION'];
  const rows = items.map(({ traceId, start, durationMs, spans, errors, root }) => [
    printable(traceId),
    start <= 8.64e15 ? new Date(start).toISOString().replace('T', ' ').replace('Z', '') : '?',
    formatSeconds(durationMs / 1000),
    String(spans),
    String(errors),
    root === null ? '?' : printable(root.service),
    root === null ? 'the root span has not arrived' : printable(root.operation),
  ]);
  const shown = table(head, rows, ['DURATION', 'SPANS', 'ERRORS']).map((line, index) => {
    const cut = line.length > io.columns ? `${line.slice(0, io.columns - 1)}…` : line;
    return (items[index - 1]?.errors ?? 0) > 0 ? paint(io, 'red', cut) : cut;
  });
  return more
    ? [...shown, paint(io, 'dim', 'there are more: raise --limit, or narrow it with --service or --since')]
    : shown;
}
