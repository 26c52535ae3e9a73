// The families of the containers that have one series for each: cAdvisor's names, and ours.
import { divided } from '../cgroup/flat.ts';
import { CONNTRACK } from './conntrack-families.ts';
import { counter, counting, finite, from, gauge, limit, type Scalar } from './family.ts';
import { MEMORY } from './memory-families.ts';
import type { Tracked } from './table.ts';

const MICRO = 1e6;

/** Only groups with a limit of their own have periods. */
const throttling = (of: (cpu: NonNullable<Tracked['reading']['cpu']>) => number | undefined): Scalar['of'] => {
  return ({ reading: { cpu, cpuLimits } }) =>
    cpu === undefined || finite(cpuLimits?.quotaUs) === undefined ? undefined : of(cpu);
};

const cpu: readonly Scalar[] = [
  counter(
    'container_cpu_user_seconds_total',
    from('cpu.stat user_usec', 'cpuacct.usage_user'),
    'Cumulative user CPU time consumed.',
    (t) => t.reading.cpu?.user,
  ),
  counter(
    'container_cpu_system_seconds_total',
    from('cpu.stat system_usec', 'cpuacct.usage_sys'),
    'Cumulative system CPU time consumed.',
    (t) => t.reading.cpu?.system,
  ),
  counter(
    'container_cpu_cfs_periods_total',
    from('cpu.stat nr_periods'),
    'Number of elapsed enforcement period intervals.',
    throttling((cpu) => cpu.periods),
  ),
  counter(
    'container_cpu_cfs_throttled_periods_total',
    from('cpu.stat nr_throttled'),
    'Number of throttled period intervals.',
    throttling((cpu) => cpu.throttledPeriods),
  ),
  counter(
    'container_cpu_cfs_throttled_seconds_total',
    from('cpu.stat throttled_usec', 'throttled_time'),
    'Total time duration the container has been throttled.',
    throttling((cpu) => cpu.throttled),
  ),
  counter(
    'container_cpu_cfs_burst_periods_total',
    from('cpu.stat nr_bursts'),
    'Number of periods in which the container used more than its quota.',
    throttling((cpu) => cpu.burstPeriods),
  ),
  counter(
    'container_cpu_cfs_burst_seconds_total',
    from('cpu.stat burst_usec', 'burst_time'),
    'Total time used beyond the quota in those periods.',
    throttling((cpu) => cpu.burst),
  ),
  counter(
    'jdos_container_cpu_throttled_local_seconds_total',
    from('cpu.stat.local throttled_usec', 'throttled_time'),
    'Time in which tasks wanted to run and were throttled by the limit of the container or of a group above it, over all CPUs.',
    (t) => t.reading.cpu?.throttledLocal,
  ),
  gauge(
    'container_spec_cpu_period',
    counting('microseconds', 'cpu.max field 2', 'cpu.cfs_period_us'),
    'CPU period of the container, in microseconds.',
    (t) => t.reading.cpuLimits?.periodUs,
  ),
  gauge(
    'container_spec_cpu_quota',
    counting('microseconds', 'cpu.max field 1', 'cpu.cfs_quota_us'),
    'CPU quota of the container, in microseconds per period; absent without a limit.',
    (t) => finite(t.reading.cpuLimits?.quotaUs),
  ),
  gauge(
    'container_spec_cpu_shares',
    counting('shares', 'what the runtime keeps', 'cpu.shares'),
    'CPU shares of the container: those of cgroup v1, or those its runtime was asked for.',
    (t) => t.reading.cpuLimits?.shares ?? t.facts.shares,
  ),
  gauge(
    'jdos_container_cpu_weight',
    counting('weight', 'cpu.weight'),
    'cpu.weight of cgroup v2, as it stands there.',
    (t) => t.reading.cpuLimits?.weight,
  ),
  gauge(
    'jdos_container_cpus',
    counting('CPUs', 'cpuset.cpus.effective', 'cpuset.effective_cpus'),
    'CPUs the container may run on (cpuset).',
    (t) => t.reading.cpus,
  ),
];

const processes: readonly Scalar[] = [
  gauge('container_processes', from('cgroup.procs'), 'Processes in the container and below it.', (t) =>
    t.place.kind === 'container' && !t.members.hidden ? t.members.pids.length : undefined,
  ),
  gauge('container_threads', from('pids.current'), 'Threads in the container.', (t) => t.reading.pids?.tasks),
  gauge(
    'container_threads_max',
    counting('threads', 'pids.max'),
    'Threads allowed in the container; 0 is any number.',
    (t) => limit(t.reading.pids?.limit),
  ),
  gauge(
    'container_file_descriptors',
    counting('descriptors', '/proc/PID/fd of its processes'),
    'Open file descriptors of the container.',
    (t) => t.members.fds,
  ),
  gauge(
    'jdos_container_fd_headroom',
    counting('descriptors', '/proc/PID/limits Max open files, /proc/PID/fd'),
    'Files that the process of the container nearest to its soft limit can still open.',
    (t) => t.members.headroom,
  ),
  counter(
    'jdos_container_forks_refused_total',
    counting('forks', 'pids.events max'),
    'Forks and threads refused by the limit on their number (pids.max).',
    (t) => t.reading.pids?.refusals,
  ),
];

const waits = (
  name: 'cpu' | 'memory' | 'io',
  help: string,
  of: (t: Tracked) => { some?: number; full?: number } | undefined,
) => [
  counter(
    `container_pressure_${name}_waiting_seconds_total`,
    from(`${name}.pressure some total`),
    `Time in which tasks waited ${help}.`,
    (t) => divided(of(t)?.some, MICRO),
  ),
  counter(
    `container_pressure_${name}_stalled_seconds_total`,
    from(`${name}.pressure full total`),
    `Time in which no task could go on, ${help}.`,
    (t) => divided(of(t)?.full, MICRO),
  ),
];

export const SCALARS: readonly Scalar[] = [
  gauge(
    'container_start_time_seconds',
    from('/proc/PID/stat field 22 of its first process'),
    'Start time of the container, that of its first process, in Unix seconds.',
    (t) => t.startTime,
  ),
  ...cpu,
  ...MEMORY,
  ...processes,
  ...CONNTRACK,
  ...waits('cpu', 'for CPU time', (t) => t.reading.cpuWaits),
  ...waits('memory', 'for memory', (t) => t.reading.memoryWaits),
  ...waits('io', 'for I/O', (t) => t.reading.ioWaits),
];
