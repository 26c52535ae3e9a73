// Reads the files of one thread, /proc/PID/task/TID (proc_pid_task(5)), each as often as its cost allows.
import type { HostFiles } from '../host-files.ts';
import {
  MAJOR_FAULTS,
  MINOR_FAULTS,
  NONVOLUNTARY,
  READ_BYTES,
  SYSTEM,
  unknownCounters,
  USER,
  VOLUNTARY,
  WRITE_BYTES,
  type Counters,
} from './counters.ts';
import { parseIo } from './io.ts';
import type { Pass } from './read.ts';
import { parseStat, type Stat } from './stat.ts';
import { parseStatus } from './status.ts';

/** A thread, known by its id and start: an id is used again, the pair never is. */
export interface Thread {
  /** Clock ticks since boot. */
  readonly start: number;
  name: string;
  /** Its stat file: one that reads the same has not changed. */
  statBytes: Buffer;
  /** It started after the collection before it was first seen: it counts whole. */
  readonly born: boolean;
  /** The values its counters had when they were counted last. */
  readonly counters: Counters;
  /** What was read in this collection; NaN where nothing was. */
  readonly read: Counters;
  /** The function of the kernel it waits in, as it was when it did something last. */
  wait: string | undefined;
  /** Uptime in seconds when all its files were read. */
  readAt: number;
  /** The collection that saw it last. */
  cycle: number;
}

const NOTHING = Buffer.alloc(0);

/** A thread of which only this is known. */
export const newThread = (start: number, born: boolean, counters: Counters): Thread => ({
  start,
  name: '',
  statBytes: NOTHING,
  born,
  counters,
  read: unknownCounters(),
  wait: undefined,
  readAt: -Infinity,
  cycle: -1,
});

/** A thread that rests is not asked for more than its stat for so long. */
const OLDEST_SECONDS = 60;

/** Reads a thread into the table of its process; `fresh`: a new one counts whole. Undefined: it has ended. */
export function readThread(
  table: Map<number, Thread>,
  { pid, tid, fresh }: { readonly pid: number; readonly tid: number; readonly fresh: boolean },
  pass: Pass,
): Thread | undefined {
  const directory = `/proc/${pid}/task/${tid}`;
  const bytes = read(pass.host, `${directory}/stat`);
  if (bytes === undefined) return undefined;
  const before = table.get(tid);
  const rests = before?.statBytes.equals(bytes) === true;
  if (rests && pass.now - before.readAt < OLDEST_SECONDS) {
    before.read.fill(Number.NaN);
    before.cycle = pass.cycle;
    return before;
  }
  const stat = parseStat(bytes);
  if (stat === undefined) return undefined;
  let thread = before;
  if (thread === undefined || thread.start !== stat.start) {
    thread = newThread(stat.start, fresh || stat.start >= pass.lastTick, unknownCounters());
    table.set(tid, thread);
  }
  if (!rests) thread.statBytes = Buffer.from(bytes);
  thread.name = stat.comm;
  thread.cycle = pass.cycle;
  thread.readAt = pass.now;
  readCounters(thread, stat, directory, pass.host);
  const wait = read(pass.host, `${directory}/wchan`)?.toString('utf8').trim();
  thread.wait = wait === '' || wait === '0' ? undefined : wait;
  return thread;
}

function readCounters({ read: into }: Thread, stat: Stat, directory: string, host: HostFiles): void {
  into[USER] = stat.user;
  into[SYSTEM] = stat.system;
  into[MINOR_FAULTS] = stat.minorFaults;
  into[MAJOR_FAULTS] = stat.majorFaults;
  const status = parsed(host, `${directory}/status`, parseStatus);
  into[VOLUNTARY] = status?.voluntary ?? Number.NaN;
  into[NONVOLUNTARY] = status?.nonvoluntary ?? Number.NaN;
  const io = parsed(host, `${directory}/io`, parseIo);
  into[READ_BYTES] = io?.readBytes ?? Number.NaN;
  into[WRITE_BYTES] = io?.writeBytes ?? Number.NaN;
}

const parsed = <T>(host: HostFiles, path: string, parse: (bytes: Buffer) => T | undefined): T | undefined => {
  const bytes = read(host, path);
  return bytes === undefined ? undefined : parse(bytes);
};

/** Undefined where it may not be read, which is counted for its process, and where it has ended. */
function read(host: HostFiles, path: string): Buffer | undefined {
  try {
    const bytes = host.piece(path);
    return bytes.length === 0 ? undefined : bytes;
  } catch {
    return undefined;
  }
}
