// Writes the series of the groups and of the host.
import type { Metric, SampleWriter } from '../collector.ts';
import { openSeries, type Series } from '../series.ts';
import type { KernelUnits } from './boot.ts';
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
import { GROUP, HEADROOM, PROCESS_METRICS, UNSEEN_CHILDREN } from './families.ts';
import { labelsOf, type Group, type GroupGauges, type Groups } from './groups.ts';
import type { Accumulated, ScrapeErrors } from './saved.ts';
import type { Scan } from './scan.ts';
import { STATES, stateName, type State } from './stat.ts';
import { REASONS, type Part, type Reason, type Tracked } from './table.ts';

interface GroupUnits extends KernelUnits {
  /** Unix seconds. */
  readonly bootTime: number;
  /** Whether proportional memory is sampled at all. */
  readonly proportional: boolean;
}

const metricOf = (name: string): Metric => {
  const metric = PROCESS_METRICS.find((one) => one.name === name);
  if (metric === undefined) throw new Error(`no metric ${name} is declared for groups`);
  return metric;
};

/** The series of one group, made when it is first written. */
function seriesOf(group: Group) {
  const labels = labelsOf(group);
  const one = (metric: string, ...more: readonly string[]): Series =>
    openSeries(metricOf(`${GROUP}_${metric}`), ...labels, ...more);
  return {
    user: one('cpu_seconds_total', 'user'),
    system: one('cpu_seconds_total', 'system'),
    readBytes: one('read_bytes_total'),
    writeBytes: one('write_bytes_total'),
    majorFaults: one('major_page_faults_total'),
    minorFaults: one('minor_page_faults_total'),
    voluntary: one('context_switches_total', 'voluntary'),
    nonvoluntary: one('context_switches_total', 'nonvoluntary'),
    resident: one('memory_bytes', 'resident'),
    virtual: one('memory_bytes', 'virtual'),
    swapped: one('memory_bytes', 'swapped'),
    proportionalResident: one('memory_bytes', 'proportionalResident'),
    proportionalSwapped: one('memory_bytes', 'proportionalSwapped'),
    processes: one('num_procs'),
    threads: one('num_threads'),
    fds: one('open_filedesc'),
    worstFdRatio: one('worst_fd_ratio'),
    fdsHeadroom: openSeries(metricOf(HEADROOM), ...labels),
    oldestStart: one('oldest_start_time_seconds'),
    states: STATES.map((state) => [state, one('states', state)] as const),
  };
}
type GroupSeries = ReturnType<typeof seriesOf>;

/** Writes all groups there are: those without live processes keep their counters and have `num_procs` 0. */
type GroupWriter = (out: SampleWriter, groups: Groups, units: GroupUnits) => void;

export function openGroupWriter(): GroupWriter {
  const written = new WeakMap<Group, GroupSeries>();
  return (out, groups, units) => {
    for (const group of groups.values()) {
      let series = written.get(group);
      if (series === undefined) written.set(group, (series = seriesOf(group)));
      const { gauges } = group;
      writeCounters(out, series, group, units);
      writeMemory(out, series, gauges, units, units.proportional && group.proportionalComplete);
      writeGauges(out, series, gauges, units);
    }
  };
}

/** Writes a sample unless its value is unknown. */
function set(out: SampleWriter, series: Series, value: number | undefined): void {
  if (value !== undefined) out.set(series, value);
}

function writeCounters(out: SampleWriter, to: GroupSeries, { totals }: Group, { ticksPerSecond }: KernelUnits): void {
  set(out, to.user, (known(totals, USER) ?? 0) / ticksPerSecond);
  set(out, to.system, (known(totals, SYSTEM) ?? 0) / ticksPerSecond);
  set(out, to.readBytes, known(totals, READ_BYTES));
  set(out, to.writeBytes, known(totals, WRITE_BYTES));
  set(out, to.majorFaults, known(totals, MAJOR_FAULTS));
  set(out, to.minorFaults, known(totals, MINOR_FAULTS));
  set(out, to.voluntary, known(totals, VOLUNTARY));
  set(out, to.nonvoluntary, known(totals, NONVOLUNTARY));
}

function writeMemory(
  out: SampleWriter,
  to: GroupSeries,
  now: GroupGauges,
  { pageBytes }: KernelUnits,
  proportional: boolean,
): void {
  set(out, to.resident, now.residentPages * pageBytes);
  set(out, to.virtual, now.virtualBytes);
  set(out, to.swapped, now.swappedBytes);
  if (!proportional) return;
  set(out, to.proportionalResident, now.proportionalResident);
  set(out, to.proportionalSwapped, now.proportionalSwapped);
}

function writeGauges(out: SampleWriter, to: GroupSeries, now: GroupGauges, units: GroupUnits): void {
  set(out, to.processes, now.processes);
  set(out, to.threads, now.threads);
  set(out, to.fds, now.fds);
  set(out, to.worstFdRatio, now.worstFdRatio);
  set(out, to.fdsHeadroom, now.fdsHeadroom);
  // process-exporter writes the year 1 for a group without processes; there is no such time.
  const start = now.oldestStart === undefined ? undefined : units.bootTime + now.oldestStart / units.ticksPerSecond;
  set(out, to.oldestStart, start);
  // process-exporter adds the threads here when it follows them, and the main thread twice; we count processes.
  for (const [state, series] of to.states) out.set(series, now.states[state]);
}

/** Writes the counts of collections and processes that could not be read. */
export function writeErrors(out: SampleWriter, errors: ScrapeErrors): void {
  out.add('namedprocess_scrape_errors', errors.scrape);
  out.add('namedprocess_scrape_procread_errors', errors.processRead);
  out.add('namedprocess_scrape_partial_errors', errors.partial);
}

/** Writes the CPU time that no look at the processes saw, from the second collection on. */
export function writeUnseen(
  out: SampleWriter,
  { unseenTicks }: Pick<Accumulated, 'unseenTicks'>,
  { ticksPerSecond }: Pick<KernelUnits, 'ticksPerSecond'>,
): void {
  if (unseenTicks !== undefined) out.add(UNSEEN_CHILDREN, unseenTicks / ticksPerSecond);
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
