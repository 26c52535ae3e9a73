// The families of what processes do, and how the counts are written.
import type { Metric, SampleWriter } from '../collector.ts';
import { LABELS } from '../container/family.ts';
import type { Counts } from './saved.ts';
import { OTHER, type Tally } from './tally.ts';

const counter = (name: string, source: string, unit: string, help: string, labels: readonly string[] = []): Metric => ({
  name,
  help,
  source,
  unit,
  type: 'counter',
  labels,
});

const COMM = ['comm'];
const EXEC = 'tracefs: sched/sched_process_exec';
const EXIT = 'tracefs: sched/sched_process_exit';
const VICTIM = 'tracefs: oom/mark_victim';

export const EXEC_METRICS: readonly Metric[] = [
  {
    name: 'jdos_exec_tracing',
    help: 'Whether the kernel tells of each program start and end, 1 or 0; the reason says why not: not-mounted, permission, other-root.',
    source: 'the trace instance of the daemon',
    unit: '0 or 1',
    type: 'gauge',
    labels: ['reason'],
  },
  counter(
    'jdos_exec_events_lost_total',
    'tracefs: per_cpu/cpuN/stats overrun, dropped events',
    'events',
    'Events that the kernel overwrote before they were read: so much is missing in the counts.',
  ),
  counter(
    'jdos_process_execs_total',
    EXEC,
    'programs started',
    'Programs started (execve), by the name they run under; the rarer names are in other.',
    COMM,
  ),
  counter(
    'jdos_process_exits_total',
    EXIT,
    'processes ended',
    'Processes ended, those that lived only a moment among them, by name.',
    COMM,
  ),
  counter(
    'jdos_oom_victims_total',
    VICTIM,
    'processes',
    'Processes that the kernel chose to die for want of memory, by name.',
    COMM,
  ),
  counter('jdos_container_execs_total', EXEC, 'programs started', 'Programs started in the container.', LABELS),
  counter('jdos_container_exits_total', EXIT, 'processes ended', 'Processes of the container that ended.', LABELS),
  counter(
    'jdos_container_oom_victims_total',
    VICTIM,
    'processes',
    'Processes of the container chosen to die for want of memory, be it its own or that of the host.',
    LABELS,
  ),
];

/** Why nothing is told: a host without it is no failure. */
export type Untraced = 'not-mounted' | 'permission' | 'other-root';

/** Writes whether there is a trace, and what it counted. Without one the counts are not known: what goes on is not in them. */
export function writeCounts(out: SampleWriter, counts: Counts, untraced: Untraced | undefined): void {
  out.add('jdos_exec_tracing', untraced === undefined ? 1 : 0, untraced ?? '');
  if (untraced !== undefined) return;
  out.add('jdos_exec_events_lost_total', counts.lost);
  writeTally(out, 'jdos_process_execs_total', counts.execs);
  writeTally(out, 'jdos_process_exits_total', counts.exits);
  writeTally(out, 'jdos_oom_victims_total', counts.victims);
  for (const { labels, execs, exits, victims } of counts.containers.values()) {
    out.add('jdos_container_execs_total', execs, ...labels);
    out.add('jdos_container_exits_total', exits, ...labels);
    out.add('jdos_container_oom_victims_total', victims, ...labels);
  }
}

/** The others are always written: that there are none is known. */
function writeTally(out: SampleWriter, metric: string, { named, other }: Tally): void {
  for (const [name, value] of named) out.add(metric, value, name);
  out.add(metric, other, OTHER);
}
