// Problems that last: what raises them, and all the ways in which they are known to be over. Pure.
import type { Condition } from './rule.ts';

/** One problem that was raised; JSON, as it is saved. */
export interface Raised {
  readonly type: string;
  readonly reason: string;
  /** Such as the device; '' where there is only one. */
  readonly subject: string;
  /** Unix milliseconds of the first match and of the last. */
  readonly since: number;
  last: number;
  /** The last matches, as many as it takes to be frequent. */
  times: readonly number[];
}

/** By type, reason and subject. */
export type Conditions = Map<string, Raised>;

/** What the host says now; undefined is not known, and ends nothing. */
export interface HostFacts {
  readonly filesystem: (device: string) => 'writable' | 'readonly' | 'unmounted' | undefined;
  /** Whether the task is in uninterruptible sleep. */
  readonly sleeps: (pid: string) => boolean | undefined;
}

const MOST_RAISED = 1000;

interface Happening {
  readonly reason: string;
  readonly subject: string;
  /** Unix milliseconds. */
  readonly at: number;
}

export function raise(conditions: Conditions, condition: Condition, { reason, subject, at }: Happening): void {
  const key = `${condition.type}\n${reason}\n${subject}`;
  const before = conditions.get(key);
  const times = [...(before?.times ?? []), at].slice(-(condition.frequent?.times ?? 1));
  if (before !== undefined) {
    before.last = at;
    before.times = times;
  } else if (conditions.size < MOST_RAISED)
    conditions.set(key, { type: condition.type, reason, subject, since: at, last: at, times });
}

/** Ends the problems of a type with a subject. */
export function clear(conditions: Conditions, type: string, subject: string): void {
  for (const [key, raised] of conditions)
    if (raised.type === type && raised.subject === subject) conditions.delete(key);
}

/** Ends what is over by what the host says, or because nothing was heard of it for so long. */
export function expire(
  conditions: Conditions,
  shapeOf: (raised: Raised) => Condition | undefined,
  facts: HostFacts,
  now: number,
): void {
  for (const [key, raised] of conditions) {
    const shape = shapeOf(raised);
    if (shape === undefined || now - raised.last > shape.ttlSeconds * 1000 || isOver(raised, shape, facts))
      conditions.delete(key);
  }
}

function isOver({ subject }: Raised, { recheck }: Condition, facts: HostFacts): boolean {
  if (recheck === undefined || subject === '') return false;
  if (recheck === 'task') return facts.sleeps(subject) === false;
  const state = facts.filesystem(subject);
  return state === 'unmounted' || (recheck === 'writable' && state === 'writable');
}

/** Whether it is a problem now: always, or when it came often enough. */
export function isOn({ times }: Raised, { frequent }: Condition, now: number): boolean {
  if (frequent === undefined) return true;
  return times.length >= frequent.times && now - (times[0] ?? 0) <= frequent.seconds * 1000;
}
