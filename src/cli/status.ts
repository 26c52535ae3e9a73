// `jdos status`: one line per part, what the daemon costs, and which exporters here export the same families.
import { z } from '../base/schema.ts';
import { formatBytes, formatRatio, formatSeconds } from '../base/units.ts';
import { type CliCommand, EXIT, readOptions, type ReadOptions, withClient } from './command.ts';
import { type Io, paint, type Paint, printable, table } from './io.ts';

const Status = z.object({
  version: z.string(),
  host: z.string(),
  uptimeSeconds: z.number(),
  ready: z.boolean(),
  parts: z.array(
    z.object({
      name: z.string(),
      state: z.string(),
      summary: z.string().optional(),
      reason: z.string().optional(),
      costs: z.string().optional(),
      remedy: z.string().optional(),
    }),
  ),
  processes: z.array(
    z.object({
      name: z.string(),
      pid: z.number(),
      cpuRatio: z.number().optional(),
      residentBytes: z.number().optional(),
      restarts: z.number().optional(),
    }),
  ),
  series: z.number().optional(),
});
type Status = z.output<typeof Status>;

const COLOURS: Readonly<Record<string, Paint>> = {
  available: 'green',
  limited: 'yellow',
  missing: 'yellow',
  starting: 'yellow',
  failing: 'red',
};

export const statusCommand: CliCommand = (program, { io, exit }) => {
  readOptions(program.command('status'))
    .description("the daemon's parts, their health, and what it costs")
    .addHelpText('after', '\nExit code 1 when a part fails or is still starting.')
    .action(async ({ json, ...server }: ReadOptions) => {
      const reply = await withClient(server, io, (client) => client.get('/jdos/v1/status'));
      const status = Status.parse(reply);
      if (json) io.out(JSON.stringify(reply));
      else for (const line of statusLines(status, io)) io.out(line);
      if (!status.ready) exit(EXIT.failed);
    });
};

function statusLines({ version, host, uptimeSeconds, series, parts, processes }: Status, io: Io): string[] {
  const about = (part: Status['parts'][number]): string =>
    [part.summary, part.reason, part.costs && `without it: ${part.costs}`, part.remedy && `try: ${part.remedy}`]
      .filter(Boolean)
      .join('; ');
  const rows = parts.map((part) => [part.name, part.state, printable(about(part))]);
  const lines = table(['PART', 'STATE', ''], rows).map((line, i) => {
    const state = rows[i - 1]?.[1] ?? '';
    return line.replace(state, paint(io, COLOURS[state] ?? 'dim', state));
  });
  const costs = processes.map(({ name, pid, cpuRatio, residentBytes, restarts }) => [
    name,
    String(pid),
    cpuRatio === undefined ? '?' : formatRatio(cpuRatio),
    residentBytes === undefined ? '?' : formatBytes(residentBytes),
    String(restarts ?? 0),
  ]);
  return [
    `jdos ${version} on ${printable(host)}, up ${formatSeconds(uptimeSeconds)}, ${series === undefined ? 'no' : series} series`,
    '',
    ...lines,
    '',
    ...table(['PROCESS', 'PID', 'CPU', 'MEMORY', 'RESTARTS'], costs, ['PID', 'CPU', 'MEMORY', 'RESTARTS']),
  ];
}
