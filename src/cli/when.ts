// Moments as people type them: 03:12, an RFC 3339 time, 2h ago.
import { InvalidArgumentError } from 'commander';

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A moment on the command line, as Unix milliseconds. Throws what commander prints. */
export function momentArgument(text: string): number {
  const at = parseWhen(text, Date.now());
  if (at !== undefined) return Math.max(0, at);
  throw new InvalidArgumentError('a time such as 03:12, 2026-11-25T03:12:00Z or 2h (ago) is expected.');
}

/** Unix milliseconds; undefined for what is no moment. A time of day is the last one before `now`, in local time. */
export function parseWhen(text: string, now: number): number | undefined {
  const [, count, unit = ''] = /^(\d{1,6}(?:\.\d{1,3})?) ?([smhd])(?: ago)?$/.exec(text) ?? [];
  if (count !== undefined) return now - Number(count) * (UNITS[unit] ?? 0);
  if (text === 'now') return now;
  const [, hours, minutes, seconds = '0'] = /^(\d{1,2}):(\d\d)(?::(\d\d))?$/.exec(text) ?? [];
  if (hours !== undefined) return timeOfDay(Number(hours), Number(minutes), Number(seconds), now);
  const moment = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text.replace(' ', 'T')) : Number.NaN;
  return Number.isNaN(moment) ? undefined : moment;
}

function timeOfDay(hours: number, minutes: number, seconds: number, now: number): number | undefined {
  if (hours > 23 || minutes > 59 || seconds > 59) return undefined;
  const day = new Date(now);
  day.setHours(hours, minutes, seconds, 0);
  // The day before by the calendar: a day is not always 24 hours.
  if (day.getTime() > now) day.setDate(day.getDate() - 1);
  return day.getTime();
}

/** `2026-11-26 03:12:04`, local time. */
export function formatWhen(at: number): string {
  const when = new Date(at);
  const two = (value: number): string => String(value).padStart(2, '0');
  const date = `${when.getFullYear()}-${two(when.getMonth() + 1)}-${two(when.getDate())}`;
  return `${date} ${two(when.getHours())}:${two(when.getMinutes())}:${two(when.getSeconds())}`;
}
