// One pass over /proc: finds the processes, reads what is due of each, and adds up their groups.
import { readFailure, type HostFiles } from '../host-files.ts';
import type { ProbesConfig } from '../config.ts';
import type { KernelUnits } from './boot.ts';
import type { Containers, Ownership } from './containers.ts';
import { advance, mark, NONVOLUNTARY, passOver, unknownCounters, VOLUNTARY } from './counters.ts';
import { forgetOwners, groupFor, groupKey, summarize, type Group } from './groups.ts';
import type { Naming } from './naming.ts';
import { listFds, readProcess, sample, type Pass } from './read.ts';
import type { Accumulated } from './saved.ts';
import type { Threads } from './threads.ts';
import { forgetEnded, PARTS, sight, type Part, type Reason, type Tracked } from './table.ts';
import { unseenTicks, type Unseen } from './unseen.ts';

/** What a pass found. Times are uptimes in seconds. */
export interface Scan {
  readonly seen: readonly Tracked[];
  /** The files that were asked for in this configuration. */
  readonly parts: readonly Part[];
  /** Processes whose stat file could not be read, by reason. */
  readonly unreadStats: Readonly<Partial<Record<Reason, number>>>;
  readonly droppedGroups: number;
  readonly now: number;
  /** Seconds since the pass before; undefined in the first one. */
  readonly elapsed: number | undefined;
}

interface ScanInput {
  readonly host: HostFiles;
  readonly config: ProbesConfig;
  readonly units: KernelUnits;
  readonly fdsBySize: boolean;
  readonly naming: Naming;
  /** Undefined where containers are not told apart. */
  readonly containers: Containers | undefined;
  /** Undefined where none are followed. */
  readonly threads: Threads | undefined;
  /** Unix seconds at boot. */
  readonly bootTime: number;
  readonly cycle: number;
  /** Uptime in seconds, taken before the pass: what starts during it counts as born after it. */
  readonly now: number;
  /** Seconds between passes, for the first one. */
  readonly periodSeconds: number;
}

/** Share of the deadline that sampling smaps_rollup may take. */
const SAMPLING_SHARE = 0.25;

/** Reads all processes into `state`. Throws when /proc cannot be listed or shows no process. */
export function scanProcesses(state: Accumulated, input: ScanInput): Scan {
  const { host, config, now } = input;
  state.firstTick ??= Math.floor(now * input.units.ticksPerSecond);
  const elapsed = state.lastAt === undefined || state.lastAt >= now ? undefined : now - state.lastAt;
  const lastTick = state.lastAt === undefined ? Infinity : Math.floor(state.lastAt * input.units.ticksPerSecond);
  const unseen: Unseen = { lastTick, ticks: 0 };
  const pass: Pass = {
    host,
    cycle: input.cycle,
    now,
    intervalSeconds: elapsed ?? input.periodSeconds,
    fdsBySize: input.fdsBySize,
    withExe: input.naming.withExe,
    containers: input.containers?.begin(input.cycle, now) === true ? input.containers : undefined,
    threads: input.threads,
    lastTick,
    partial: new Set(),
    read: unknownCounters(),
  };
  pass.threads?.begin();
  const { seen, unread, dropped } = visit(state, pass, unseen, input);
  pass.containers?.end();
  pass.threads?.end(now);
  if (seen.length === 0) throw new Error('no process could be read');
  if (!input.fdsBySize) listFds(seen, pass);
  forget(state, pass, unread, unseen);
  if (state.lastAt !== undefined) state.unseenTicks = (state.unseenTicks ?? 0) + unseenTicks(unseen);
  sample(seen, pass, config.processes.smapsSeconds, config.deadlineSeconds * 1000 * SAMPLING_SHARE);
  state.errors.processRead += unread.size;
  state.errors.partial += pass.partial.size;
  sumUp(state, seen);
  forgetOwners(state.groups, state.owners, now);
  state.lastAt = now;
  return {
    seen,
    parts: partsAsked(config, pass),
    unreadStats: countBy(unread.values()),
    droppedGroups: dropped.size,
    now,
    elapsed,
  };
}

/** Reads each process once and adds what it did since the last pass to its group. */
function visit(state: Accumulated, pass: Pass, unseen: Unseen, { config, naming, bootTime, units }: ScanInput) {
  const { maxGroups } = config.processes;
  const startedAt = (ticks: number): number => bootTime + ticks / units.ticksPerSecond;
  const asked = { host: pass.host, cycle: pass.cycle, table: state.table, startedAt };
  const seen: Tracked[] = [];
  const unread = new Map<number, Reason>();
  const dropped = new Set<string>();
  const { remembered, firstTick = 0 } = state;
  const sighting = { cycle: pass.cycle, now: pass.now, firstTick, remembered, unseen };
  for (const name of pass.host.list('/proc')) {
    const pid = parsePid(name);
    if (pid === undefined) continue;
    const bytes = readStat(pass.host, pid);
    if (bytes === 'ended') continue;
    const process = typeof bytes === 'string' ? undefined : sight(state.table, pid, bytes, sighting);
    if (process === undefined) {
      unread.set(pid, typeof bytes === 'string' ? bytes : 'failed');
      continue;
    }
    readProcess(process, pass);
    seen.push(process);
    const wanted = process.stat.kernel ? undefined : naming.groupOf(process, asked);
    const owner = process.containerPath === undefined ? undefined : pass.containers?.ownerOf(process.containerPath);
    if (owner === 'waiting') {
      process.group = undefined;
      mark(process.counters, pass.read, process.born);
      continue;
    }
    if (!isIn(process.group, wanted, owner))
      process.group = wanted === undefined ? undefined : groupFor(state.groups, wanted, owner, maxGroups);
    if (wanted !== undefined && process.group?.name !== wanted) dropped.add(groupKey(wanted, owner));
    if (pass.threads?.follow(process, pass) === true) passOver(process.counters, pass.read, VOLUNTARY, NONVOLUNTARY);
    advance(process.counters, pass.read, process.born, process.group?.totals);
  }
  return { seen, unread, dropped };
}

const isIn = (group: Group | undefined, name: string | undefined, owner: Ownership): boolean =>
  group !== undefined && group.name === name && group.owner === owner && !group.ended;

const partsAsked = ({ processes }: ProbesConfig, { withExe, containers }: Pass): Part[] => {
  const asked: Partial<Record<Part, boolean>> = {
    exe: withExe,
    cgroup: containers !== undefined,
    smaps_rollup: processes.smapsSeconds > 0,
  };
  return PARTS.filter((part) => asked[part] ?? true);
};

const parsePid = (name: string): number | undefined => (/^[1-9][0-9]{0,9}$/.test(name) ? Number(name) : undefined);

/** The bytes are valid until the next read. A process that ends while we read it is not an error. */
function readStat(host: HostFiles, pid: number): Buffer | 'ended' | Reason {
  try {
    const bytes = host.piece(`/proc/${pid}/stat`);
    return bytes.length === 0 ? 'ended' : bytes;
  } catch (error) {
    const failure = readFailure(error);
    return failure === 'absent' ? 'ended' : failure;
  }
}

function forget(
  { table, remembered }: Accumulated,
  { cycle }: Pass,
  unread: ReadonlyMap<number, Reason>,
  unseen: Unseen,
): void {
  forgetEnded(table, cycle, unread, unseen);
  for (const pid of remembered.keys()) if (!unread.has(pid)) remembered.delete(pid);
}

/** Sums up the groups, and notes which had all members sampled: before that their proportional memory is unknown. */
function sumUp({ groups }: Accumulated, seen: readonly Tracked[]): void {
  summarize(seen, groups);
  for (const group of groups.values()) {
    if (group.gauges.processes > 0 && group.gauges.unsampled === 0) group.proportionalComplete = true;
  }
}

function countBy(reasons: Iterable<Reason>): Partial<Record<Reason, number>> {
  const counts: Partial<Record<Reason, number>> = {};
  for (const reason of reasons) counts[reason] = (counts[reason] ?? 0) + 1;
  return counts;
}
