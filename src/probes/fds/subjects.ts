// Whose descriptors are looked at: one process, or those in a control group, with how many each holds.
import { Fault, faultKind } from '../../base/fault.ts';
import { readLayout } from '../cgroup/layout.ts';
import { readMembers } from '../container/members.ts';
import { readFailure, type HostFiles } from '../host-files.ts';
import { parseOpenFilesLimit } from '../process/limits.ts';
import { parseStat, type Stat } from '../process/stat.ts';

export const NO_PROCESS = faultKind(
  'JD_FDS_NO_PROCESS',
  404,
  'it may have ended; `jdos top --by fds` shows who holds most files',
);
const KERNEL_THREAD = faultKind(
  'JD_FDS_KERNEL_THREAD',
  422,
  'ask for a process of a program: a thread of the kernel opens no files',
);
const NO_GROUP = faultKind(
  'JD_FDS_NO_CGROUP',
  404,
  'it may have ended; /jdos/v1/containers lists those that there are',
);

export interface Subject {
  readonly pid: number;
  readonly comm: string;
  /** Ticks between boot and its start, which tell it from one that gets its pid later. */
  readonly start: number;
  /** As the kernel counts them; 0 where it does not. */
  fds: number;
}

const subjectOf = (host: HostFiles, pid: number, { comm, start }: Stat, bySize: boolean): Subject => ({
  pid,
  comm,
  start,
  fds: bySize ? sizeOf(host, pid) : 0,
});

/** One process. Throws a Fault for what has no files to look at. */
export function processOf(host: HostFiles, pid: number, bySize: boolean): Subject {
  const stat = statOf(host, pid);
  if (stat === undefined) throw new Fault(NO_PROCESS, `there is no process ${pid}`);
  if (stat.kernel) throw new Fault(KERNEL_THREAD, `${pid} is ${stat.comm}, a thread of the kernel`);
  if (stat.state === 'Z')
    throw new Fault(NO_PROCESS, `${stat.comm} (pid ${pid}) has ended and is a zombie: it holds no files`);
  return subjectOf(host, pid, stat, bySize);
}

/** Adds the processes among these that hold files; yields after each. */
export function* gather(
  host: HostFiles,
  pids: readonly number[],
  bySize: boolean,
  into: Subject[],
): Generator<void, void, undefined> {
  for (const pid of pids) {
    const stat = statOf(host, pid);
    if (stat !== undefined && !stat.kernel && stat.state !== 'Z') into.push(subjectOf(host, pid, stat, bySize));
    yield;
  }
}

/** Whether a process is still the one that it was. */
export const isSame = (host: HostFiles, { pid, start }: Subject): boolean => statOf(host, pid)?.start === start;

/** The processes in a control group and below it. Throws a Fault when there is no such group. */
export function membersOf(host: HostFiles, path: string, leftOut: Set<string>): readonly number[] {
  const layout = readLayout(host);
  try {
    const { links } = host.node(`${layout.tree}${path}`);
    const { pids, hidden } = readMembers(host, layout, path, links);
    if (hidden) leftOut.add('processes of another pid namespace, which this daemon cannot see');
    return pids;
  } catch (error) {
    if (readFailure(error) !== 'absent') throw error;
    throw new Fault(NO_GROUP, `there is no control group ${path}`, { cause: error });
  }
}

function statOf(host: HostFiles, pid: number): Stat | undefined {
  try {
    return parseStat(host.piece(`/proc/${pid}/stat`));
  } catch {
    return undefined; // ended
  }
}

function sizeOf(host: HostFiles, pid: number): number {
  try {
    return host.size(`/proc/${pid}/fd`);
  } catch {
    return 0; // ended
  }
}

/** The soft limit of open files; null for none, and where it is not known. */
export function limitOf(host: HostFiles, pid: number): number | null {
  try {
    const limit = parseOpenFilesLimit(host.piece(`/proc/${pid}/limits`));
    return limit === undefined || limit === Infinity ? null : limit;
  } catch {
    return null;
  }
}
