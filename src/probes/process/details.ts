// The processes one by one, for people: those that use most, those that are stuck, and those that are dead.
import type { HostFiles } from '../host-files.ts';
import type { KernelUnits } from './boot.ts';
import { steadyTop, topBy } from './steady-top.ts';
import { cpuTicks, type Tracked } from './table.ts';

/** Unknown is null. */
interface ProcessDetail {
  readonly pid: number;
  readonly ppid: number;
  readonly comm: string;
  /** Null where it belongs to none: a kernel thread, or what no configured name matches. */
  readonly group: string | null;
  /** The kernel's letter. */
  readonly state: string;
  readonly uid: number | null;
  /** Unix seconds. */
  readonly startTime: number;
  readonly cpuSeconds: number;
  /** Share of one core since the collection before. */
  readonly cpuRatio: number | null;
  readonly rssBytes: number;
  readonly fds: number | null;
  /** The soft limit; null also for `unlimited`. */
  readonly fdLimit: number | null;
  readonly threads: number;
  readonly cmdline: string | null;
  /** 64 hexadecimal digits; null outside of containers. */
  readonly container: string | null;
}

interface ProcessDetails {
  /**
   * The first 50 by CPU, by memory and by file descriptors, in the order of their pids. One that is listed stays until it is
   * not among the first 60, so that neither the list nor its history has holes.
   */
  readonly processes: readonly ProcessDetail[];
  /** Processes in uninterruptible sleep, the longest first. */
  readonly dstate: readonly { pid: number; comm: string; sinceSeconds: number; wchan: string | null }[];
  readonly zombies: readonly { pid: number; comm: string; ppid: number }[];
}

interface DetailsView extends KernelUnits {
  readonly host: HostFiles;
  readonly cycle: number;
  /** Uptime in seconds. */
  readonly now: number;
  /** Seconds since the collection before; undefined in the first one. */
  readonly elapsed: number | undefined;
  /** Unix seconds. */
  readonly bootTime: number;
}

const TOP = { enter: 50, leave: 60 };
const LISTED = 50;
const CMDLINE_CHARACTERS = 200;
const DESCRIBED_CYCLES = 10;

/** Who was listed in the collection before, by each measure. */
type Listed = ReadonlySet<Tracked>;

/** What a list of processes is ordered by. */
const MEASURES: readonly ((process: Tracked, view: DetailsView) => number)[] = [
  cpuUse,
  ({ stat }) => stat.residentPages,
  ({ fds }) => fds ?? 0,
];

/**
 * Opens what builds the details from what the last collection read; command lines and containers are read of the listed
 * alone.
 */
export function openDetails(): (processes: readonly Tracked[], view: DetailsView) => ProcessDetails {
  let before: readonly Listed[] = MEASURES.map(() => new Set());
  return (processes, view) => {
    before = MEASURES.map(
      (measure, i) => new Set(steadyTop(processes, (process) => measure(process, view), before[i] ?? new Set(), TOP)),
    );
    return describe(processes, new Set(before.flatMap((listed) => [...listed])), view);
  };
}

function describe(processes: readonly Tracked[], listed: Listed, view: DetailsView): ProcessDetails {
  const { now } = view;
  const stuck = processes.filter(({ stuckSince }) => stuckSince !== undefined);
  return {
    processes: [...listed].sort((a, b) => a.pid - b.pid).map((process) => detail(process, view)),
    dstate: topBy(stuck, ({ stuckSince }) => now - (stuckSince ?? now), LISTED).map((process) => ({
      pid: process.pid,
      comm: process.stat.comm,
      sinceSeconds: Math.max(0, now - (process.stuckSince ?? now)),
      wchan: waitingIn(view.host, process.pid),
    })),
    zombies: processes
      .filter(({ stat }) => stat.state === 'Z')
      .slice(0, LISTED)
      .map(({ pid, stat }) => ({ pid, comm: stat.comm, ppid: stat.ppid })),
  };
}

const MOST_TICKS = 1e9;

/** Of those that used as much since the collection before, as most do that used nothing, the one that used more in its life. */
function cpuUse(process: Tracked, view: DetailsView): number {
  const ticks = Math.min(cpuTicks(process.stat), MOST_TICKS - 1);
  return (cpuSince(process, view) ?? 0) * MOST_TICKS + ticks;
}

/** CPU ticks used since the collection before; undefined when there was none or it did not see the process. */
const cpuSince = ({ stat, ticksBefore }: Tracked, { elapsed }: DetailsView): number | undefined =>
  elapsed === undefined || elapsed <= 0 || ticksBefore === undefined
    ? undefined
    : Math.max(0, cpuTicks(stat) - ticksBefore);

function detail(process: Tracked, view: DetailsView): ProcessDetail {
  const { stat } = process;
  describeProgram(process, view);
  const ticks = cpuSince(process, view);
  return {
    pid: process.pid,
    ppid: stat.ppid,
    comm: stat.comm,
    group: process.group?.name ?? null,
    state: stat.state,
    uid: process.uid ?? (stat.kernel ? 0 : null),
    startTime: view.bootTime + stat.start / view.ticksPerSecond,
    cpuSeconds: cpuTicks(stat) / view.ticksPerSecond,
    cpuRatio: ticks === undefined ? null : ticks / view.ticksPerSecond / (view.elapsed ?? 1),
    rssBytes: stat.residentPages * view.pageBytes,
    fds: process.fds ?? null,
    fdLimit: process.fdLimit === undefined || process.fdLimit === Infinity ? null : process.fdLimit,
    threads: stat.threads,
    cmdline: process.cmdline ?? null,
    container: process.containerId ?? null,
  };
}

/** Reads the command line and the container, unless that was done lately. */
function describeProgram(process: Tracked, { host, cycle }: DetailsView): void {
  if (process.stat.kernel || process.stat.state === 'D' || process.stat.state === 'Z') return;
  if (process.describedAt !== undefined && cycle - process.describedAt < DESCRIBED_CYCLES) return;
  process.describedAt = cycle;
  const { pid } = process;
  const cmdline = `/proc/${pid}/cmdline`;
  process.cmdline = orNull(() => host.risky(`pid ${pid} cmdline`, () => parseCmdline(host.bytes(cmdline))));
  process.containerId = orNull(() => containerOf(host.text(`/proc/${pid}/cgroup`)));
}

/** What cannot be read of a listed process is unknown, whatever the reason; its counts stand in the metrics. */
function orNull<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}

/** The first 200 characters of a command line, on one line. */
export const parseCmdline = (bytes: Buffer): string =>
  bytes
    .toString('utf8', 0, 4 * CMDLINE_CHARACTERS)
    .replace(/[\u0000-\u001f\u007f]+/g, ' ')
    .trim()
    .slice(0, CMDLINE_CHARACTERS);

const CONTAINER_ID = /(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])/;

/**
 * The id of the container in `/proc/PID/cgroup` (cgroups(7)): Docker, containerd, CRI-O and Podman put 64 hexadecimal
 * digits into the path. Of nested containers the outermost, the one that this host's runtime knows.
 */
export const containerOf = (cgroups: string): string | null => cgroups.match(CONTAINER_ID)?.[0] ?? null;

/** The kernel function a process waits in; null when the kernel does not say. */
function waitingIn(host: HostFiles, pid: number): string | null {
  const wchan = orNull(() => host.text(`/proc/${pid}/wchan`).trim());
  return wchan === null || wchan === '' || wchan === '0' ? null : wchan;
}
