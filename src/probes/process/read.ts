// Reads the files of the processes, each as often as its cost allows.
import { systemCode } from '../../base/fault.ts';
import { QUARANTINED, readFailure, type HostFiles } from '../host-files.ts';
import type { Counters } from './counters.ts';
import { parseIo } from './io.ts';
import { parseOpenFilesLimit } from './limits.ts';
import { dueForSample, parseSmapsRollup } from './smaps.ts';
import type { Stat } from './stat.ts';
import { parseStatus } from './status.ts';
import type { Part, Reason, Tracked } from './table.ts';

/** One pass over the processes. Times are uptimes in seconds. */
export interface Pass {
  readonly host: HostFiles;
  readonly cycle: number;
  readonly now: number;
  readonly intervalSeconds: number;
  readonly fdsBySize: boolean;
  readonly withExe: boolean;
  /** Processes of which something could not be read in this pass. */
  readonly partial: Set<number>;
}

/** Limits and programs hardly change, and what was refused hardly becomes allowed: asked in each tenth collection. */
const REFRESH_CYCLES = 10;
const OLDEST_SECONDS = 60;
/** Directory entries listed in one pass where the kernel does not count the fds for us; 14 ms for each 10,000. */
const FD_ENTRIES = 20_000;

/** Staggered by pid, so that each collection costs the same. */
const isTurn = ({ pid }: Tracked, { cycle }: Pass, every: number): boolean => (pid + cycle) % every === 0;

/** Why something could not be read; undefined when it is no longer there, which is no failure. */
function failureReason(error: unknown): Reason | undefined {
  if (systemCode(error) === QUARANTINED.code) return 'quarantined';
  const failure = readFailure(error);
  return failure === 'absent' ? undefined : failure;
}

/**
 * Reads one part of a process and notes when it is refused. Undefined: refused, or gone. `read` gives null when there is
 * nothing to read, and undefined when what it read makes no sense.
 */
function attempt<T>(process: Tracked, part: Part, pass: Pass, read: () => T | null | undefined): T | undefined {
  if (process.unreadable[part] === 'permission' && !isTurn(process, pass, REFRESH_CYCLES)) return undefined;
  let reason: Reason | undefined = 'failed';
  try {
    const value = read();
    if (value !== undefined) {
      process.unreadable[part] = undefined;
      return value ?? undefined;
    }
  } catch (error) {
    reason = failureReason(error);
  }
  process.unreadable[part] = reason;
  if (reason !== undefined) pass.partial.add(process.pid);
  return undefined;
}

/** An empty file is what the kernel gives of a process that ends at this moment. */
const parsed =
  <T>(host: HostFiles, path: string, parse: (bytes: Buffer) => T | undefined) =>
  (): T | null | undefined => {
    const bytes = host.piece(path);
    return bytes.length === 0 ? null : parse(bytes);
  };

const statCounters = (stat: Stat): Counters => ({
  user: stat.user,
  system: stat.system,
  minorFaults: stat.minorFaults,
  majorFaults: stat.majorFaults,
});

/** Reads what is due of a process whose stat was just read. Returns the counters that were read. */
export function readProcess(process: Tracked, pass: Pass): Counters {
  const counters = statCounters(process.stat);
  const { pid, stat } = process;
  if (stat.kernel) return counters;
  if (isSlowDue(process, pass)) readSlow(process, pass, counters);
  if (stat.state === 'Z') {
    emptyZombie(process);
    return counters;
  }
  if (pass.fdsBySize) process.fds = attempt(process, 'fd', pass, () => pass.host.size(`/proc/${pid}/fd`));
  const refresh = isTurn(process, pass, REFRESH_CYCLES);
  if (process.fdLimit === undefined || refresh) {
    const limits = parsed(pass.host, `/proc/${pid}/limits`, parseOpenFilesLimit);
    process.fdLimit = attempt(process, 'limits', pass, limits);
  }
  if (pass.withExe && (process.exe === undefined || refresh)) {
    process.exe = attempt(process, 'exe', pass, () => baseName(pass.host.link(`/proc/${pid}/exe`))) ?? process.exe;
  }
  return counters;
}

/** A zombie has given back its memory and its files; what was refused before is no longer refused. */
function emptyZombie(process: Tracked): void {
  process.fds = 0;
  process.swappedBytes = 0;
  process.proportional = { residentBytes: 0, swappedBytes: 0 };
  process.unreadable.fd = undefined;
  process.unreadable.smaps_rollup = undefined;
}

/** Each second collection, when first seen, and before the last values get too old. */
const isSlowDue = (process: Tracked, pass: Pass): boolean =>
  process.slowAt === undefined ||
  isTurn(process, pass, 2) ||
  pass.now + pass.intervalSeconds - process.slowAt > OLDEST_SECONDS;

function readSlow(process: Tracked, pass: Pass, counters: Counters): void {
  process.slowAt = pass.now;
  const io = attempt(process, 'io', pass, parsed(pass.host, `/proc/${process.pid}/io`, parseIo));
  if (io !== undefined) Object.assign(counters, io);
  const status = attempt(process, 'status', pass, parsed(pass.host, `/proc/${process.pid}/status`, parseStatus));
  counters.voluntary = status?.voluntary;
  counters.nonvoluntary = status?.nonvoluntary;
  process.uid = status?.uid ?? process.uid;
  process.swappedBytes = status?.swappedBytes;
}

/** The program's name; the kernel marks one that was replaced on disk. */
export const baseName = (exe: string): string =>
  exe.slice(exe.lastIndexOf('/') + 1).replace(/ \(deleted\)$/, '') || exe;

/** Counts fds by listing them (before Linux 6.2): the longest not counted first, within the budget of a pass. */
export function listFds(processes: readonly Tracked[], pass: Pass): void {
  const waiting = processes
    .filter(({ stat }) => !stat.kernel && stat.state !== 'Z')
    .sort((a, b) => (a.fdsAt ?? -1) - (b.fdsAt ?? -1));
  let left = FD_ENTRIES;
  for (const process of waiting) {
    if (left <= 0) return;
    process.fds = attempt(process, 'fd', pass, () => pass.host.list(`/proc/${process.pid}/fd`).length);
    process.fdsAt = pass.now;
    left -= 1 + (process.fds ?? 0);
  }
}

/**
 * Samples the proportional memory of some processes, for at most `budgetMs`. The file takes the process's mmap_lock, so
 * it can hang; whoever is in state D may hold that lock and is left alone.
 */
export function sample(processes: readonly Tracked[], pass: Pass, everySeconds: number, budgetMs: number): void {
  const candidates = processes.filter(({ stat }) => !stat.kernel && stat.state !== 'Z' && stat.state !== 'D');
  const until = performance.now() + budgetMs;
  for (const process of dueForSample(candidates, pass.now, { everySeconds, intervalSeconds: pass.intervalSeconds })) {
    const read = parsed(pass.host, `/proc/${process.pid}/smaps_rollup`, parseSmapsRollup);
    process.proportional = attempt(process, 'smaps_rollup', pass, () =>
      pass.host.risky(`pid ${process.pid} smaps_rollup`, read),
    );
    process.sampledAt = pass.now;
    if (performance.now() > until) return;
  }
}
