// Answers what the open file descriptors of a process or of a container are: one question at a time, within a budget.
import { setImmediate as breathe } from 'node:timers/promises';
import { Fault, faultKind } from '../../base/fault.ts';
import { z } from '../../base/schema.ts';
import type { Announcements } from '../announcements.ts';
import { readLayout } from '../cgroup/layout.ts';
import type { QuarantineEntry } from '../collection.ts';
import { readMembers } from '../container/members.ts';
import { HostFiles, readFailure } from '../host-files.ts';
import { sizeCountsFds } from '../process/boot.ts';
import { topBy } from '../process/details.ts';
import { parseOpenFilesLimit } from '../process/limits.ts';
import { parseStat, type Stat } from '../process/stat.ts';
import type { FdsAnswer } from './answer.ts';
import { lookAt, nameSockets, type Look } from './look.ts';
import { openMounts } from './mounts.ts';
import { openTally } from './tally.ts';

const NO_PROCESS = faultKind(
  'JD_FDS_NO_PROCESS',
  404,
  'it may have ended; `jdos top --by fds` shows who holds most files',
);
const KERNEL_THREAD = faultKind(
  'JD_FDS_KERNEL_THREAD',
  422,
  'ask for a process of a program: a thread of the kernel opens no files',
);
const FORBIDDEN = faultKind(
  'JD_FDS_FORBIDDEN',
  403,
  'start the daemon as root (deploy/jdos.service), in a container with CAP_SYS_PTRACE: the kernel shows the files of a process to few others',
);
const BUSY = faultKind(
  'JD_FDS_BUSY',
  429,
  'ask again in some seconds: the files of one process or container are looked at at a time',
);
const NO_GROUP = faultKind(
  'JD_FDS_NO_CGROUP',
  404,
  'it may have ended; /jdos/v1/containers lists those that there are',
);

/** A process, or all in a control group, by its path from the root of the hierarchy. */
export const FdsRequest = z.union([
  z.strictObject({
    pid: z
      .number()
      .int()
      .min(1)
      .max(2 ** 31),
  }),
  z.strictObject({
    cgroup: z
      .string()
      .max(4096)
      .regex(/^\/(?!.*\0)/)
      .refine((path) => !path.split('/').includes('..'), 'a path without ..'),
  }),
]);
export type FdsRequest = z.output<typeof FdsRequest>;

interface InspectOptions {
  /** `/`, or where the host's root is mounted. */
  readonly hostRoot: string;
  /** `probes.deadlineSeconds`; of which half is spent on an answer. */
  readonly deadlineSeconds: number;
  readonly announcements: Announcements;
  readonly quarantine: readonly QuarantineEntry[];
  /** Descriptors that are looked at, unless said 100,000. */
  readonly most?: number;
  readonly openHost?: typeof openHost;
}

export type InspectFds = (request: FdsRequest, signal: AbortSignal) => Promise<FdsAnswer>;

/** What announces its risky reads under this name, as a collector does. */
const NAME = 'fds';
const MOST_FDS = 100_000;
const LISTED = 20;
/** Milliseconds between two breaths, in which collections go on. */
const SLICE_MS = 20;

/** Throws a Fault for a process that is not there or may not be looked at; what is partly known is a partial answer. */
export function openFdsInspection(options: InspectOptions): InspectFds {
  let busy = false;
  return async (request, signal) => {
    if (busy) throw new Fault(BUSY, 'the files of another process are being looked at');
    busy = true;
    try {
      return await inspect(request, signal, options);
    } finally {
      busy = false;
    }
  };
}

function openHost({ hostRoot, deadlineSeconds, announcements, quarantine }: InspectOptions): HostFiles {
  const announcer = {
    begin: (target: string) => announcements.begin({ collector: NAME, target }, deadlineSeconds * 1000),
    end: () => announcements.end(),
  };
  const held = quarantine.filter(({ collector, until }) => collector === NAME && until > Date.now());
  return new HostFiles(
    hostRoot,
    announcer,
    held.map(({ target }) => target),
  );
}

type Seen = FdsAnswer['processes'][number];

async function inspect(request: FdsRequest, signal: AbortSignal, options: InspectOptions): Promise<FdsAnswer> {
  const host = (options.openHost ?? openHost)(options);
  const tally = openTally();
  const leftOut = new Set<string>();
  const { most = MOST_FDS } = options;
  const look: Look = { host, tally, mounts: openMounts(host), sockets: new Map(), most, leftOut };
  const pids = 'pid' in request ? [request.pid] : membersOf(host, request.cgroup, leftOut);
  const processes: Seen[] = [];
  const facts = { bySize: sizeCountsFds(host), total: 0 as number | null };
  const budgetMs = (options.deadlineSeconds * 1000) / 2;

  const all = 'pid' in request ? one(look, request.pid, facts, processes) : each(look, pids, facts, processes);
  if (!(await inSlices(all, budgetMs, signal))) {
    leftOut.add(`what could not be looked at within ${budgetMs} ms (half of probes.deadlineSeconds)`);
  }
  if (!(await inSlices(nameSockets(look), budgetMs / 2, signal))) {
    leftOut.add('protocols and states of some sockets: no time was left');
  }
  if (tally.forgot()) leftOut.add('some of the paths: they were too many to remember');
  return {
    at: Date.now(),
    total: facts.total,
    complete: leftOut.size === 0,
    leftOut: [...leftOut],
    processes: topBy(processes, ({ fds }) => fds, LISTED),
    ...tally.finish(),
  };
}

/** Whether it came to its end before the budget or the patience of the caller did. */
async function inSlices(steps: Generator<void>, budgetMs: number, signal: AbortSignal): Promise<boolean> {
  let left = budgetMs;
  for (;;) {
    const began = performance.now();
    let step = steps.next();
    while (step.done !== true && performance.now() - began < Math.min(SLICE_MS, left)) step = steps.next();
    if (step.done === true) return true;
    left -= performance.now() - began;
    if (left <= 0 || signal.aborted) {
      steps.return(undefined);
      return false;
    }
    await breathe();
  }
}

interface Facts {
  /** Whether the size of /proc/PID/fd is their number. */
  readonly bySize: boolean;
  total: number | null;
}

function* one(look: Look, pid: number, facts: Facts, seen: Seen[]): Generator<void, void, undefined> {
  const stat = statOf(look.host, pid);
  if (stat === undefined) throw new Fault(NO_PROCESS, `there is no process ${pid}`);
  if (stat.kernel) throw new Fault(KERNEL_THREAD, `${pid} is ${stat.comm}, a thread of the kernel`);
  if (stat.state === 'Z')
    throw new Fault(NO_PROCESS, `${stat.comm} (pid ${pid}) has ended and is a zombie: it holds no files`);
  try {
    yield* lookAtOne(look, pid, stat, facts, seen);
  } catch (error) {
    const failure = readFailure(error);
    if (failure === 'failed') throw error;
    if (failure === 'absent') throw new Fault(NO_PROCESS, `${stat.comm} (pid ${pid}) has just ended`);
    throw new Fault(FORBIDDEN, `this daemon may not look at the files of ${stat.comm} (pid ${pid})`, { cause: error });
  }
}

/** Processes that ended are none of the container any more. */
function* each(look: Look, pids: readonly number[], facts: Facts, seen: Seen[]): Generator<void, void, undefined> {
  let forbidden = 0;
  for (const pid of pids) {
    const stat = statOf(look.host, pid);
    if (stat === undefined || stat.kernel || stat.state === 'Z') continue;
    try {
      yield* lookAtOne(look, pid, stat, facts, seen);
    } catch (error) {
      const failure = readFailure(error);
      if (failure === 'failed') throw error;
      if (failure === 'permission') forbidden += 1;
    }
  }
  if (forbidden === 0) return;
  if (seen.length === 0) throw new Fault(FORBIDDEN, 'this daemon may not look at the files of any process of it');
  look.leftOut.add(`${forbidden} of ${pids.length} processes, which this user may not look at`);
}

function* lookAtOne(look: Look, pid: number, stat: Stat, facts: Facts, seen: Seen[]): Generator<void, void, undefined> {
  const { host, tally, leftOut } = look;
  const total = facts.bySize ? host.size(`/proc/${pid}/fd`) : null;
  facts.total = total === null || facts.total === null ? null : facts.total + total;
  const before = tally.counted();
  const entry = { pid, comm: stat.comm, fds: total ?? 0, fdLimit: limitOf(host, pid) };
  seen.push(entry);
  try {
    yield* lookAt(look, pid);
  } catch (error) {
    seen.pop();
    throw error;
  } finally {
    entry.fds = Math.max(entry.fds, tally.counted() - before); // also when there was no time for all of them
  }
  if (statOf(host, pid)?.start !== stat.start) leftOut.add(`pid ${pid} ended while it was looked at`);
}

function membersOf(host: HostFiles, path: string, leftOut: Set<string>): readonly number[] {
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

function limitOf(host: HostFiles, pid: number): number | null {
  try {
    const limit = parseOpenFilesLimit(host.piece(`/proc/${pid}/limits`));
    return limit === undefined || limit === Infinity ? null : limit;
  } catch {
    return null;
  }
}
