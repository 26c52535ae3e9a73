// Reads the files of the processes, each as often as its cost allows.
import { systemCode } from '../../base/fault.ts';
import { QUARANTINED, readFailure, type HostFiles } from '../host-files.ts';
import type { Containers } from './containers.ts';
import {
  MAJOR_FAULTS,
  MINOR_FAULTS,
  NONVOLUNTARY,
  READ_BYTES,
  SYSTEM,
  USER,
  VOLUNTARY,
  WRITE_BYTES,
  type Counters,
} from './counters.ts';
import { parseIo } from './io.ts';
import { parseOpenFilesLimit } from './limits.ts';
import { dueForSample, parseSmapsRollup } from './smaps.ts';
import { parseStatus } from './status.ts';
import type { Part, Reason, Tracked } from './table.ts';
import type { Threads } from './threads.ts';

/** One pass over the processes. Times are uptimes in seconds. */
export interface Pass {
  readonly host: HostFiles;
  readonly cycle: number;
  readonly now: number;
  readonly intervalSeconds: number;
  readonly fdsBySize: boolean;
  readonly withExe: boolean;
  /** Undefined where containers are not told apart. */
  readonly containers: Containers | undefined;
  /** Undefined where none are followed. */
  readonly threads: Threads | undefined;
  /** The clock tick of the collection before: what started since then counts whole. */
  readonly lastTick: number;
  /** Processes of which something could not be read in this pass. */
  readonly partial: Set<number>;
  /** The counters that were read of the process at hand. */
  readonly read: Counters;
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

/** Reads what is due of a process whose stat was just read, and leaves its counters in `pass.read`. */
export function readProcess(process: Tracked, pass: Pass): void {
  const { pid, stat } = process;
  const { read } = pass;
  read.fill(Number.NaN);
  read[USER] = stat.user;
  read[SYSTEM] = stat.system;
  read[MINOR_FAULTS] = stat.minorFaults;
  read[MAJOR_FAULTS] = stat.majorFaults;
  if (stat.kernel) return;
  if (isDue(process, pass, process.slowAt, 2)) readSlow(process, pass);
  const refresh = isTurn(process, pass, REFRESH_CYCLES);
  const dead = stat.state === 'Z'; // cgroup v1 shows it in no group any more
  if (pass.containers !== undefined && (!process.placed || (refresh && !dead))) place(process, pass, pass.containers);
  if (dead) return emptyZombie(process);
  if (pass.fdsBySize && isDue(process, pass, process.fdsAt, 1)) {
    process.fds = attempt(process, 'fd', pass, () => pass.host.size(`/proc/${pid}/fd`));
    process.fdsAt = pass.now;
  }
  if (process.fdLimit === undefined || refresh) {
    const limits = parsed(pass.host, `/proc/${pid}/limits`, parseOpenFilesLimit);
    process.fdLimit = attempt(process, 'limits', pass, limits);
  }
  if (pass.withExe && (process.exe === undefined || refresh)) {
    process.exe = attempt(process, 'exe', pass, () => baseName(pass.host.link(`/proc/${pid}/exe`))) ?? process.exe;
  }
}

/** Processes hardly ever move between containers: asked when new, after execve(2), and in turn. */
function place(process: Tracked, pass: Pass, containers: Containers): void {
  const read = (): { readonly path: string | undefined } | null => {
    const bytes = pass.host.piece(`/proc/${process.pid}/cgroup`);
    return bytes.length === 0 ? null : { path: containers.pathIn(bytes) };
  };
  const found = attempt(process, 'cgroup', pass, read);
  if (found === undefined) return;
  process.containerPath = found.path;
  process.placed = true;
}

/** A zombie has given back its memory and its files; what was refused before is no longer refused. */
function emptyZombie(process: Tracked): void {
  process.fds = 0;
  process.swappedBytes = 0;
  process.proportional = { residentBytes: 0, swappedBytes: 0 };
  process.unreadable.fd = undefined;
  process.unreadable.smaps_rollup = undefined;
}

/**
 * Whether something last read at an uptime is read again: in each of `turns` collections while the process does
 * something, and of one that is idle before it would get too old: what does not run opens no file and reads no disk.
 */
function isDue(process: Tracked, pass: Pass, at: number | undefined, turns: number): boolean {
  if (at === undefined) return true;
  const every = process.idle ? Math.max(turns, Math.floor(OLDEST_SECONDS / pass.intervalSeconds) - 1) : turns;
  return isTurn(process, pass, every) || pass.now + pass.intervalSeconds - at > OLDEST_SECONDS;
}

function readSlow(process: Tracked, pass: Pass): void {
  process.slowAt = pass.now;
  const io = attempt(process, 'io', pass, parsed(pass.host, `/proc/${process.pid}/io`, parseIo));
  if (io !== undefined) {
    pass.read[READ_BYTES] = io.readBytes;
    pass.read[WRITE_BYTES] = io.writeBytes;
  }
  const status = attempt(process, 'status', pass, parsed(pass.host, `/proc/${process.pid}/status`, parseStatus));
  pass.read[VOLUNTARY] = status?.voluntary ?? Number.NaN;
  pass.read[NONVOLUNTARY] = status?.nonvoluntary ?? Number.NaN;
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
  const due = dueForSample(candidates, pass.now, { everySeconds, intervalSeconds: pass.intervalSeconds });
  if (due.length === 0) return;
  const until = performance.now() + budgetMs;
  pass.host.riskyEach('smaps_rollup', (risky) => {
    for (const process of due) {
      const read = parsed(pass.host, `/proc/${process.pid}/smaps_rollup`, parseSmapsRollup);
      process.proportional = attempt(process, 'smaps_rollup', pass, () =>
        risky(`pid ${process.pid} smaps_rollup`, read),
      );
      process.sampledAt = pass.now;
      if (performance.now() > until) return;
    }
  });
}
