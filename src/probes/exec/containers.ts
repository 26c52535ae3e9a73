// What happened in each container, by the path of its cgroup, until five minutes after its end.
import type { KnownContainers } from '../collector.ts';
import { nameless, type openContainerAt } from '../container/attribution.ts';
import type { Happening, Tasks } from './tasks.ts';

/** As in the collector of containers: an `increase()` over five minutes sees the last of them. */
const KEPT_SECONDS = 300;

interface ContainerCounts {
  execs: number;
  exits: number;
  victims: number;
  /** As they were known last. */
  labels: readonly string[];
  /** Uptime in seconds when a process of it was there last. */
  aliveAt: number;
}

/** By the path of the container's cgroup. */
export type Containers = Map<string, ContainerCounts>;

interface Limits {
  /** Uptime in seconds. */
  readonly now: number;
  /** Containers that are counted, the ended ones among them; what happens in others is counted for the host alone. */
  readonly most: number;
}

/** Counts what happened in a container. */
export function countIn(containers: Containers, path: string, what: Happening['what'], { now, most }: Limits): void {
  let counts = containers.get(path);
  if (counts === undefined) {
    if (containers.size >= most) return;
    counts = { execs: 0, exits: 0, victims: 0, labels: nameless(path), aliveAt: now };
    containers.set(path, counts);
  }
  counts[`${what}s`] += 1;
  counts.aliveAt = now;
}

/** Takes up the names of all living containers, those in which nothing happened among them, and forgets those long gone. */
export function renew(
  containers: Containers,
  known: KnownContainers['labels'],
  tasks: Tasks,
  at: ReturnType<typeof openContainerAt>,
  { now, most }: Limits,
): void {
  for (const [path, labels] of known) {
    const counts = containers.get(path);
    if (counts !== undefined) counts.labels = labels;
    else if (containers.size < most) containers.set(path, { execs: 0, exits: 0, victims: 0, labels, aliveAt: now });
  }
  for (const { cgroup } of new Set(tasks.values())) {
    const path = cgroup === undefined ? undefined : at(cgroup);
    const counts = path === undefined ? undefined : containers.get(path);
    if (counts !== undefined) counts.aliveAt = now;
  }
  for (const [path, { aliveAt }] of containers) if (now - aliveAt > KEPT_SECONDS) containers.delete(path);
}
