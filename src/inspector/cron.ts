// Cron expressions, read by node-cron: when one fired last, by the wall clock or by the instant.
import { createTask, parse, validateDetailed } from 'node-cron';
import { civilOf, instantOf } from './zone.ts';

export interface Cron {
  readonly expression: string;
  /** Whether it fires in the minute of this civil time. */
  readonly matches: (civil: number) => boolean;
  /** Minutes of the day at which it may fire, latest first. */
  readonly times: readonly number[];
}

const MINUTE_MS = 60_000;
const DAY_MINUTES = 1440;
const DAY_MS = DAY_MINUTES * MINUTE_MS;

/** Why an expression is not a cron expression of five fields, or undefined. */
export function cronProblem(expression: string): string | undefined {
  const fields = expression.trim().split(/\s+/).length;
  if (fields !== 5 && !expression.startsWith('@')) return 'five fields: minute hour day-of-month month day-of-week';
  try {
    const checked = validateDetailed(expression);
    return checked.valid ? undefined : `a cron expression (${checked.errors.map((error) => error.message).join('; ')})`;
  } catch (error) {
    return `a cron expression (${error instanceof Error ? error.message : String(error)})`;
  }
}

/** Parses an expression that {@link cronProblem} finds nothing wrong with. */
export function parseCron(expression: string): Cron {
  const { hour, minute } = parse(expression);
  const times = hour.flatMap((h) => minute.map((m) => h * 60 + m)).sort((a, b) => b - a);
  const task = createTask(expression, () => undefined, { timezone: 'UTC' });
  // It matches without being scheduled; destroying it takes it out of node-cron's global list.
  void task.destroy();
  return { expression, matches: (civil) => task.match(new Date(civil)), times };
}

export interface Fire {
  /** When it fired, Unix milliseconds. */
  readonly at: number;
  /** Names this fire for good: the local date, with the time where it may fire more than once a day. */
  readonly key: string;
}

/**
 * The most recent fire at or before `now`, by the wall clock of a zone: a nominal time fires exactly once a day, also when
 * the clock skips it (then after the jump) or shows it twice (then at the first). Looks back `days`; undefined when it did
 * not fire within them.
 */
export function lastFire(cron: Cron, zone: string, now: number, days: number): Fire | undefined {
  const today = Math.floor(civilOf(now, zone) / DAY_MS) * DAY_MS;
  for (let day = today; day > today - days * DAY_MS; day -= DAY_MS) {
    const [any] = cron.times;
    if (any === undefined || !cron.matches(day + any * MINUTE_MS)) continue;
    for (const time of cron.times) {
      const civil = day + time * MINUTE_MS;
      const at = instantOf(civil, zone);
      if (at <= now) return { at, key: keyOf(civil, cron.times.length > 1) };
    }
  }
  return undefined;
}

const keyOf = (civil: number, withTime: boolean): string => new Date(civil).toISOString().slice(0, withTime ? 16 : 10);

/**
 * Whether a minute after `since` up to `now` fires, by the instant: an hour that the clock shows twice fires twice. For
 * sweeps, which must not pause. Looks back a day at most.
 */
export function firedSince(cron: Cron, zone: string, since: number, now: number): boolean {
  const oldest = Math.max(since, now - DAY_MS);
  for (let at = Math.floor(now / MINUTE_MS) * MINUTE_MS; at > oldest; at -= MINUTE_MS) {
    if (cron.matches(civilOf(at, zone))) return true;
  }
  return false;
}
