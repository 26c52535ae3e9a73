// The collector of program starts and ends: the kernel tells of each of them, so that none is too short to be seen.
import { cpus } from 'node:os';
import { systemCode } from '../../base/fault.ts';
import type { Collecting, Collector, CollectorContext } from '../collector.ts';
import { openContainerAt } from '../container/attribution.ts';
import { readFailure, type HostFiles } from '../host-files.ts';
import { openLiveSource } from '../live-source.ts';
import { readBootId } from '../process/boot.ts';
import { countIn, renew } from './containers.ts';
import { openDrain } from './drain.ts';
import { openMembership } from './membership.ts';
import { EXEC_METRICS, writeCounts, type Untraced } from './metrics.ts';
import { restore, save } from './saved.ts';
import { count } from './tally.ts';
import { follow, type Happening, type Tasks } from './tasks.ts';
import { findInstances, openTrace, type Trace } from './tracefs.ts';

/**
 * Starts and ends of processes, by name and by container. It needs tracefs, of the host itself, and root; without them it says
 * so and counts nothing. The trace is an instance of its own, which no other tracing on the host sees or disturbs.
 */
export const exec: Collector = {
  name: 'exec',
  view: 'process',
  periodSeconds: 15,
  metrics: EXEC_METRICS,
  open: openExec,
};

/** A buffer holds a second of a busy CPU, and other collectors may have the thread for some hundred milliseconds. */
const PACE = { quietMs: 500, busyMs: 10 };
/** Turns of one collection: what is not read then is left to the timer. */
const MOST_TURNS = 20;

function openExec({ host, config, known, saved }: CollectorContext): Collecting {
  const bootId = readBootId(host);
  const counts = restore(saved, bootId);
  const containerAt = openContainerAt();
  const limits = { now: seconds(), most: 2 * config.containers.max };
  let following: Following | undefined;

  const take = ({ what, comm, cgroup }: Happening): void => {
    count(counts[`${what}s`], comm);
    const container = cgroup === undefined ? undefined : containerAt(cgroup);
    if (container !== undefined) countIn(counts.containers, container, what, limits);
  };
  const close = (): void => {
    following?.close();
    following = undefined;
  };
  const turn = (): boolean => {
    limits.now = seconds();
    return following?.turn(take) ?? false;
  };
  const source = openLiveSource(turn, close, PACE);
  const begin = (): Untraced | undefined => {
    const trace = open(host);
    if (typeof trace === 'string') return trace;
    following = openFollowing(host, trace);
    source.begin();
    return undefined;
  };

  return {
    collect(out) {
      source.tellFailure();
      const untraced = following === undefined ? begin() : undefined;
      source.tellFailure();
      for (let turns = 0; turns < MOST_TURNS && turn(); turns += 1);
      if (following !== undefined) {
        counts.lost += following.newlyLost();
        renew(counts.containers, known?.labels ?? new Map(), following.tasks(), containerAt, limits);
      }
      writeCounts(out, counts, untraced);
    },
    save: () => save(counts, bootId),
    close: source.end,
  };
}

/** The trace, or why there is none; what is neither the host's way nor ours is thrown. */
function open(host: HostFiles): Trace | Untraced {
  if (host.root !== '/') return 'other-root'; // a mounted root is looked at, never written to
  return host.risky('/sys/kernel/tracing', () => {
    try {
      const instances = findInstances();
      if (instances === undefined) return 'not-mounted';
      return openTrace(instances, { cpus: cpus().length, pid: process.pid });
    } catch (error) {
      if (readFailure(error) === 'permission' || systemCode(error) === 'EROFS') return 'permission';
      throw error;
    }
  });
}

const NANO = 1e9;
/** CLOCK_MONOTONIC, the clock of the trace. It goes on over a restart of the probe process. */
const nanoseconds = (): number => Number(process.hrtime.bigint());
const seconds = (): number => nanoseconds() / NANO;

interface Following {
  turn(take: (happening: Happening) => void): boolean;
  /** Events lost since it was asked last. When some were, the processes are looked at anew. */
  newlyLost(): number;
  tasks(): Tasks;
  close(): void;
}

function openFollowing(host: HostFiles, trace: Trace): Following {
  const drain = openDrain(trace);
  const membership = openMembership(host);
  const around = { ...membership, tellsMoves: trace.tellsMoves };
  let tasks: Tasks = new Map();
  let lost = 0;
  try {
    tasks = membership.scan();
  } catch (error) {
    trace.close();
    throw error;
  }
  return {
    turn: (take) =>
      drain.turn(nanoseconds(), (event) => {
        const happening = follow(tasks, event, around);
        if (happening !== undefined) take(happening);
      }),
    newlyLost() {
      const before = lost;
      lost = trace.lost();
      if (lost > before) tasks = membership.scan();
      return Math.max(0, lost - before);
    },
    tasks: () => tasks,
    close: () => trace.close(),
  };
}
