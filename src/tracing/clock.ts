// The time of messages: Unix microseconds, which never run backwards between two steps of the system's clock.

/** Unix time in microseconds. A number holds them exactly until the year 2255. */
export type Micros = number;

/** How far the system's clock may run away from the monotonic one before its step is followed, in microseconds. */
const STEP = 2000;

let anchor = performance.timeOrigin * 1000;

/** Now. As fine as the monotonic clock, as right as the system's: `Date.now` alone knows only milliseconds. */
export function unixMicros(): Micros {
  const monotonic = performance.now() * 1000;
  const wall = Date.now() * 1000;
  if (Math.abs(anchor + monotonic - wall) > STEP) anchor = wall - monotonic;
  return Math.round(anchor + monotonic);
}

/** Unix nanoseconds as they stand in headers. */
export const toNanos = (micros: Micros): string => `${micros}000`;

/** Microseconds from Unix nanoseconds in a header; undefined when it is none. */
export const fromNanos = (text: string | undefined): Micros | undefined =>
  text !== undefined && /^\d{4,19}$/.test(text) ? Number(text.slice(0, -3)) : undefined;

/** `2026-11-25T10:14:03.123456Z` (RFC 3339). */
export const isoMicros = (micros: Micros): string =>
  `${new Date(Math.floor(micros / 1000)).toISOString().slice(0, -1)}${String(micros % 1000).padStart(3, '0')}Z`;

/** `10:14:03.123` in UTC. */
export const clockTime = (micros: Micros): string => new Date(Math.floor(micros / 1000)).toISOString().slice(11, 23);
