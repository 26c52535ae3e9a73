// Reads the figures of one group, each as often as its cost allows.
import { readCpuLimits, readCpuUsage } from '../cgroup/cpu.ts';
import { readCpus } from '../cgroup/cpuset.ts';
import { key, valueOf } from '../cgroup/flat.ts';
import { Cgroup } from '../cgroup/group.ts';
import { readIo } from '../cgroup/io.ts';
import type { CgroupLayout } from '../cgroup/layout.ts';
import {
  readMemoryLimits,
  readMemoryStat,
  readMemoryUsage,
  readOwnOomKills,
  type MemoryStat,
} from '../cgroup/memory.ts';
import { readPids } from '../cgroup/pids.ts';
import { readPressure } from '../cgroup/pressure.ts';
import type { HostFiles } from '../host-files.ts';
import { parseMeminfo } from '../kernel/meminfo.ts';
import { ROOT, type Tracked } from './table.ts';

/** One pass over the groups. Times are uptimes in seconds. */
export interface Pass {
  readonly host: HostFiles;
  readonly layout: CgroupLayout;
  readonly now: number;
  readonly ticksPerSecond: number;
}

/** The kernel adds up all CPUs under a lock for memory.stat: of containers twice a minute, of what sums them up once. */
const STAT_SECONDS = 30;
const STAT_SECONDS_OF_SUMS = 60;
const LIMITS_SECONDS = 60;

/** Reads what is due. */
export function readGroup(tracked: Tracked, pass: Pass): void {
  const { group, reading } = tracked;
  reading.cpu = readCpuUsage(group, pass.ticksPerSecond);
  reading.io = readIo(group);
  reading.cpuWaits = readPressure(group, 'cpu');
  reading.memoryWaits = readPressure(group, 'memory');
  reading.ioWaits = readPressure(group, 'io');
  if (tracked.path === ROOT) readRoot(tracked, pass.host);
  else readMemory(tracked, pass);
  if (tracked.place.kind === 'slice') readDescendants(tracked);
  if (tracked.path === ROOT || tracked.limitsAt + LIMITS_SECONDS > pass.now) return;
  tracked.limitsAt = pass.now;
  group.askAgain();
  reading.cpuLimits = readCpuLimits(group);
  reading.memoryLimits = readMemoryLimits(group);
  reading.cpus = readCpus(group);
}

function readMemory(tracked: Tracked, pass: Pass): void {
  const { group, reading, place } = tracked;
  reading.memory = readMemoryUsage(group);
  reading.oomKills = oomKills(tracked, pass);
  reading.pids = readPids(group);
  const seconds = place.kind === 'container' ? STAT_SECONDS : STAT_SECONDS_OF_SUMS;
  if (tracked.statAt + seconds > pass.now) return;
  // The first is read at once; the second at a time of its own, so that not all of them are due together.
  tracked.statAt = tracked.statAt === -Infinity ? pass.now - (tracked.inode % seconds) : pass.now;
  reading.memoryStat = readMemoryStat(group);
}

/** v1 counts the kills of each group for itself. */
function oomKills({ group, reading, members }: Tracked, { host, layout }: Pass): number | undefined {
  let kills = reading.memory?.events?.oomKill;
  if (kills === undefined || !group.isV1('memory')) return kills;
  for (const path of members.below) kills += readOwnOomKills(new Cgroup(host, layout, path)) ?? 0;
  return kills;
}

const DESCENDANTS = key('nr_descendants');
const DYING = key('nr_dying_descendants');

/** Dying groups are those that were removed and still hold memory: they make memory.stat slow. */
function readDescendants({ group, reading }: Tracked): void {
  const bytes = group.bytes('cgroup.stat');
  reading.descendants = bytes === undefined ? undefined : valueOf(bytes, DESCENDANTS);
  reading.dying = bytes === undefined ? undefined : valueOf(bytes, DYING);
}

/** The whole host: memory.stat of the root takes seconds on large hosts, /proc/meminfo says the same at once. */
function readRoot({ reading }: Tracked, host: HostFiles): void {
  const info = parseMeminfo(host.text('/proc/meminfo'));
  const of = (name: string): number | undefined => info.get(`node_memory_${name}`);
  const less = (a: string, b: string): number | undefined => {
    const [from, take] = [of(a), of(b)];
    return from === undefined || take === undefined ? undefined : from - take;
  };
  reading.memory = {
    usage: less('MemTotal_bytes', 'MemFree_bytes'),
    peak: undefined,
    swap: less('SwapTotal_bytes', 'SwapFree_bytes'),
    failures: undefined,
    events: undefined,
  };
  const [active, inactive] = [of('Active_file_bytes'), of('Inactive_file_bytes')];
  reading.memoryStat = {
    ...NO_STAT,
    anon: of('AnonPages_bytes'),
    file: active === undefined || inactive === undefined ? undefined : active + inactive,
    mapped: of('Mapped_bytes'),
    activeFile: active,
    inactiveFile: inactive,
    dirty: of('Dirty_bytes'),
    writeback: of('Writeback_bytes'),
  };
  const total = of('MemTotal_bytes');
  reading.memoryLimits = { max: total, high: undefined, low: undefined, min: undefined, swap: of('SwapTotal_bytes') };
}

const NO_STAT: MemoryStat = {
  anon: undefined,
  file: undefined,
  mapped: undefined,
  kernel: undefined,
  swap: undefined,
  inactiveFile: undefined,
  activeFile: undefined,
  dirty: undefined,
  writeback: undefined,
  faults: undefined,
  majorFaults: undefined,
  ownFaults: undefined,
  ownMajorFaults: undefined,
  scanned: undefined,
  reclaimed: undefined,
  refaultedFile: undefined,
  refaultedAnon: undefined,
};
