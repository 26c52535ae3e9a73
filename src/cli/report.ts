// `jdos report`: shows the last health report, lists them, sends one again.
import { Option } from 'commander';
import { Fault, faultKind } from '../base/fault.ts';
import { z } from '../base/schema.ts';
import type { Locale } from '../inspector/index.ts';
import type { Client } from './client.ts';
import { type CliCommand, readOptions, type ReadOptions, withClient } from './command.ts';
import { table } from './io.ts';
import { localeOption } from './locale.ts';

const NO_REPORT = faultKind('JD_NO_REPORT', 404, 'make one now with `jdos inspect --mail`');

const Reports = z.object({
  items: z.array(
    z.object({
      id: z.string(),
      createdAt: z.number(),
      kind: z.string(),
      score: z.number(),
      crit: z.number(),
      warn: z.number(),
      unknown: z.number(),
    }),
  ),
});

interface ReportOptions extends ReadOptions {
  readonly format: 'text' | 'html' | 'json' | 'eml';
  readonly locale: Locale;
}

async function newest(client: Client): Promise<string> {
  const { items } = Reports.parse(await client.get('/jdos/v1/reports', { limit: 1 }));
  const [report] = items;
  if (report === undefined) throw new Fault(NO_REPORT, 'there is no report yet');
  return report.id;
}

export const reportCommand: CliCommand = (program, { io }) => {
  const command = readOptions(program.command('report'))
    .argument('[id]', 'a report from `jdos report list`; the newest unless said')
    .description('the last health report')
    .addOption(new Option('--format <format>', 'as what').choices(['text', 'html', 'json', 'eml']).default('text'))
    .addOption(localeOption())
    .action(async (id: string | undefined, { format, json, locale, ...server }: ReportOptions) => {
      const text = await withClient(server, io, async (client) =>
        client.getText(`/jdos/v1/reports/${encodeURIComponent(id ?? (await newest(client)))}`, {
          format: json ? 'json' : format,
          locale,
        }),
      );
      io.out(text.trimEnd());
    });
  command
    .command('list')
    .description('the reports that are kept, newest first')
    .action(async (_: object, called: { optsWithGlobals(): ReadOptions }) => {
      const { json, ...server } = called.optsWithGlobals();
      const reply = await withClient(server, io, (client) => client.get('/jdos/v1/reports'));
      if (json) return io.out(JSON.stringify(reply));
      const rows = Reports.parse(reply).items.map(({ id, createdAt, kind, score, crit, warn, unknown }) => [
        id,
        new Date(createdAt).toISOString().slice(0, 16).replace('T', ' '),
        kind,
        ...[score, crit, warn, unknown].map(String),
      ]);
      for (const line of table(['ID', 'MADE (UTC)', 'KIND', 'SCORE', '✖', '▲', '?'], rows, ['SCORE', '✖', '▲', '?']))
        io.out(line);
    });
  command
    .command('send [id]')
    .description('mail a report again')
    .option('--to <address...>', 'to these instead of report.to')
    .action(async (id: string | undefined, { to }: { to?: string[] }, called: { optsWithGlobals(): ReadOptions }) => {
      const { json, ...server } = called.optsWithGlobals();
      const reply = await withClient(server, io, async (client) =>
        client.send(
          'POST',
          `/jdos/v1/reports/${encodeURIComponent(id ?? (await newest(client)))}/send`,
          to === undefined ? {} : { to },
        ),
      );
      io.out(json ? JSON.stringify(reply) : 'queued: `jdos mail list` shows its delivery');
    });
};
