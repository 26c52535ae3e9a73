// What the kernel told of within the last day, by reason: how often, and the last of each. It outlives a boot. Pure.
import type { KernelEvent } from './event.ts';

/** The last event of a reason, short. */
interface Last {
  /** Unix milliseconds. */
  readonly at: number;
  readonly message: string;
  /** Whose it was: `namespace/pod/container`, a container's name or id, or a cgroup. */
  readonly of?: string | undefined;
}

/** JSON, as it is saved. */
interface Recent {
  /** Each hour since 1970 in which there were some, and how many; oldest first. */
  hours: [number, number][];
  last?: Last | undefined;
}

/** By reason. */
export type Recents = Map<string, Recent>;

const HOUR_MS = 3_600_000;
/** The last day may be 24 hours and a begun one: what happened within it is never left out. */
const HOURS = 25;
const MOST_REASONS = 1000;
const MOST_MESSAGE = 300;

/** Counts one at a moment in Unix milliseconds; a clock that was set back counts it to the newest hour. */
export function countRecent(recents: Recents, reason: string, at: number): void {
  let recent = recents.get(reason);
  if (recent === undefined) {
    if (recents.size >= MOST_REASONS) return;
    recents.set(reason, (recent = { hours: [] }));
  }
  const hour = Math.floor(at / HOUR_MS);
  const newest = recent.hours.at(-1);
  if (newest !== undefined && hour <= newest[0]) newest[1] += 1;
  else if (recent.hours.push([hour, 1]) > HOURS) recent.hours.shift();
}

/** Keeps an event as the last of its reason. */
export function keepLast(recents: Recents, { reason, at, message, cgroup, container }: KernelEvent): void {
  const recent = recents.get(reason);
  if (recent === undefined) return;
  const { namespace, pod, container: name, id } = container ?? {};
  const of = container === null ? cgroup : [namespace, pod, name ?? id].filter((part) => part !== undefined).join('/');
  recent.last = { at, message: message.slice(0, MOST_MESSAGE), ...(of === null || of === '' ? {} : { of }) };
}

/** Forgets what is older than a day. */
export function forget(recents: Recents, now: number): void {
  const oldest = Math.floor(now / HOUR_MS) - HOURS + 1;
  for (const [reason, recent] of recents) {
    recent.hours = recent.hours.filter(([hour]) => hour >= oldest);
    if (recent.hours.length === 0) recents.delete(reason);
  }
}

/** How many of a reason there were within the last day. */
export const dayOf = ({ hours }: Recent): number => hours.reduce((sum, [, count]) => sum + count, 0);
