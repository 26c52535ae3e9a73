// How long the tasks of a cgroup waited for CPU, memory and I/O: of v2, and of the v2 side of hybrid hosts.
import { parsePressure } from '../kernel/pressure.ts';
import type { Cgroup } from './group.ts';

/** Microseconds since the group was made in which some of its tasks waited, or all of them. */
export interface Waits {
  readonly some?: number;
  readonly full?: number;
}

/** Undefined where the kernel does not say. */
export function readPressure(group: Cgroup, resource: 'cpu' | 'memory' | 'io'): Waits | undefined {
  const bytes = group.bytes(`${resource}.pressure`);
  if (bytes === undefined || bytes.length === 0) return undefined;
  try {
    return parsePressure(bytes.toString('latin1'));
  } catch {
    return undefined; // not what any kernel writes; the other figures of the group stand
  }
}
