// The series of the processes: process-exporter's names, and ours.
import type { Metric, SampleWriter } from '../collector.ts';
import type { KernelUnits } from './boot.ts';
import { emptyGauges, type Group, type GroupGauges, type Groups } from './groups.ts';
import type { ScrapeErrors } from './saved.ts';
import type { Scan } from './scan.ts';
import { STATES, stateName, type State } from './stat.ts';
import { REASONS, type Part, type Reason, type Tracked } from './table.ts';

const GROUP = 'namedprocess_namegroup';
const group = ['groupname'] as const;

/** Every family this collector writes. */
export const PROCESS_METRICS: readonly Metric[] = [
  { name: `${GROUP}_num_procs`, help: 'Live processes of the group.', type: 'gauge', labels: group },
  {
    name: `${GROUP}_cpu_seconds_total`,
    help: 'CPU time used by the group since it was first seen.',
    type: 'counter',
    labels: [...group, 'mode'],
  },
  {
    name: `${GROUP}_read_bytes_total`,
    help: 'Bytes the group made block devices read.',
    type: 'counter',
    labels: group,
  },
  {
    name: `${GROUP}_write_bytes_total`,
    help: 'Bytes the group made block devices write.',
    type: 'counter',
    labels: group,
  },
  {
    name: `${GROUP}_major_page_faults_total`,
    help: 'Page faults of the group that needed the disk.',
    type: 'counter',
    labels: group,
  },
  {
    name: `${GROUP}_minor_page_faults_total`,
    help: 'Page faults of the group that needed no disk.',
    type: 'counter',
    labels: group,
  },
  {
    name: `${GROUP}_context_switches_total`,
    help: 'Context switches of the main threads of the group.',
    type: 'counter',
    labels: [...group, 'ctxswitchtype'],
  },
  {
    name: `${GROUP}_memory_bytes`,
    help: 'Memory of the group; proportional counts shared pages by their share and is sampled.',
    type: 'gauge',
    labels: [...group, 'memtype'],
  },
  { name: `${GROUP}_open_filedesc`, help: 'Open file descriptors of the group.', type: 'gauge', labels: group },
  {
    name: `${GROUP}_worst_fd_ratio`,
    help: 'Open file descriptors by the soft limit, of the process of the group nearest to it.',
    type: 'gauge',
    labels: group,
  },
  {
    name: `${GROUP}_oldest_start_time_seconds`,
    help: 'Unix time at which the oldest live process of the group started.',
    type: 'gauge',
    labels: group,
  },
  { name: `${GROUP}_num_threads`, help: 'Threads of the group.', type: 'gauge', labels: group },
  {
    name: `${GROUP}_states`,
    help: 'Processes of the group by the state of their main thread.',
    type: 'gauge',
    labels: [...group, 'state'],
  },
  {
    name: 'namedprocess_scrape_errors',
    help: 'Collections in which no process could be read.',
    type: 'counter',
  },
  {
    name: 'namedprocess_scrape_procread_errors',
    help: 'Processes that could not be read, summed over the collections.',
    type: 'counter',
  },
  {
    name: 'namedprocess_scrape_partial_errors',
    help: 'Processes of which something could not be read, summed over the collections.',
    type: 'counter',
  },
  {
    name: 'jdos_processes',
    help: 'Processes of the host, kernel threads too, by the state of their main thread.',
    type: 'gauge',
    labels: ['state'],
  },
  {
    name: 'jdos_process_dstate_oldest_seconds',
    help: 'Longest time a process has been seen in uninterruptible sleep without using CPU; 0 when there is none.',
    type: 'gauge',
  },
  {
    name: 'jdos_processes_unreadable',
    help: 'Processes of which a file cannot be read now, by file and reason.',
    type: 'gauge',
    labels: ['what', 'reason'],
  },
  {
    name: 'jdos_process_groups_dropped',
    help: 'Groups with live processes that are beyond the limit of groups and counted in the group "other".',
    type: 'gauge',
  },
];

interface GroupUnits extends KernelUnits {
  /** Unix seconds. */
  readonly bootTime: number;
  /** Whether proportional memory is sampled at all. */
  readonly proportional: boolean;
}

/** Writes all groups ever seen: those without live processes keep their counters and have `num_procs` 0. */
export function writeGroups(
  out: SampleWriter,
  groups: Groups,
  gauges: ReadonlyMap<string, GroupGauges>,
  units: GroupUnits,
): void {
  for (const [name, known] of groups) {
    const now = gauges.get(name) ?? emptyGauges();
    writeCounters(out, name, known, units);
    writeMemory(out, name, now, { ...units, proportional: units.proportional && known.proportionalComplete });
    writeGauges(out, name, now, units);
  }
}

/** Writes a sample unless its value is unknown. */
function add(out: SampleWriter, metric: string, value: number | undefined, ...labels: readonly string[]): void {
  if (value !== undefined) out.add(`${GROUP}_${metric}`, value, ...labels);
}

function writeCounters(out: SampleWriter, name: string, { totals }: Group, { ticksPerSecond }: KernelUnits): void {
  add(out, 'cpu_seconds_total', (totals.user ?? 0) / ticksPerSecond, name, 'user');
  add(out, 'cpu_seconds_total', (totals.system ?? 0) / ticksPerSecond, name, 'system');
  add(out, 'read_bytes_total', totals.readBytes, name);
  add(out, 'write_bytes_total', totals.writeBytes, name);
  add(out, 'major_page_faults_total', totals.majorFaults, name);
  add(out, 'minor_page_faults_total', totals.minorFaults, name);
  add(out, 'context_switches_total', totals.voluntary, name, 'voluntary');
  add(out, 'context_switches_total', totals.nonvoluntary, name, 'nonvoluntary');
}

function writeMemory(out: SampleWriter, name: string, now: GroupGauges, units: GroupUnits): void {
  add(out, 'memory_bytes', now.residentPages * units.pageBytes, name, 'resident');
  add(out, 'memory_bytes', now.virtualBytes, name, 'virtual');
  add(out, 'memory_bytes', now.swappedBytes, name, 'swapped');
  if (!units.proportional) return;
  add(out, 'memory_bytes', now.proportionalResident, name, 'proportionalResident');
  add(out, 'memory_bytes', now.proportionalSwapped, name, 'proportionalSwapped');
}

function writeGauges(out: SampleWriter, name: string, now: GroupGauges, units: GroupUnits): void {
  add(out, 'num_procs', now.processes, name);
  add(out, 'num_threads', now.threads, name);
  add(out, 'open_filedesc', now.fds, name);
  add(out, 'worst_fd_ratio', now.worstFdRatio, name);
  // process-exporter writes the year 1 for a group without processes; there is no such time.
  const start = now.oldestStart === undefined ? undefined : units.bootTime + now.oldestStart / units.ticksPerSecond;
  add(out, 'oldest_start_time_seconds', start, name);
  // process-exporter adds the threads here when it follows them, and the main thread twice; we count processes.
  for (const state of STATES) add(out, 'states', now.states[state], name, state);
}

/** Writes the counts of collections and processes that could not be read. */
export function writeErrors(out: SampleWriter, errors: ScrapeErrors): void {
  out.add('namedprocess_scrape_errors', errors.scrape);
  out.add('namedprocess_scrape_procread_errors', errors.processRead);
  out.add('namedprocess_scrape_partial_errors', errors.partial);
}

/** Writes what is known of the host as a whole. */
export function writeHost(out: SampleWriter, { seen, now, parts, unreadStats, droppedGroups }: Scan): void {
  const states: Record<State, number> = { Running: 0, Sleeping: 0, Waiting: 0, Zombie: 0, Other: 0 };
  let longest = 0;
  for (const { stat, stuckSince } of seen) {
    states[stateName(stat.state)] += 1;
    if (stuckSince !== undefined) longest = Math.max(longest, now - stuckSince);
  }
  for (const state of STATES) out.add('jdos_processes', states[state], state);
  out.add('jdos_process_dstate_oldest_seconds', longest);
  for (const reason of ['permission', 'failed'] as const) {
    out.add('jdos_processes_unreadable', unreadStats[reason] ?? 0, 'stat', reason);
  }
  for (const part of parts) writeUnreadable(out, seen, part);
  out.add('jdos_process_groups_dropped', droppedGroups);
}

function writeUnreadable(out: SampleWriter, seen: readonly Tracked[], part: Part): void {
  const counts: Record<Reason, number> = { permission: 0, failed: 0, quarantined: 0 };
  for (const { unreadable } of seen) {
    const reason = unreadable[part];
    if (reason !== undefined) counts[reason] += 1;
  }
  for (const reason of REASONS) {
    // Only what takes a lock of the process can hang, and so be in quarantine.
    if (reason !== 'quarantined' || part === 'smaps_rollup') {
      out.add('jdos_processes_unreadable', counts[reason], part, reason);
    }
  }
}
