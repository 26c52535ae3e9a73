// The families of the containers that have one series for each: cAdvisor's names, and ours.
import { divided } from '../cgroup/flat.ts';
import type { Metric } from '../collector.ts';
import type { Tracked } from './table.ts';

/**
 * The labels of every series: the kubelet's, in this order, because `/metrics/container` leaves the first three away.
 * `id` is the path of the cgroup.
 */
export const LABELS = ['container', 'namespace', 'pod', 'id', 'image', 'name'] as const;
/** Those that the kubelet adds to cAdvisor's. */
export const KUBELET_LABELS = 3;
export const OOM_EVENTS = 'container_oom_events_total';

/** A family, and what a group has of it; undefined is absent. */
interface Scalar {
  readonly metric: Metric;
  readonly of: (tracked: Tracked) => number | undefined;
}

const family = (type: Metric['type'], name: string, help: string, of: Scalar['of']): Scalar => ({
  metric: { name, help, type, labels: LABELS },
  of,
});
const counter = (name: string, help: string, of: Scalar['of']): Scalar => family('counter', name, help, of);
const gauge = (name: string, help: string, of: Scalar['of']): Scalar => family('gauge', name, help, of);

/** cAdvisor writes 0 for no limit. */
const limit = (value: number | undefined): number | undefined => (value === Infinity ? 0 : value);
const finite = (value: number | undefined): number | undefined => (value === Infinity ? undefined : value);
const MICRO = 1e6;

/** Only groups with a limit of their own have periods. */
const throttling = (of: (cpu: NonNullable<Tracked['reading']['cpu']>) => number | undefined): Scalar['of'] => {
  return ({ reading: { cpu, cpuLimits } }) =>
    cpu === undefined || finite(cpuLimits?.quotaUs) === undefined ? undefined : of(cpu);
};

/** As cAdvisor and the kubelet define it: what cannot be taken from the group without paging. */
function workingSet({ reading: { memory, memoryStat } }: Tracked): number | undefined {
  if (memory?.usage === undefined || memoryStat?.inactiveFile === undefined) return undefined;
  return Math.max(0, memory.usage - memoryStat.inactiveFile);
}

/** Docker's `--memory-reservation` is memory.low on v2; cAdvisor asks memory.min there. */
function reservation({ reading: { memoryLimits } }: Tracked): number | undefined {
  const { low, min } = memoryLimits ?? {};
  return limit(low === undefined ? min : Math.max(low, min ?? 0));
}

const cpu: readonly Scalar[] = [
  counter('container_cpu_user_seconds_total', 'Cumulative user CPU time consumed.', (t) => t.reading.cpu?.user),
  counter('container_cpu_system_seconds_total', 'Cumulative system CPU time consumed.', (t) => t.reading.cpu?.system),
  counter(
    'container_cpu_cfs_periods_total',
    'Number of elapsed enforcement period intervals.',
    throttling((cpu) => cpu.periods),
  ),
  counter(
    'container_cpu_cfs_throttled_periods_total',
    'Number of throttled period intervals.',
    throttling((cpu) => cpu.throttledPeriods),
  ),
  counter(
    'container_cpu_cfs_throttled_seconds_total',
    'Total time duration the container has been throttled.',
    throttling((cpu) => cpu.throttled),
  ),
  counter(
    'container_cpu_cfs_burst_periods_total',
    'Number of periods in which the container used more than its quota.',
    throttling((cpu) => cpu.burstPeriods),
  ),
  counter(
    'container_cpu_cfs_burst_seconds_total',
    'Total time used beyond the quota in those periods.',
    throttling((cpu) => cpu.burst),
  ),
  counter(
    'jdos_container_cpu_throttled_local_seconds_total',
    'Time in which tasks wanted to run and were throttled by the limit of the container or of a group above it, over all CPUs.',
    (t) => t.reading.cpu?.throttledLocal,
  ),
  gauge(
    'container_spec_cpu_period',
    'CPU period of the container, in microseconds.',
    (t) => t.reading.cpuLimits?.periodUs,
  ),
  gauge(
    'container_spec_cpu_quota',
    'CPU quota of the container, in microseconds per period; absent without a limit.',
    (t) => finite(t.reading.cpuLimits?.quotaUs),
  ),
  gauge(
    'container_spec_cpu_shares',
    'CPU shares of the container: those of cgroup v1, or those its runtime was asked for.',
    (t) => t.reading.cpuLimits?.shares ?? t.facts.shares,
  ),
  gauge(
    'jdos_container_cpu_weight',
    'cpu.weight of cgroup v2, as it stands there.',
    (t) => t.reading.cpuLimits?.weight,
  ),
  gauge('jdos_container_cpus', 'CPUs the container may run on (cpuset).', (t) => t.reading.cpus),
];

const memory: readonly Scalar[] = [
  gauge('container_memory_usage_bytes', 'Current memory usage, with caches.', (t) => t.reading.memory?.usage),
  gauge('container_memory_working_set_bytes', 'Current working set: usage without inactive file caches.', workingSet),
  gauge('container_memory_max_usage_bytes', 'Maximum memory usage recorded.', (t) => t.reading.memory?.peak),
  gauge('container_memory_rss', 'Anonymous memory, in bytes.', (t) => t.reading.memoryStat?.anon),
  gauge('container_memory_cache', 'Page cache memory, in bytes.', (t) => t.reading.memoryStat?.file),
  gauge('container_memory_mapped_file', 'Size of memory mapped files, in bytes.', (t) => t.reading.memoryStat?.mapped),
  gauge('container_memory_kernel_usage', 'Kernel memory, in bytes.', (t) => t.reading.memoryStat?.kernel),
  gauge('container_memory_swap', 'Swap usage, in bytes.', (t) => t.reading.memory?.swap ?? t.reading.memoryStat?.swap),
  gauge('container_memory_total_active_file_bytes', 'Active file caches.', (t) => t.reading.memoryStat?.activeFile),
  gauge(
    'container_memory_total_inactive_file_bytes',
    'Inactive file caches.',
    (t) => t.reading.memoryStat?.inactiveFile,
  ),
  gauge('container_memory_file_dirty_bytes', 'File caches to be written back.', (t) => t.reading.memoryStat?.dirty),
  gauge(
    'container_memory_file_writeback_bytes',
    'File caches being written back.',
    (t) => t.reading.memoryStat?.writeback,
  ),
  counter('container_memory_failcnt', 'Number of memory usage hits of the limit.', (t) => t.reading.memory?.failures),
  counter(
    'container_memory_events_high_total',
    'Times the container was throttled for being over memory.high.',
    (t) => t.reading.memory?.events?.high,
  ),
  counter(
    'container_memory_events_max_total',
    'Times the container was about to go over memory.max.',
    (t) => t.reading.memory?.events?.max,
  ),
  counter('container_memory_pgscan_total', 'Pages scanned by reclaim.', (t) => t.reading.memoryStat?.scanned),
  counter('container_memory_pgsteal_total', 'Pages reclaimed.', (t) => t.reading.memoryStat?.reclaimed),
  counter(
    'container_memory_workingset_refault_file_total',
    'Reclaimed file pages that were needed again.',
    (t) => t.reading.memoryStat?.refaultedFile,
  ),
  counter(
    'container_memory_workingset_refault_anon_total',
    'Swapped pages that were needed again.',
    (t) => t.reading.memoryStat?.refaultedAnon,
  ),
  counter(
    OOM_EVENTS,
    'Processes killed for want of memory in the container; kept for five minutes after its end.',
    (t) => t.reading.oomKills,
  ),
  gauge('container_spec_memory_limit_bytes', 'Memory limit; 0 is none.', (t) => limit(t.reading.memoryLimits?.max)),
  gauge(
    'container_spec_memory_swap_limit_bytes',
    'Swap limit; 0 is none. On cgroup v1 with memory, on v2 of swap alone.',
    (t) => limit(t.reading.memoryLimits?.swap),
  ),
  gauge('container_spec_memory_reservation_limit_bytes', 'Memory reservation limit.', reservation),
];

const processes: readonly Scalar[] = [
  gauge('container_processes', 'Processes in the container and below it.', (t) =>
    t.place.kind === 'container' && !t.members.hidden ? t.members.pids.length : undefined,
  ),
  gauge('container_threads', 'Threads in the container.', (t) => t.reading.pids?.tasks),
  gauge('container_threads_max', 'Threads allowed in the container; 0 is any number.', (t) =>
    limit(t.reading.pids?.limit),
  ),
  gauge('container_file_descriptors', 'Open file descriptors of the container.', (t) => t.members.fds),
  gauge(
    'jdos_container_fd_headroom',
    'Files that the process of the container nearest to its soft limit can still open.',
    (t) => t.members.headroom,
  ),
  counter(
    'jdos_container_forks_refused_total',
    'Forks and threads refused by the limit on their number (pids.max).',
    (t) => t.reading.pids?.refusals,
  ),
];

const waits = (name: string, help: string, of: (t: Tracked) => { some?: number; full?: number } | undefined) => [
  counter(`container_pressure_${name}_waiting_seconds_total`, `Time in which tasks waited ${help}.`, (t) =>
    divided(of(t)?.some, MICRO),
  ),
  counter(`container_pressure_${name}_stalled_seconds_total`, `Time in which no task could go on, ${help}.`, (t) =>
    divided(of(t)?.full, MICRO),
  ),
];

export const SCALARS: readonly Scalar[] = [
  gauge(
    'container_start_time_seconds',
    'Start time of the container, that of its first process, in Unix seconds.',
    (t) => t.startTime,
  ),
  ...cpu,
  ...memory,
  ...processes,
  ...waits('cpu', 'for CPU time', (t) => t.reading.cpuWaits),
  ...waits('memory', 'for memory', (t) => t.reading.memoryWaits),
  ...waits('io', 'for I/O', (t) => t.reading.ioWaits),
];
