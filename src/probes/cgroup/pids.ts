// The number of tasks in a cgroup, its limit, how often that refused a fork, and which processes they are.
import { decimalAt, isDigit } from '../process/bytes.ts';
import { key, numberIn, valueOf } from './flat.ts';
import type { Cgroup } from './group.ts';

/** With the groups below. */
export interface Pids {
  /** Tasks: threads, not processes. */
  readonly tasks: number | undefined;
  /** Infinity without a limit. */
  readonly limit: number | undefined;
  /** Forks refused by the limit of the group, or on v2 also of one below it. */
  readonly refusals: number | undefined;
}

const MAX = key('max');

/** Reads it; both versions have the same files. */
export function readPids(group: Cgroup): Pids {
  const tasks = numberIn(group.bytes('pids.current'));
  const limit = numberIn(group.bytes('pids.max'));
  const events = group.bytes('pids.events');
  return { tasks, limit, refusals: events === undefined ? undefined : valueOf(events, MAX) };
}

/**
 * Adds the processes of a cgroup.procs file to `pids`. Returns whether it has others: the kernel writes 0 for those that
 * cannot be named in the pid namespace of who asks.
 */
export function parseProcs(bytes: Buffer, pids: number[]): boolean {
  let others = false;
  for (let at = 0; at < bytes.length;) {
    const pid = decimalAt(bytes, at);
    if (pid === 0) others = true;
    else if (pid !== undefined) pids.push(pid);
    while (isDigit(bytes[at])) at += 1;
    at += 1;
  }
  return others;
}
