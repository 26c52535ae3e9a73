// The processes we know, each by its pid and start time: a pid is used again, the pair never is.
import { known, SYSTEM, unknownCounters, USER, type Counters } from './counters.ts';
import type { Group } from './groups.ts';
import type { Thread } from './read-thread.ts';
import type { Proportional } from './smaps.ts';
import { parseStat, type Stat } from './stat.ts';
import { countEnded, countParent, type Unseen } from './unseen.ts';

/** The files of a process that can be refused, in the words of `jdos_processes_unreadable`. */
export const PARTS = ['fd', 'io', 'status', 'limits', 'exe', 'cgroup', 'smaps_rollup'] as const;
export type Part = (typeof PARTS)[number];
export const REASONS = ['permission', 'failed', 'quarantined'] as const;
export type Reason = (typeof REASONS)[number];

/** What is known of one process. Everything optional is absent until it could be read. Times are uptimes in seconds. */
export interface Tracked {
  readonly pid: number;
  stat: Stat;
  /** The file that `stat` was parsed from: one that reads the same has not changed. */
  statBytes: Buffer;
  /** The stat file was the same in this collection as in the one before: it did nothing worth a tick of the clock. */
  idle: boolean;
  /** The collection in which it was not. */
  ranIn: number;
  /** The collection that saw it last. */
  cycle: number;
  /** It started after the first collection: its counters count from zero. */
  readonly born: boolean;
  /** The values its counters had when they were last read. */
  readonly counters: Counters;
  /** CPU ticks at the collection before. */
  ticksBefore: number | undefined;
  /** Kernel threads have none, nor has who is in a container that waits for its name. */
  group: Group | undefined;
  /** The path of the cgroup of its container; undefined: it is in none, or nobody has looked. */
  containerPath: string | undefined;
  /** Whether that was looked at since it began this program. */
  placed: boolean;
  /** What the operator's names made of its command line. */
  named: { readonly cmdline: string; readonly group: string | undefined; askedIn: number } | undefined;
  /** The group of an ancestor, where it has none of its own. */
  inherited: string | undefined;
  /** By id, where they are followed. */
  threads: Map<number, Thread> | undefined;
  exe: string | undefined;
  uid: number | undefined;
  fds: number | undefined;
  fdsAt: number | undefined;
  fdLimit: number | undefined;
  swappedBytes: number | undefined;
  /** When io and status were last tried. */
  slowAt: number | undefined;
  proportional: Proportional | undefined;
  sampledAt: number | undefined;
  /** Since when it was seen in state D without using CPU. */
  stuckSince: number | undefined;
  /** The CPU ticks it has in that state. */
  stuckTicks: number;
  readonly unreadable: { [part in Part]?: Reason | undefined };
  /** For the details: what was read late, and only if it was listed. */
  cmdline: string | null | undefined;
  containerId: string | null | undefined;
  describedAt: number | undefined;
}

export type Table = Map<number, Tracked>;

export const cpuTicks = (stat: Stat): number => stat.user + stat.system;

const NOTHING = Buffer.alloc(0);

/** A process seen for the first time. */
const newTracked = (pid: number, stat: Stat, born: boolean): Tracked => ({
  pid,
  stat,
  statBytes: NOTHING,
  idle: false,
  ranIn: -1,
  cycle: -1,
  born,
  counters: unknownCounters(),
  ticksBefore: born ? 0 : undefined,
  group: undefined,
  containerPath: undefined,
  placed: false,
  named: undefined,
  inherited: undefined,
  threads: undefined,
  exe: undefined,
  uid: undefined,
  fds: undefined,
  fdsAt: undefined,
  fdLimit: undefined,
  swappedBytes: undefined,
  slowAt: undefined,
  proportional: undefined,
  sampledAt: undefined,
  stuckSince: undefined,
  stuckTicks: 0,
  unreadable: {},
  cmdline: undefined,
  containerId: undefined,
  describedAt: undefined,
});

/** What an earlier probe process knew of a process. */
export interface Remembered {
  readonly start: number;
  readonly counters: Counters;
  readonly proportional: Proportional | undefined;
  readonly sampledAt: number | undefined;
  readonly stuckSince: number | undefined;
  readonly threads?: Map<number, Thread> | undefined;
}

interface Sighting {
  readonly cycle: number;
  /** Uptime in seconds. */
  readonly now: number;
  /** The clock tick of the first collection. */
  readonly firstTick: number;
  /** By pid; taken over by the process that is still the same. */
  readonly remembered: Map<number, Remembered>;
  readonly unseen: Unseen;
}

/**
 * Finds or adds the process that a stat file describes. The one that had its pid before has ended. Undefined: it is no
 * stat file. `bytes` are copied only when they are news.
 */
export function sight(table: Table, pid: number, bytes: Buffer, sighting: Sighting): Tracked | undefined {
  const before = table.get(pid);
  const process = before?.statBytes.equals(bytes) === true ? same(before) : changed(table, pid, bytes, sighting);
  if (process === undefined) return undefined;
  process.cycle = sighting.cycle;
  markStuck(process, sighting.now);
  return process;
}

function same(process: Tracked): Tracked {
  process.idle = true;
  process.ticksBefore = cpuTicks(process.stat);
  return process;
}

function changed(table: Table, pid: number, bytes: Buffer, sighting: Sighting): Tracked | undefined {
  const stat = parseStat(bytes);
  if (stat === undefined) return undefined;
  let process = table.get(pid);
  countParent(sighting.unseen, process?.stat, stat);
  if (process === undefined || process.stat.start !== stat.start) {
    process = newTracked(pid, stat, stat.start >= sighting.firstTick);
    recall(process, sighting.remembered);
    table.set(pid, process);
  } else {
    process.ticksBefore = cpuTicks(process.stat);
    if (process.stat.comm !== stat.comm) forgetProgram(process);
    process.stat = stat;
  }
  process.idle = false;
  process.ranIn = sighting.cycle;
  if (process.statBytes.length === bytes.length) bytes.copy(process.statBytes);
  else process.statBytes = Buffer.from(bytes);
  return process;
}

function recall(process: Tracked, remembered: Map<number, Remembered>): void {
  const before = remembered.get(process.pid);
  remembered.delete(process.pid);
  if (before === undefined || before.start !== process.stat.start) return;
  process.counters.set(before.counters);
  process.proportional = before.proportional;
  process.sampledAt = before.sampledAt;
  process.stuckSince = before.stuckSince;
  process.threads = before.threads;
  process.ticksBefore = (known(before.counters, USER) ?? 0) + (known(before.counters, SYSTEM) ?? 0);
  process.stuckTicks = process.ticksBefore;
}

/** After execve(2) or a new name: what was cached of the program is read anew. */
function forgetProgram(process: Tracked): void {
  process.named = undefined;
  process.inherited = undefined;
  process.exe = undefined;
  process.placed = false;
  process.describedAt = undefined;
}

/** Only the main thread's state stands in the stat file: another thread stuck in D is not seen. */
function markStuck(process: Tracked, now: number): void {
  const ticks = cpuTicks(process.stat);
  if (process.stat.state !== 'D') process.stuckSince = undefined;
  else if (process.stuckSince === undefined || process.stuckTicks !== ticks) process.stuckSince = now;
  process.stuckTicks = ticks;
}

/** Forgets the processes that have ended. One whose stat file could not be read is `unread`, and not forgotten. */
export function forgetEnded(table: Table, cycle: number, unread: ReadonlyMap<number, unknown>, unseen: Unseen): void {
  for (const [pid, process] of table) {
    if (process.cycle === cycle || unread.has(pid)) continue;
    table.delete(pid);
    countEnded(unseen, process.stat);
  }
}
