// Where the kernel tells of no starts and ends: the CPU time of children that came and went between two looks at /proc, as it
// appears in what their parents have waited for (netdata's apps.plugin does so too).
import { readFailure, type HostFiles } from '../host-files.ts';
import { unsigned } from '../kernel/text.ts';
import { readUnits, readUptime } from '../process/boot.ts';
import { decimalAt } from '../process/bytes.ts';

/** Of one process, in clock ticks. */
interface Times {
  /** Between the boot and its start: tells it from another of the same pid. */
  readonly start: number;
  /** CPU time of its own and of the children that it waited for. */
  readonly used: number;
  /** Of those children alone. */
  readonly reaped: number;
}

/** All processes at one time. */
export interface Look {
  /** In clock ticks since the boot. */
  readonly at: number;
  readonly processes: ReadonlyMap<number, Times>;
}

const SPACE = 0x20;
const STATE = 3; // counted as in proc_pid_stat(5)
const UTIME = 14;
const START = 22;

/** What is needed of `/proc/PID/stat`; undefined when it is not one. */
export function parseTimes(stat: Buffer): Times | undefined {
  const close = stat.lastIndexOf(')');
  if (close === -1) return undefined;
  const times: number[] = [];
  let at = close + 2;
  for (let field = STATE; field <= START; field += 1) {
    if (field >= UTIME) times.push(decimalAt(stat, at) ?? Number.NaN);
    at = stat.indexOf(SPACE, at) + 1;
    if (at === 0) return undefined;
  }
  const [user = NaN, system = NaN, childUser = NaN, childSystem = NaN, , , , , start = NaN] = times;
  const reaped = childUser + childSystem;
  const used = user + system + reaped;
  return Number.isNaN(used + start) ? undefined : { start, used, reaped };
}

/**
 * Clock ticks that children used of which nobody saw it: what all parents gained, less what was seen of those that are gone.
 * At least so much: of children that nobody waits for nothing appears anywhere.
 */
export function unseenTicks(before: Look, now: Look): number {
  let ticks = 0;
  for (const [pid, { start, reaped }] of now.processes) {
    const known = before.processes.get(pid);
    if (known?.start === start) ticks += Math.max(0, reaped - known.reaped);
    else if (start >= before.at) ticks += reaped;
  }
  for (const [pid, { start, used }] of before.processes) {
    if (now.processes.get(pid)?.start !== start) ticks -= used;
  }
  return Math.max(0, ticks);
}

/** Returns what gives the seconds that were found at each look; undefined at the first one. */
export function openUnseen(host: HostFiles): () => number | undefined {
  const { ticksPerSecond } = readUnits(host);
  let before: Look | undefined;
  return () => {
    const now = look(host, ticksPerSecond);
    const seconds = before === undefined ? undefined : unseenTicks(before, now) / ticksPerSecond;
    before = now;
    return seconds;
  };
}

function look(host: HostFiles, ticksPerSecond: number): Look {
  const at = Math.floor(readUptime(host) * ticksPerSecond);
  const processes = new Map<number, Times>();
  for (const name of host.list('/proc')) {
    const pid = unsigned(name);
    const times = pid === undefined ? undefined : readTimes(host, pid);
    if (pid !== undefined && times !== undefined) processes.set(pid, times);
  }
  return { at, processes };
}

function readTimes(host: HostFiles, pid: number): Times | undefined {
  try {
    return parseTimes(host.piece(`/proc/${pid}/stat`));
  } catch (error) {
    if (readFailure(error) === 'failed') throw error;
    return undefined; // it has ended, or is hidden from us
  }
}
