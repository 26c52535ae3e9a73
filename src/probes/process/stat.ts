// /proc/PID/stat: identity, state, CPU time, faults and memory of a process.
import { decimalAt, isDigit } from './bytes.ts';

/** What JDOS uses of `/proc/PID/stat` (proc_pid_stat(5)). Times are in clock ticks, of the whole process. */
export interface Stat {
  /** Bytes that are not UTF-8 are U+FFFD. At most 15 bytes, for kernel workers 63. */
  readonly comm: string;
  /** The kernel's letter: R, S, D, Z, T, t, I, X… of the main thread. */
  readonly state: string;
  readonly ppid: number;
  /** A kernel thread: PF_KTHREAD is set. */
  readonly kernel: boolean;
  readonly minorFaults: number;
  readonly majorFaults: number;
  readonly user: number;
  readonly system: number;
  /** CPU time of the children that it waited for. */
  readonly reaped: number;
  readonly threads: number;
  /** Ticks between boot and start. With the pid it names a process for ever. */
  readonly start: number;
  readonly virtualBytes: number;
  readonly residentPages: number;
}

const PF_KTHREAD = 0x0020_0000; // include/linux/sched.h
const OPEN = 0x28;
const CLOSE = 0x29;
const SPACE = 0x20;
const MINUS = 0x2d;
const FIRST = 4; // ppid, counted as in proc_pid_stat(5)
const LAST = 24; // rss

/** Parses the file. Undefined when it is not one; a comm may hold spaces, parentheses and newlines. */
export function parseStat(bytes: Buffer): Stat | undefined {
  const open = bytes.indexOf(OPEN);
  const close = bytes.lastIndexOf(CLOSE); // the fields behind comm are numbers and one letter
  if (open < 2 || close < open || decimalAt(bytes, 0) === undefined) return undefined;
  const state = bytes[close + 2];
  if (bytes[close + 1] !== SPACE || state === undefined || state <= SPACE || state >= 0x7f) return undefined;
  const field = numbers(bytes, close + 3);
  if (field === undefined) return undefined;
  const at = (index: number): number => field[index - FIRST] ?? 0;
  return {
    comm: bytes.toString('utf8', open + 1, close),
    state: String.fromCharCode(state),
    ppid: at(4),
    kernel: (at(9) & PF_KTHREAD) !== 0,
    minorFaults: at(10),
    majorFaults: at(12),
    user: at(14),
    system: at(15),
    reaped: at(16) + at(17),
    threads: at(20),
    start: at(22),
    virtualBytes: at(23),
    residentPages: at(24),
  };
}

/** Fields 4 to 24; a negative one (tty group, priority) counts as 0, as none of those is used. */
function numbers(bytes: Buffer, from: number): readonly number[] | undefined {
  const field: number[] = [];
  let at = from;
  while (field.length <= LAST - FIRST) {
    if (bytes[at] !== SPACE) return undefined;
    at += 1;
    const negative = bytes[at] === MINUS;
    if (negative) at += 1;
    if (!isDigit(bytes[at])) return undefined;
    const value = decimalAt(bytes, at);
    if (value === undefined) return undefined;
    field.push(negative ? 0 : value);
    while (isDigit(bytes[at])) at += 1;
  }
  return field;
}

/** The states of process-exporter, by which dashboards ask. Idle kernel threads, stopped and dead ones are Other. */
export const STATES = ['Running', 'Sleeping', 'Waiting', 'Zombie', 'Other'] as const;
export type State = (typeof STATES)[number];

export function stateName(letter: string): State {
  switch (letter) {
    case 'R':
      return 'Running';
    case 'S':
      return 'Sleeping';
    case 'D':
      return 'Waiting';
    case 'Z':
      return 'Zombie';
    default:
      return 'Other';
  }
}
