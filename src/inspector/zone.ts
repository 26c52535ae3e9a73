// Wall clocks: the civil time of an instant in an IANA zone, and the instant of a civil time.

const formats = new Map<string, Intl.DateTimeFormat>();

function format(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat('en-US-u-ca-iso8601-nu-latn', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  formats.set(zone, made);
  return made;
}

export function isZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

export const systemZone = (): string => new Intl.DateTimeFormat().resolvedOptions().timeZone;

/** What the wall clock shows, written as the Unix milliseconds it would be in UTC; whole seconds. */
export function civilOf(instant: number, zone: string): number {
  const parts: Record<string, number> = {};
  for (const { type, value } of format(zone).formatToParts(instant)) parts[type] = Number(value);
  const { year = 1970, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

const DAY_MS = 86_400_000;

/**
 * The instant at which the wall clock shows a civil time ({@link civilOf}). One that it shows twice (autumn) is the
 * first; one that it skips (spring) is as long after the jump as it was after the jump's beginning: 02:30 is 03:30.
 */
export function instantOf(civil: number, zone: string): number {
  const before = civilOf(civil - DAY_MS, zone) - (civil - DAY_MS);
  const after = civilOf(civil + DAY_MS, zone) - (civil + DAY_MS);
  const early = civil - before;
  if (before === after || civilOf(early, zone) === civil) return early;
  const late = civil - after;
  return civilOf(late, zone) === civil ? late : early;
}
