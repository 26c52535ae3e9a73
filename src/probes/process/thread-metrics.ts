// The series of the threads of chosen groups, under process-exporter's names.
import type { Metric, SampleWriter } from '../collector.ts';
import { openSeries, type Series } from '../series.ts';
import {
  known,
  MAJOR_FAULTS,
  MINOR_FAULTS,
  NONVOLUNTARY,
  READ_BYTES,
  SYSTEM,
  USER,
  VOLUNTARY,
  WRITE_BYTES,
} from './counters.ts';
import { GROUP_LABELS, labelsOf, type Group, type Groups } from './groups.ts';
import type { NamedThreads, Threads } from './threads.ts';

const NAME = 'namedprocess_namegroup';
const DROPPED = 'jdos_process_threads_dropped';
const labels = [...GROUP_LABELS, 'threadname'];

const counter = (name: string, source: string, help: string, ...more: readonly string[]): Metric => ({
  name: `${NAME}_thread_${name}_total`,
  help: `${help} by the threads of this name, where the threads of the group are followed.`,
  type: 'counter',
  source,
  labels: [...labels, ...more],
});

const COUNT: Metric = {
  name: `${NAME}_thread_count`,
  help: 'Live threads of this name, where the threads of the group are followed.',
  type: 'gauge',
  source: '/proc/PID/task/TID/stat field 2',
  unit: 'threads',
  labels,
};
const WAITS: Metric = {
  name: `${NAME}_threads_wchan`,
  help: 'Threads of the group by the function of the kernel they wait in, where they are followed.',
  type: 'gauge',
  source: '/proc/PID/task/TID/wchan',
  unit: 'threads',
  labels: [...GROUP_LABELS, 'wchan'],
};
const CPU = counter('cpu_seconds', '/proc/PID/task/TID/stat fields 14, 15', 'CPU time used', 'mode');
const IO = counter(
  'io_bytes',
  '/proc/PID/task/TID/io read_bytes, write_bytes',
  'Bytes that block devices were made to read and write',
  'iomode',
);
const MAJOR = counter('major_page_faults', '/proc/PID/task/TID/stat field 12', 'Page faults that needed the disk');
const MINOR = counter('minor_page_faults', '/proc/PID/task/TID/stat field 10', 'Page faults that needed no disk');
const SWITCHES = counter(
  'context_switches',
  '/proc/PID/task/TID/status voluntary_ctxt_switches, nonvoluntary_ctxt_switches',
  'Context switches',
  'ctxswitchtype',
);

export const THREAD_METRICS: readonly Metric[] = [
  COUNT,
  CPU,
  IO,
  MAJOR,
  MINOR,
  SWITCHES,
  WAITS,
  {
    name: DROPPED,
    help: 'Threads of followed groups beyond the 2,000 that are read in one collection: they are in no series of threads.',
    type: 'gauge',
    source: 'probes.processes.threads',
    unit: 'threads',
  },
];

/** The counters by the place they have, each with its series. */
function seriesOf(group: Group, name: string) {
  const one = (metric: Metric, ...more: readonly string[]): Series =>
    openSeries(metric, ...labelsOf(group), name, ...more);
  const counters: readonly (readonly [number, Series])[] = [
    [READ_BYTES, one(IO, 'read')],
    [WRITE_BYTES, one(IO, 'write')],
    [MAJOR_FAULTS, one(MAJOR)],
    [MINOR_FAULTS, one(MINOR)],
    [VOLUNTARY, one(SWITCHES, 'voluntary')],
    [NONVOLUNTARY, one(SWITCHES, 'nonvoluntary')],
  ];
  return { count: one(COUNT), user: one(CPU, 'user'), system: one(CPU, 'system'), counters };
}

/** Writes what is known of the threads of all followed groups. */
export function openThreadWriter() {
  const written = new WeakMap<NamedThreads, ReturnType<typeof seriesOf>>();
  return (out: SampleWriter, groups: Groups, threads: Threads, ticksPerSecond: number): void => {
    for (const group of groups.values()) {
      const followed = threads.of(group);
      if (followed === undefined) continue;
      for (const [name, named] of followed.names) {
        let series = written.get(named);
        if (series === undefined) written.set(named, (series = seriesOf(group, name)));
        out.set(series.count, named.count);
        out.set(series.user, (known(named.totals, USER) ?? 0) / ticksPerSecond);
        out.set(series.system, (known(named.totals, SYSTEM) ?? 0) / ticksPerSecond);
        for (const [at, one] of series.counters) {
          const value = known(named.totals, at);
          if (value !== undefined) out.set(one, value);
        }
      }
      for (const [wait, count] of followed.waits) out.add(WAITS.name, count, ...labelsOf(group), wait);
    }
    out.add(DROPPED, threads.dropped());
  };
}
