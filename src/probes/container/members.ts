// The processes in a container and in the groups it made below itself: which they are, their files, and which was first.
import { parseProcs } from '../cgroup/pids.ts';
import type { CgroupLayout } from '../cgroup/layout.ts';
import type { HostFiles } from '../host-files.ts';
import { parseOpenFilesLimit } from '../process/limits.ts';
import { parseStat, type Stat } from '../process/stat.ts';

/** What is known of the processes of a container. What could not be read is absent. */
export interface Members {
  pids: readonly number[];
  /** There are processes of which we do not learn the pids: their number is not known. */
  hidden: boolean;
  /** The paths of the groups below it. */
  below: readonly string[];
  /** The process that started first, and when: ticks since boot. */
  init: { readonly pid: number; readonly start: number; readonly comm: string } | undefined;
  /** Open file descriptors, of all processes together. */
  fds: number | undefined;
  /** The least that a process has left below its soft limit; absent too where none has one. */
  headroom: number | undefined;
  /** The soft limit of the first process. */
  filesLimit: number | undefined;
  /** Soft limits by pid. */
  limits: Map<number, number>;
}

export const noMembers = (): Members => ({
  pids: [],
  hidden: false,
  below: [],
  init: undefined,
  fds: undefined,
  headroom: undefined,
  filesLimit: undefined,
  limits: new Map(),
});

/** Groups looked into below one container: systemd in a container makes some tens of them. */
const MOST_BELOW = 500;
const LEAF_LINKS = 2;
/** The first process is looked for among so many; in a container it is one of the first in the list. */
const ELECTORATE = 200;
const REFRESH_CYCLES = 20;

/** Reads which processes there are. Throws the system error when the group itself is gone. */
export function readMembers(
  host: HostFiles,
  { tree }: CgroupLayout,
  path: string,
  links: number,
): Pick<Members, 'pids' | 'hidden' | 'below'> {
  const pids: number[] = [];
  const below: string[] = [];
  let hidden = false;
  const visit = (at: string, leaf: boolean): void => {
    if (readProcs(host, `${tree}${at}/cgroup.procs`, pids)) hidden = true;
    if (leaf) return;
    for (const name of directories(host, `${tree}${at}`)) {
      if (below.length >= MOST_BELOW) return;
      below.push(`${at}/${name}`);
      visit(`${at}/${name}`, false);
    }
  };
  visit(path, links === LEAF_LINKS);
  return { pids, hidden, below };
}

function readProcs(host: HostFiles, file: string, pids: number[]): boolean {
  try {
    return parseProcs(host.bytes(file), pids);
  } catch {
    return false; // removed meanwhile, or a threaded group, whose processes stand in the group above
  }
}

function directories(host: HostFiles, path: string): readonly string[] {
  try {
    return host.directories(path);
  } catch {
    return [];
  }
}

/** The first process, looked for again when it is gone. */
export function electInit(host: HostFiles, { pids, init }: Members): Members['init'] {
  if (init !== undefined && pids.includes(init.pid)) return init;
  let first: Members['init'];
  for (const pid of pids.slice(0, ELECTORATE)) {
    const stat = statOf(host, pid);
    if (stat !== undefined && (first === undefined || stat.start < first.start)) {
      first = { pid, start: stat.start, comm: stat.comm };
    }
  }
  return first;
}

function statOf(host: HostFiles, pid: number): Stat | undefined {
  try {
    return parseStat(host.piece(`/proc/${pid}/stat`));
  } catch {
    return undefined; // ended meanwhile
  }
}

interface FilePass {
  readonly host: HostFiles;
  /** Whether the size of /proc/PID/fd is their number; else they have to be listed. */
  readonly fdsBySize: boolean;
  readonly cycle: number;
}

/** Counts the open files of all processes and notes who is nearest to the limit. Returns what it cost, in reads. */
export function countFiles(members: Members, { host, fdsBySize, cycle }: FilePass): number {
  let sum: number | undefined;
  let headroom: number | undefined;
  let cost = 0;
  const limits = new Map<number, number>();
  for (const pid of members.pids) {
    cost += 1;
    const fds = countFds(host, pid, fdsBySize);
    if (fds === undefined) continue;
    if (!fdsBySize) cost += fds;
    sum = (sum ?? 0) + fds;
    const known = (pid + cycle) % REFRESH_CYCLES === 0 ? undefined : members.limits.get(pid);
    const limit = known ?? softLimit(host, pid);
    if (limit === undefined) continue;
    limits.set(pid, limit);
    if (limit !== Infinity) headroom = Math.min(headroom ?? Infinity, Math.max(0, limit - fds));
  }
  members.fds = members.hidden ? undefined : members.pids.length === 0 ? 0 : sum;
  members.headroom = headroom;
  members.limits = limits;
  members.filesLimit = members.init === undefined ? undefined : limits.get(members.init.pid);
  return cost;
}

function countFds(host: HostFiles, pid: number, bySize: boolean): number | undefined {
  try {
    return bySize ? host.size(`/proc/${pid}/fd`) : host.list(`/proc/${pid}/fd`).length;
  } catch {
    return undefined;
  }
}

function softLimit(host: HostFiles, pid: number): number | undefined {
  try {
    return parseOpenFilesLimit(host.piece(`/proc/${pid}/limits`));
  } catch {
    return undefined;
  }
}
