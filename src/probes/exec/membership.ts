// In which cgroup a process is, of the hierarchy whose groups are shown; and the processes there are when a trace begins.
import { readLayout, type CgroupLayout } from '../cgroup/layout.ts';
import type { HostFiles } from '../host-files.ts';
import { unsigned } from '../kernel/text.ts';
import { decimalAt } from '../process/bytes.ts';
import type { Process, Tasks } from './tasks.ts';

/** The controller of the hierarchy that is walked, as /proc/PID/cgroup names it; '' is v2. */
export function controllerOf({ v1, unified, tree }: CgroupLayout): string {
  if (tree === unified) return '';
  return [...v1].find(([, mount]) => mount === tree)?.[0] ?? '';
}

const DELETED = ' (deleted)';

/** The line of a controller in /proc/PID/cgroup (cgroups(7)): the number of the hierarchy, and the path in it. */
export function parseMembership(
  text: string,
  controller: string,
): { readonly hierarchy: number; readonly path: string } | undefined {
  for (const line of text.split('\n')) {
    const first = line.indexOf(':');
    const second = line.indexOf(':', first + 1);
    if (first === -1 || second === -1 || line[second + 1] !== '/') continue;
    if (
      !line
        .slice(first + 1, second)
        .split(',')
        .includes(controller)
    )
      continue;
    const hierarchy = unsigned(line.slice(0, first));
    const path = line.slice(second + 1);
    if (hierarchy === undefined) return undefined;
    return { hierarchy, path: path.endsWith(DELETED) ? path.slice(0, -DELETED.length) : path };
  }
  return undefined;
}

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

function readController(host: HostFiles): string | undefined {
  try {
    return controllerOf(readLayout(host));
  } catch {
    return undefined;
  }
}

/** Whether the pids of /proc are those of trace events: PROC_PID_INIT_INO (include/linux/proc_ns.h). */
function seesHostPids(host: HostFiles): boolean {
  try {
    return host.link('/proc/self/ns/pid') === 'pid:[4026531836]';
  } catch {
    return false;
  }
}

function readMembership(host: HostFiles, pid: number | 'self', controller: string): ReturnType<typeof parseMembership> {
  try {
    return parseMembership(host.text(`/proc/${pid}/cgroup`), controller);
  } catch {
    return undefined; // it has ended
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
