// Answers what the open file descriptors of a process or of a container are: one question at a time, within a budget.
import { setImmediate as breathe } from 'node:timers/promises';
import { Fault, faultKind } from '../../base/fault.ts';
import { z } from '../../base/schema.ts';
import type { Announcements } from '../announcements.ts';
import type { QuarantineEntry } from '../collection.ts';
import { HostFiles, readFailure } from '../host-files.ts';
import { sizeCountsFds } from '../process/boot.ts';
import { topBy } from '../process/steady-top.ts';
import type { FdsAnswer } from './answer.ts';
import { lookAt, nameSockets, type Look } from './look.ts';
import { openMounts } from './mounts.ts';
import { gather, isSame, limitOf, membersOf, NO_PROCESS, processOf, type Subject } from './subjects.ts';
import { openTally } from './tally.ts';

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
  /** `probes.deadlineSeconds`: half of it is for the descriptors, the rest for finding processes and naming sockets. */
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

async function inspect(request: FdsRequest, signal: AbortSignal, options: InspectOptions): Promise<FdsAnswer> {
  const host = (options.openHost ?? openHost)(options);
  const tally = openTally();
  const leftOut = new Set<string>();
  const look: Look = {
    host,
    tally,
    mounts: openMounts(host),
    sockets: new Map(),
    most: options.most ?? MOST_FDS,
    leftOut,
  };
  const budgetMs = (options.deadlineSeconds * 1000) / 2;
  const within = async (steps: Generator<void>, ms: number, what: string): Promise<boolean> => {
    const done = await inSlices(steps, ms, signal);
    if (!done) leftOut.add(`${what}: the time for it was over (a part of probes.deadlineSeconds)`);
    return done;
  };

  const bySize = sizeCountsFds(host);
  const subjects: Subject[] = 'pid' in request ? [processOf(host, request.pid, bySize)] : [];
  const pids = 'pid' in request ? [] : membersOf(host, request.cgroup, leftOut);
  const gathered = await within(gather(host, pids, bySize, subjects), budgetMs / 2, 'some processes');
  const total = bySize && gathered ? subjects.reduce((sum, { fds }) => sum + fds, 0) : null;

  const left = { ended: 0, forbidden: 0 };
  subjects.sort((a, b) => b.fds - a.fds); // what leaks is looked at first
  await within(lookAtAll(look, subjects, left), budgetMs, 'some descriptors');
  await within(nameSockets(look), budgetMs / 2, 'protocols and states of some sockets');
  refuse(request, subjects, left, tally.counted());
  if (left.ended > 0) leftOut.add(`${left.ended} processes that ended meanwhile`);
  if (left.forbidden > 0) leftOut.add(`${left.forbidden} processes that this daemon may not look at`);
  if (tally.forgot()) leftOut.add('some of the paths: they were too many to remember');
  const listed = topBy(subjects, ({ fds }) => fds, LISTED);
  return {
    at: Date.now(),
    total,
    complete: leftOut.size === 0,
    leftOut: [...leftOut],
    processes: listed.map(({ pid, comm, fds }) => ({ pid, comm, fds, fdLimit: limitOf(host, pid) })),
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

function* lookAtAll(
  look: Look,
  subjects: readonly Subject[],
  left: { ended: number; forbidden: number },
): Generator<void, void, undefined> {
  for (const subject of subjects) {
    const before = look.tally.counted();
    try {
      yield* lookAt(look, subject.pid);
      if (!isSame(look.host, subject)) left.ended += 1;
    } catch (error) {
      const failure = readFailure(error);
      if (failure === 'failed') throw error;
      left[failure === 'absent' ? 'ended' : 'forbidden'] += 1;
    } finally {
      subject.fds = Math.max(subject.fds, look.tally.counted() - before);
    }
  }
}

/** Throws a Fault where there is nothing to tell. */
function refuse(
  request: FdsRequest,
  subjects: readonly Subject[],
  { ended, forbidden }: { readonly ended: number; readonly forbidden: number },
  counted: number,
): void {
  const [{ pid, comm } = { pid: 0, comm: '' }] = subjects;
  const what = 'pid' in request ? `${comm} (pid ${pid})` : `any process in ${request.cgroup}`;
  if ('pid' in request && ended > 0) throw new Fault(NO_PROCESS, `${what} has ended while it was looked at`);
  if (counted === 0 && forbidden > 0) throw new Fault(FORBIDDEN, `this daemon may not look at the files of ${what}`);
}
