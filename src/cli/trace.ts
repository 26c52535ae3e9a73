// `jdos trace ID`: one trace as a waterfall, with what is missing of it.
import { z } from '../base/schema.ts';
import { formatSeconds } from '../base/units.ts';
import { type CliCommand, readOptions, type ReadOptions, withClient } from './command.ts';
import { type Io, paint, printable } from './io.ts';
import { waterfall } from './waterfall.ts';

const Trace = z.object({
  traceId: z.string(),
  traceIds: z.array(z.string()),
  startUnixNano: z.string().regex(/^\d+$/),
  durationMs: z.number(),
  spanCount: z.number(),
  errorCount: z.number(),
  services: z.array(z.string()),
  completeness: z.object({
    complete: z.boolean(),
    roots: z.number(),
    orphans: z.number(),
    duplicates: z.number(),
    omitted: z.number(),
    damaged: z.number(),
  }),
  spans: z.array(
    z.object({
      spanId: z.string(),
      parentSpanId: z.string().nullable(),
      name: z.string(),
      service: z.string(),
      startUnixNano: z.string().regex(/^\d+$/),
      durationMs: z.number(),
      status: z.object({ code: z.string(), message: z.string() }),
    }),
  ),
});
type Trace = z.output<typeof Trace>;

const AFTER_HELP = `
ID is a trace id of 32 hex digits, or the last 16 of one; it stands in the header
\`traceparent: 00-ID-…\` of a request, in the logs of an instrumented program, and in \`jdos traces\`.

In the waterfall: ✖ a span with status error, ⋯ a span whose parent is not here (lost, late,
or not sampled), "clock" a span that starts before its parent because the clocks of two hosts differ.

Examples:
  jdos trace 4bf92f3577b34da6a3ce929d0e0e4736
  jdos trace a3ce929d0e0e4736 --json | jq '.spans[].attributes'`;

export const traceCommand: CliCommand = (program, { io }) => {
  readOptions(program.command('trace <id>'))
    .description('one trace as a waterfall: who called whom, how long it took, what failed')
    .addHelpText('after', AFTER_HELP)
    .action(async (id: string, { json, ...server }: ReadOptions) => {
      const path = `/jdos/v1/traces/${encodeURIComponent(id.trim())}`;
      const reply = await withClient(server, io, (client) => client.get(path));
      if (json) return io.out(JSON.stringify(reply));
      const trace = Trace.parse(reply);
      for (const line of [...headLines(trace, io), '', ...waterfall(trace, io)]) io.out(line);
    });
};

const count = (n: number, one: string): string => `${n} ${one}${n === 1 ? '' : 's'}`;

function headLines(trace: Trace, io: Io): string[] {
  const millis = Number(BigInt(trace.startUnixNano) / 1_000_000n);
  const started = millis <= 8.64e15 ? new Date(millis).toISOString().replace('T', ' ') : `${millis} ms`;
  const facts = [
    count(trace.spanCount, 'span'),
    count(trace.services.length, 'service'),
    ...(trace.errorCount > 0 ? [paint(io, 'red', count(trace.errorCount, 'error'))] : []),
    formatSeconds(trace.durationMs / 1000),
  ];
  return [
    `${paint(io, 'bold', `trace ${printable(trace.traceId)}`)}  ${facts.join(', ')}  ${paint(io, 'dim', started)}`,
    ...missingLines(trace).map((line) => `${paint(io, 'yellow', '▲')} ${line}`),
  ];
}

/** What a reader has to know before believing the picture. */
function missingLines({ traceIds, completeness: c }: Trace): string[] {
  return [
    ...(traceIds.length > 1
      ? [`${traceIds.length} traces end with this id: ${traceIds.map(printable).join(', ')}`]
      : []),
    ...(c.roots === 0 ? ['the root span is missing: it is still running, was lost, or was not sampled'] : []),
    ...(c.roots > traceIds.length ? [`${c.roots} spans name no parent, where one is usual`] : []),
    ...(c.orphans > 0
      ? [`${count(c.orphans, 'span')} (⋯) name a parent that is not here: lost, late or not sampled`]
      : []),
    ...(c.omitted > 0
      ? [`${count(c.omitted, 'span')} more are stored than one answer holds; the earliest are shown`]
      : []),
    ...(c.damaged > 0 ? [`${count(c.damaged, 'span')} could be read in part only`] : []),
  ];
}
