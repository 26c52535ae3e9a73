// The collector of processes: /proc read in one pass, summed into named groups like process-exporter's.
import type { Collecting, Collector, CollectorContext } from '../collector.ts';
import type { HostFiles } from '../host-files.ts';
import { readBootId, readBootTime, readUnits, readUptime, sizeCountsFds, type KernelUnits } from './boot.ts';
import { openContainers } from './containers.ts';
import { openDetails } from './details.ts';
import { forgetOwners, groupFor } from './groups.ts';
import { PROCESS_METRICS } from './families.ts';
import { openGroupWriter, writeErrors, writeHost, writeUnseen } from './metrics.ts';
import { namingBy, namingOf } from './naming.ts';
import { restore, save, type Epoch } from './saved.ts';
import { scanProcesses, type Scan } from './scan.ts';
import { openThreadWriter, THREAD_METRICS } from './thread-metrics.ts';
import { openThreads } from './threads.ts';

const PERIOD_SECONDS = 15;
const BOOT_TIME_CYCLES = 40;

/**
 * Processes by group. Kernel threads are counted in `jdos_processes` but belong to no group: process-exporter's usual
 * configuration (`cmdline: ['.+']`) leaves them out as well, and a group per kworker would be without end. A zombie
 * stays in the group of its comm; process-exporter counts one it first sees dead to its parent's group.
 */
export const processes: Collector = {
  name: 'process',
  view: 'process',
  periodSeconds: PERIOD_SECONDS,
  metrics: [...PROCESS_METRICS, ...THREAD_METRICS],
  mayHang: true,
  open: openProcesses,
};

/** What stays the same while the host runs, but for the time of the boot when the clock is set. */
interface Boot {
  readonly units: KernelUnits;
  readonly fdsBySize: boolean;
  /** Unix seconds. */
  readonly time: number;
}

function openProcesses({ host, config, known, census, saved }: CollectorContext): Collecting {
  const { names, groupBy, children, maxGroups, containerLabels } = config.processes;
  const naming = names === undefined ? namingBy(groupBy) : namingOf(names, children);
  const epoch: Epoch = { bootId: readBootId(host), groupBy: naming.id };
  const state = restore(saved, epoch);
  // What was asked for and is not there is 0, not absent: an alert on it must fire.
  for (const name of naming.configured) groupFor(state.groups, name, undefined, maxGroups);
  const containers = containerLabels ? openContainers({ host, known }, state.owners) : undefined;
  const threads = openThreads(config.processes.threads, state.followed);
  // What was turned off since is not told for another five minutes.
  if (containers === undefined) forgetOwners(state.groups, state.owners, Infinity);
  if (threads === undefined) state.followed.clear();
  const writeGroups = openGroupWriter();
  const writeThreads = openThreadWriter();
  const describe = openDetails();
  let cycle = -1;
  let boot: Boot | undefined;
  let last: Scan | undefined;

  const scan = (boot: Boot): Scan =>
    scanProcesses(state, {
      host,
      config,
      naming,
      containers,
      threads,
      ...boot,
      bootTime: boot.time,
      cycle,
      now: readUptime(host),
      periodSeconds: PERIOD_SECONDS,
    });

  return {
    collect(out) {
      cycle += 1;
      try {
        boot = readBoot(host, boot, cycle);
        last = scan(boot);
        if (census !== undefined) census.states = countStates(last);
      } catch (error) {
        state.errors.scrape += 1;
        if (census !== undefined) census.states = undefined;
        throw error;
      }
      const proportional = config.processes.smapsSeconds > 0;
      writeGroups(out, state.groups, { ...boot.units, bootTime: boot.time, proportional });
      if (threads !== undefined) writeThreads(out, state.groups, threads, boot.units.ticksPerSecond);
      writeErrors(out, state.errors);
      writeUnseen(out, state, boot.units);
      writeHost(out, last);
    },
    save: () => save(state, epoch),
    details: () =>
      boot === undefined || last === undefined
        ? undefined
        : describe(last.seen, { host, cycle, ...last, ...boot.units, bootTime: boot.time }),
  };
}

function countStates({ seen }: Scan): ReadonlyMap<string, number> {
  const states = new Map<string, number>();
  for (const { stat } of seen) states.set(stat.state, (states.get(stat.state) ?? 0) + 1);
  return states;
}

/** Reads it at first; then only the boot time now and then, which moves by more than rounding when the clock is set. */
function readBoot(host: HostFiles, known: Boot | undefined, cycle: number): Boot {
  if (known === undefined) {
    return { units: readUnits(host), fdsBySize: sizeCountsFds(host), time: readBootTime(host) };
  }
  if (cycle % BOOT_TIME_CYCLES !== 0) return known;
  const time = readBootTime(host);
  return Math.abs(time - known.time) > 1 ? { ...known, time } : known;
}
