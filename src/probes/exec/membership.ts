// In which cgroup a process is, of the hierarchy whose groups are shown; and the processes there are when a trace begins.
import { readController, readMembership } from '../cgroup/membership.ts';
import type { HostFiles } from '../host-files.ts';
import { unsigned } from '../kernel/text.ts';
import { decimalAt } from '../process/bytes.ts';
import type { Process, Tasks } from './tasks.ts';

interface Membership {
  /** The number of the hierarchy whose groups are shown. */
  readonly hierarchy: number;
  /** The cgroup of a living process. */
  cgroupOf(pid: number): string | undefined;
  /** All processes of the host as they are now. Throws when /proc cannot be listed. */
  scan(): Tasks;
}

/** Of a host without cgroups, and seen from another pid namespace than trace events are, nothing is known. */
export function openMembership(host: HostFiles): Membership {
  const controller = readController(host);
  if (controller === undefined || !seesHostPids(host)) {
    return { hierarchy: 0, cgroupOf: () => undefined, scan: () => new Map() };
  }
  return {
    hierarchy: readMembership(host, 'self', controller)?.hierarchy ?? 0,
    cgroupOf: (pid) => readMembership(host, pid, controller)?.path,
    scan: () => scanTasks(host, controller),
  };
}

/** Whether the pids of /proc are those of trace events: PROC_PID_INIT_INO (include/linux/proc_ns.h). */
export function seesHostPids(host: HostFiles): boolean {
  try {
    return host.link('/proc/self/ns/pid') === 'pid:[4026531836]';
  } catch {
    return false;
  }
}

const KTHREADD = 2;
/** A directory has two links, and one more for each directory in it: `task` has one for each thread. */
const ONE_THREAD = 3;

function scanTasks(host: HostFiles, controller: string): Tasks {
  const tasks: Tasks = new Map();
  for (const name of host.list('/proc')) {
    const pid = unsigned(name);
    const process = pid === undefined ? undefined : readProcess(host, pid, controller);
    if (process === undefined) continue;
    tasks.set(process.pid, process);
    for (const tid of otherThreads(host, process.pid)) {
      tasks.set(tid, process);
      process.threads += 1;
    }
  }
  return tasks;
}

function otherThreads(host: HostFiles, pid: number): readonly number[] {
  try {
    if (host.node(`/proc/${pid}/task`).links <= ONE_THREAD) return [];
    return host.list(`/proc/${pid}/task`).flatMap((name) => {
      const tid = unsigned(name);
      return tid === undefined || tid === pid ? [] : [tid];
    });
  } catch {
    return []; // it has ended
  }
}

function readProcess(host: HostFiles, pid: number, controller: string): Process | undefined {
  try {
    const stat = host.piece(`/proc/${pid}/stat`);
    const close = stat.lastIndexOf(')');
    const parent = decimalAt(stat, close + 4);
    const comm = stat.toString('utf8', stat.indexOf('(') + 1, close);
    const kernel = pid === KTHREADD || parent === KTHREADD;
    const cgroup = readMembership(host, pid, controller)?.path;
    return { pid, comm, cgroup, kernel, threads: 1, marked: false };
  } catch {
    return undefined;
  }
}
