// Memory of a cgroup: usage, limits, events, and what it consists of, in the words of v1 and v2.
import { key, numberIn, valueOf } from './flat.ts';
import type { Cgroup } from './group.ts';

/** Cheap to read. Bytes and counts, with all groups below; what the kernel does not say is absent. */
export interface MemoryUsage {
  readonly usage: number | undefined;
  /** The most it ever was (v2: since Linux 5.19). */
  readonly peak: number | undefined;
  /** Of v2; v1 says it in {@link MemoryStat}. */
  readonly swap: number | undefined;
  /** How often the limit was hit. */
  readonly failures: number | undefined;
  readonly events: MemoryEvents | undefined;
}

/** v2's memory.events. Of v1 only the kills are known, and only those in the group itself. */
interface MemoryEvents {
  readonly low: number | undefined;
  readonly high: number | undefined;
  readonly max: number | undefined;
  readonly oom: number | undefined;
  readonly oomKill: number | undefined;
  readonly oomGroupKill: number | undefined;
}

const LOW = key('low');
const HIGH = key('high');
const MAX = key('max');
const OOM = key('oom');
const OOM_KILL = key('oom_kill');
const OOM_GROUP_KILL = key('oom_group_kill');

/** memory.events of v2, and memory.oom_control of v1 (Linux 4.13), which has `oom_kill` alone. */
export const parseMemoryEvents = (bytes: Buffer): MemoryEvents => ({
  low: valueOf(bytes, LOW),
  high: valueOf(bytes, HIGH),
  max: valueOf(bytes, MAX),
  oom: valueOf(bytes, OOM),
  oomKill: valueOf(bytes, OOM_KILL),
  oomGroupKill: valueOf(bytes, OOM_GROUP_KILL),
});

const readEvents = (group: Cgroup, file: string): MemoryEvents | undefined => {
  const bytes = group.bytes(file);
  return bytes === undefined ? undefined : parseMemoryEvents(bytes);
};

export function readMemoryUsage(group: Cgroup): MemoryUsage {
  if (group.isV1('memory')) {
    return {
      usage: numberIn(group.bytes('memory.usage_in_bytes')),
      peak: numberIn(group.bytes('memory.max_usage_in_bytes')),
      swap: undefined,
      failures: numberIn(group.bytes('memory.failcnt')),
      events: readEvents(group, 'memory.oom_control'),
    };
  }
  const events = readEvents(group, 'memory.events');
  return {
    usage: numberIn(group.bytes('memory.current')),
    peak: numberIn(group.bytes('memory.peak')),
    swap: numberIn(group.bytes('memory.swap.current')),
    failures: events?.max,
    events,
  };
}

/** What tells of kills as they happen; undefined on v1, which has nothing to watch. */
export const killsFile = (group: Cgroup): string | undefined =>
  group.isV1('memory') ? undefined : group.fileOf('memory.events');

/** The usage as it was, with the events as they are now; undefined when the group is gone. */
export function withEvents(group: Cgroup, before: MemoryUsage | undefined): MemoryUsage | undefined {
  const events = readEvents(group, 'memory.events');
  return events === undefined || before === undefined ? undefined : { ...before, failures: events.max, events };
}

/** How often something in the group itself was killed for want of memory: v1 does not add up what is below. */
export const readOwnOomKills = (group: Cgroup): number | undefined =>
  readEvents(group, group.isV1('memory') ? 'memory.oom_control' : 'memory.events')?.oomKill;

/** Reading it makes the kernel add up all CPUs under a lock: not for the root, and not in each collection. */
export interface MemoryStat {
  readonly anon: number | undefined;
  readonly file: number | undefined;
  readonly mapped: number | undefined;
  readonly kernel: number | undefined;
  readonly swap: number | undefined;
  readonly inactiveFile: number | undefined;
  readonly activeFile: number | undefined;
  readonly dirty: number | undefined;
  readonly writeback: number | undefined;
  readonly faults: number | undefined;
  readonly majorFaults: number | undefined;
  /** Of the group without those below it: v1 tells them apart. */
  readonly ownFaults: number | undefined;
  readonly ownMajorFaults: number | undefined;
  readonly scanned: number | undefined;
  readonly reclaimed: number | undefined;
  readonly refaultedFile: number | undefined;
  readonly refaultedAnon: number | undefined;
}

type Keys = Readonly<Record<Exclude<keyof MemoryStat, 'kernel' | 'swap'>, Buffer>>;

/** Documentation/admin-guide/cgroup-v2.rst, memory.stat. */
const V2: Keys = {
  anon: key('anon'),
  file: key('file'),
  mapped: key('file_mapped'),
  inactiveFile: key('inactive_file'),
  activeFile: key('active_file'),
  dirty: key('file_dirty'),
  writeback: key('file_writeback'),
  faults: key('pgfault'),
  majorFaults: key('pgmajfault'),
  ownFaults: key('pgfault'),
  ownMajorFaults: key('pgmajfault'),
  scanned: key('pgscan'),
  reclaimed: key('pgsteal'),
  refaultedFile: key('workingset_refault_file'),
  refaultedAnon: key('workingset_refault_anon'),
};
/** Documentation/admin-guide/cgroup-v1/memory.rst; `total_` is with the groups below. */
const V1: Keys = {
  anon: key('total_rss'),
  file: key('total_cache'),
  mapped: key('total_mapped_file'),
  inactiveFile: key('total_inactive_file'),
  activeFile: key('total_active_file'),
  dirty: key('total_dirty'),
  writeback: key('total_writeback'),
  faults: key('total_pgfault'),
  majorFaults: key('total_pgmajfault'),
  ownFaults: key('pgfault'),
  ownMajorFaults: key('pgmajfault'),
  scanned: key('total_pgscan'),
  reclaimed: key('total_pgsteal'),
  refaultedFile: key('total_workingset_refault_file'),
  refaultedAnon: key('total_workingset_refault_anon'),
};
const KERNEL = key('kernel'); // Linux 5.18
const TOTAL_SWAP = key('total_swap');

/** memory.stat of either version; keys that are not known are left out, and those that are not there are absent. */
export const parseMemoryStat = (bytes: Buffer, version: 1 | 2): MemoryStat => {
  const keys = version === 1 ? V1 : V2;
  return {
    anon: valueOf(bytes, keys.anon),
    file: valueOf(bytes, keys.file),
    mapped: valueOf(bytes, keys.mapped),
    kernel: version === 1 ? undefined : valueOf(bytes, KERNEL),
    swap: version === 1 ? valueOf(bytes, TOTAL_SWAP) : undefined,
    inactiveFile: valueOf(bytes, keys.inactiveFile),
    activeFile: valueOf(bytes, keys.activeFile),
    dirty: valueOf(bytes, keys.dirty),
    writeback: valueOf(bytes, keys.writeback),
    faults: valueOf(bytes, keys.faults),
    majorFaults: valueOf(bytes, keys.majorFaults),
    ownFaults: valueOf(bytes, keys.ownFaults),
    ownMajorFaults: valueOf(bytes, keys.ownMajorFaults),
    scanned: valueOf(bytes, keys.scanned),
    reclaimed: valueOf(bytes, keys.reclaimed),
    refaultedFile: valueOf(bytes, keys.refaultedFile),
    refaultedAnon: valueOf(bytes, keys.refaultedAnon),
  };
};

export function readMemoryStat(group: Cgroup): MemoryStat | undefined {
  const version = group.isV1('memory') ? 1 : 2;
  const bytes = group.bytes('memory.stat');
  if (bytes === undefined) return undefined;
  const stat = parseMemoryStat(bytes, version);
  return version === 2 ? stat : { ...stat, kernel: numberIn(group.bytes('memory.kmem.usage_in_bytes')) };
}

/** Bytes; Infinity is no limit. */
export interface MemoryLimits {
  readonly max: number | undefined;
  readonly high: number | undefined;
  /** What is protected from reclaim, as far as possible: v1's soft limit. */
  readonly low: number | undefined;
  readonly min: number | undefined;
  /** Of v1 memory and swap together, of v2 swap alone. */
  readonly swap: number | undefined;
}

/** v1 writes the largest number of pages for no limit. */
const unlimited = (bytes: number | undefined): number | undefined =>
  bytes !== undefined && bytes > 2 ** 62 ? Infinity : bytes;

export const readMemoryLimits = (group: Cgroup): MemoryLimits =>
  group.isV1('memory')
    ? {
        max: unlimited(numberIn(group.bytes('memory.limit_in_bytes'))),
        high: undefined,
        low: unlimited(numberIn(group.bytes('memory.soft_limit_in_bytes'))),
        min: undefined,
        swap: unlimited(numberIn(group.bytes('memory.memsw.limit_in_bytes'))),
      }
    : {
        max: numberIn(group.bytes('memory.max')),
        high: numberIn(group.bytes('memory.high')),
        low: numberIn(group.bytes('memory.low')),
        min: numberIn(group.bytes('memory.min')),
        swap: numberIn(group.bytes('memory.swap.max')),
      };
