// `jdos events`: what the kernel told of problems, oldest first, as they come with --follow.
import { setTimeout as sleep } from 'node:timers/promises';
import { InvalidArgumentError } from 'commander';
import { z } from '../base/schema.ts';
import type { Client } from './client.ts';
import { type CliCommand, readOptions, type ReadOptions, withClient } from './command.ts';
import { type Io, paint, printable } from './io.ts';
import { formatWhen, momentArgument } from './when.ts';

const labels = z.record(z.string(), z.string());
const Event = z.looseObject({
  bootId: z.string(),
  seq: z.number(),
  at: z.number(),
  reason: z.string(),
  severity: z.string(),
  message: z.string(),
  fields: labels,
  lines: z.array(z.string()),
  suppressed: z.number(),
  cgroup: z.string().nullable(),
  container: labels.nullable(),
});
type Event = z.output<typeof Event>;
const Events = z.object({ items: z.array(Event), next: z.string().nullable() });

interface EventsOptions extends ReadOptions {
  readonly since?: number;
  readonly reason?: string;
  readonly limit: number;
  readonly lines?: boolean;
  readonly follow?: boolean;
}

function limit(value: string): number {
  if (!/^\d{1,4}$/.test(value) || Number(value) < 1 || Number(value) > 1000)
    throw new InvalidArgumentError('a number from 1 to 1000 is expected.');
  return Number(value);
}

const HELP = `
What to ask:
  jdos events --kernel --since 1d               what the kernel told since yesterday
  jdos events --kernel --reason OOMKilling      who was killed for want of memory, and in which container
  jdos events --kernel --lines --limit 1        the last one with its whole report
  jdos events --kernel --follow --json          for programs, a line each, as they come

Events of pods and other objects of the Kubernetes API: kubectl get events.`;

const PAUSE_MS = 1000;
/** An event whose report takes its time stands before others that were told already. */
const OVERLAP_MS = 60_000;

export const eventsCommand: CliCommand = (program, { io }) => {
  readOptions(program.command('events'))
    .description('what the kernel told of problems')
    .option('--kernel', 'events of the kernel; there are no others yet')
    .option('--since <when>', 'only newer ones: 10m, 2h, 3d, or a time', momentArgument)
    .option('--reason <name>', 'only these, such as OOMKilling')
    .option('--limit <n>', 'how many', limit, 20)
    .option('--lines', 'with the lines of each report')
    .option('--follow', 'go on showing them as they come')
    .addHelpText('after', HELP)
    .action(async ({ json, since, reason, limit: count, lines, follow, ...server }: EventsOptions) => {
      await withClient(server, io, async (client) => {
        const known = follow ? await eventsSince(client, Date.now() - OVERLAP_MS, reason) : [];
        const reply = await client.get('/jdos/v1/kernel/events', { from: since, reason, limit: count });
        if (json && !follow) return io.out(JSON.stringify(reply));
        const { items, next } = Events.parse(reply);
        const show = (event: Event): void => {
          if (json) io.out(JSON.stringify(event));
          else for (const line of eventLines(event, io, lines ?? false)) io.out(line);
        };
        if (next !== null && !json) io.out('… and older ones: --limit, or --since to narrow');
        for (const event of items.toReversed()) show(event);
        if (follow) await followFrom(client, [...known, ...items], reason, show);
        else if (items.length === 0) io.out('no such events');
      });
    });
};

const keyOf = ({ bootId, seq, reason }: Event): string => `${bootId} ${seq} ${reason}`;

const eventsSince = async (client: Client, from: number, reason: string | undefined): Promise<readonly Event[]> =>
  Events.parse(await client.get('/jdos/v1/kernel/events', { from, reason, limit: 1000 })).items;

/** Shows what is not known yet, until the command is ended. */
async function followFrom(
  client: Client,
  known: readonly Event[],
  reason: string | undefined,
  show: (event: Event) => void,
): Promise<never> {
  let from = Date.now() - OVERLAP_MS;
  let shown = new Set(known.map(keyOf));
  for (;;) {
    await sleep(PAUSE_MS);
    const items = await eventsSince(client, from, reason);
    for (const event of items.toReversed()) if (!shown.has(keyOf(event))) show(event);
    shown = new Set([...items, ...known].map(keyOf));
    from = Math.max(from, ...items.map(({ at }) => at - OVERLAP_MS));
  }
}

const SERIOUS: ReadonlySet<string> = new Set(['emerg', 'alert', 'crit', 'err']);

/** The event in a line, whose it is in another, and its report where it is wanted. */
export function eventLines(event: Event, io: Pick<Io, 'colour'>, report: boolean): readonly string[] {
  const { at, reason, severity, message, container, cgroup, suppressed, lines } = event;
  const head = paint(io, SERIOUS.has(severity) ? 'red' : 'yellow', printable(reason));
  const whose = container === null ? cgroup : containerOf(container);
  const notes = [
    ...(whose === null ? [] : [`in ${printable(whose)}`]),
    ...(suppressed === 0 ? [] : [`${suppressed} more like it before were counted, not kept`]),
  ];
  return [
    `${formatWhen(at)}  ${head}  ${printable(message)}`,
    ...(notes.length === 0 ? [] : [`    ${notes.join('; ')}`]),
    ...(report ? lines.map((line) => `    | ${printable(line)}`) : []),
  ];
}

/** A pod's container as Kubernetes names it, else the container's own name, else its cgroup. */
function containerOf({ namespace, pod, container, name, id }: Readonly<Record<string, string>>): string | null {
  if (pod !== undefined) return [namespace, pod, container].filter((part) => part !== undefined).join('/');
  return name ?? id ?? null;
}
