// How long each CPU ran tasks and how long tasks waited for it, from /proc/schedstat.
import { stateless, type Collector, type Metric } from '../collector.ts';
import { readFailure, type HostFiles } from '../host-files.ts';
import { eachLine, unexpected, unsigned, words } from './text.ts';

const FILE = '/proc/schedstat';
const LARGEST = 16 * 1024 * 1024; // domains of CPUs stand in it too
const NANOSECONDS = 1e9;
/** Fields of a line `cpuN` (Documentation/scheduler/sched-stats.rst, versions 15 to 17). */
const RUNNING = 7;
const WAITING = 8;
const TIMESLICES = 9;

const counter = (name: string, help: string, field: number, unit?: string): Metric => ({
  name: `node_schedstat_${name}_total`,
  help,
  type: 'counter',
  source: `${FILE} cpuN field ${field}`,
  unit,
  labels: ['cpu'],
});

const METRICS: readonly Metric[] = [
  counter('running_seconds', 'Number of seconds CPU spent running a process.', RUNNING),
  counter('waiting_seconds', 'Number of seconds spent by processing waiting for this CPU.', WAITING),
  counter('timeslices', 'Number of timeslices executed by CPU.', TIMESLICES, 'timeslices'),
];

interface CpuSchedule {
  readonly cpu: string;
  readonly runningSeconds: number;
  readonly waitingSeconds: number;
  readonly timeslices: number;
}

/** The lines of the CPUs. */
export function parseSchedstat(text: string): readonly CpuSchedule[] {
  const rows: CpuSchedule[] = [];
  eachLine(text, (line) => {
    if (!line.startsWith('cpu')) return;
    const cells = words(line);
    const [running, waiting, timeslices] = [RUNNING, WAITING, TIMESLICES].map((field) => unsigned(cells[field]));
    if (running === undefined || waiting === undefined || timeslices === undefined) throw unexpected(FILE, line);
    rows.push({
      cpu: (cells[0] ?? '').slice('cpu'.length),
      runningSeconds: running / NANOSECONDS,
      waitingSeconds: waiting / NANOSECONDS,
      timeslices,
    });
  });
  return rows;
}

/** Kernels without CONFIG_SCHEDSTATS have no such file: no series, and no failure. */
function read(host: HostFiles): string {
  try {
    return host.text(FILE, LARGEST);
  } catch (error) {
    if (readFailure(error) === 'absent') return '';
    throw error;
  }
}

export const schedstat: Collector = {
  name: 'schedstat',
  view: 'node',
  periodSeconds: 15,
  metrics: METRICS,
  open: stateless((host, out) => {
    for (const { cpu, runningSeconds, waitingSeconds, timeslices } of parseSchedstat(read(host))) {
      out.add('node_schedstat_running_seconds_total', runningSeconds, cpu);
      out.add('node_schedstat_waiting_seconds_total', waitingSeconds, cpu);
      out.add('node_schedstat_timeslices_total', timeslices, cpu);
    }
  }),
};
