// Moments as the reader's calendar shows them, in one named time zone (IANA), by Intl.

const parts = (at: number, timeZone: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    new Intl.DateTimeFormat('en-CA', {
      timeZone,
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      hourCycle: 'h23',
    })
      .formatToParts(at)
      .map((part) => [part.type, part.value]),
  );

/** Whether Intl knows the zone. */
export function isTimeZone(timeZone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone });
    return true;
  } catch {
    return false;
  }
}

/** `2026-11-23`. */
export function localDate(at: number, timeZone: string): string {
  const p = parts(at, timeZone);
  return `${p['year']}-${p['month']}-${p['day']}`;
}

/** `11-23`. */
export const shortDate = (at: number, timeZone: string): string => localDate(at, timeZone).slice(5);

/** `03:12`. */
export function clockTime(at: number, timeZone: string): string {
  const p = parts(at, timeZone);
  return `${p['hour']}:${p['minute']}`;
}

/** `11-23 03:12`. */
export const shortMoment = (at: number, timeZone: string): string =>
  `${shortDate(at, timeZone)} ${clockTime(at, timeZone)}`;

/** `+8`, `-03:30`, or nothing at UTC itself. */
function offset(at: number, timeZone: string, style: 'shortOffset' | 'longOffset'): string {
  const name = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: style })
    .formatToParts(at)
    .find((part) => part.type === 'timeZoneName')?.value;
  const digits = (name ?? '').replace(/^(GMT|UTC)/, '');
  return /[1-9]/.test(digits) ? digits : '';
}

/** `UTC+8`, `UTC−3:30`, `UTC`: the offset that holds at that moment. */
export const offsetName = (at: number, timeZone: string): string =>
  `UTC${offset(at, timeZone, 'shortOffset').replace('-', '−')}`;

/** `2026-11-23T03:12:00+08:00` (RFC 3339), for files that programs read. */
export function isoMoment(at: number, timeZone: string): string {
  const p = parts(at, timeZone);
  const time = `${p['hour']}:${p['minute']}:${p['second']}`;
  return `${localDate(at, timeZone)}T${time}${offset(at, timeZone, 'longOffset') || 'Z'}`;
}
