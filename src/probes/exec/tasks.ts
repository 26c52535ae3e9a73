// Which processes there are and in which cgroup each is, as the events of the kernel tell it.
import type { TraceEvent } from './events.ts';

export interface Process {
  readonly pid: number;
  /** The name of its first thread, as far as it is known. */
  comm: string;
  /** Undefined: not known. */
  cgroup: string | undefined;
  /** Of the kernel itself: not counted. */
  kernel: boolean;
  threads: number;
  /** Chosen to die for want of memory already: threads of one process are marked one by one. */
  marked: boolean;
}

/** Processes by the ids of their threads. */
export type Tasks = Map<number, Process>;

/** What is counted. */
export interface Happening {
  readonly what: 'exec' | 'exit' | 'victim';
  readonly comm: string;
  readonly cgroup: string | undefined;
}

interface Surroundings {
  /** The cgroup of a process that may have ended: undefined then. */
  readonly cgroupOf: (pid: number) => string | undefined;
  /** The hierarchy of the groups that are shown. */
  readonly hierarchy: number;
  /** The kernel tells of moves between cgroups; else each exec is a reason to look. */
  readonly tellsMoves: boolean;
}

/** The parent of all threads of the kernel (kernel/kthread.c). */
const KTHREADD = 2;
/** More threads than this are not followed: what they do is counted, but for no container. */
const MOST_THREADS = 200_000;

/** Takes one event into the table; returns what is to be counted of it. */
export function follow(tasks: Tasks, event: TraceEvent, around: Surroundings): Happening | undefined {
  switch (event.kind) {
    case 'task':
      begin(tasks, event, around);
      return undefined;
    case 'exec':
      return become(tasks, event, around);
    case 'exit':
      return end(tasks, event);
    case 'victim':
      return mark(tasks, event);
    case 'move': {
      const process = tasks.get(event.tid);
      if (process?.pid === event.tid && event.hierarchy === around.hierarchy) process.cgroup = event.path;
      return undefined;
    }
  }
}

type Of<Kind extends TraceEvent['kind']> = Extract<TraceEvent, { kind: Kind }>;

function begin(tasks: Tasks, { tid, parent, comm, thread, placed }: Of<'task'>, { cgroupOf }: Surroundings): void {
  const above = tasks.get(parent);
  if (tasks.size >= MOST_THREADS) return;
  if (thread) {
    if (above === undefined || tasks.get(tid) === above) return;
    above.threads += 1;
    tasks.set(tid, above);
    return;
  }
  const cgroup = placed || above === undefined ? cgroupOf(tid) : above.cgroup;
  const kernel = parent === KTHREADD || (above?.kernel ?? false);
  tasks.set(tid, { pid: tid, comm, cgroup, kernel, threads: 1, marked: false });
}

function become(tasks: Tasks, { tid, caller, comm }: Of<'exec'>, { cgroupOf, tellsMoves }: Surroundings): Happening {
  const known = tasks.get(caller) ?? tasks.get(tid);
  const process = known ?? { pid: tid, comm, cgroup: cgroupOf(tid), kernel: false, threads: 1, marked: false };
  if (known !== undefined && !tellsMoves) known.cgroup = cgroupOf(tid) ?? known.cgroup;
  process.comm = comm;
  process.kernel = false; // what the kernel runs in user space, such as modprobe
  process.threads = 1;
  if (caller !== tid) tasks.delete(caller);
  if (tasks.size < MOST_THREADS) tasks.set(tid, process);
  return { what: 'exec', comm, cgroup: process.cgroup };
}

/** Without word from the kernel the end of a process is the end of the last thread we know of. */
function end(tasks: Tasks, { tid, comm, last }: Of<'exit'>): Happening | undefined {
  const process = tasks.get(tid);
  tasks.delete(tid);
  if (process === undefined) return last === true ? { what: 'exit', comm, cgroup: undefined } : undefined;
  process.threads -= 1;
  if (tid === process.pid) process.comm = comm;
  if (!(last ?? process.threads <= 0)) return undefined;
  if (tasks.get(process.pid) === process) tasks.delete(process.pid);
  return process.kernel ? undefined : { what: 'exit', comm: process.comm || comm, cgroup: process.cgroup };
}

function mark(tasks: Tasks, { tid, comm = '' }: Of<'victim'>): Happening | undefined {
  const process = tasks.get(tid);
  if (process === undefined) return { what: 'victim', comm, cgroup: undefined };
  if (process.marked) return undefined;
  process.marked = true;
  return {
    what: 'victim',
    comm: (tid === process.pid ? comm : process.comm) || process.comm || comm,
    cgroup: process.cgroup,
  };
}
