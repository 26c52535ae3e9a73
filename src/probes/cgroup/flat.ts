// The two simplest forms of cgroup files: `key value` lines, and one number.
import { decimalAt, isDigit } from '../process/bytes.ts';

const FEED = 0x0a;
const MINUS = 0x2d;
const MAX = Buffer.from('max');

/** A key as it begins a line, for {@link valueOf}: made once, not for each file. */
export const key = (name: string): Buffer => Buffer.from(`${name} `);

const endsLine = (bytes: Uint8Array, from: number): boolean => {
  let at = from;
  while (isDigit(bytes[at])) at += 1;
  return bytes[at] === undefined || bytes[at] === FEED;
};

/** The number behind a key of a flat keyed file (cgroup-v2.rst, "Format"); undefined where there is no such line. */
export function valueOf(bytes: Buffer, name: Buffer): number | undefined {
  for (let at = bytes.indexOf(name); at !== -1; at = bytes.indexOf(name, at + 1)) {
    const from = at + name.length;
    if ((at === 0 || bytes[at - 1] === FEED) && isDigit(bytes[from]) && endsLine(bytes, from))
      return decimalAt(bytes, from);
  }
  return undefined;
}

/** The number of a file with nothing else in it. Infinity for `max` and for v1's negative ones: no limit. */
export function numberIn(bytes: Buffer | undefined): number | undefined {
  if (bytes === undefined) return undefined;
  if (bytes.subarray(0, MAX.length).equals(MAX) && isEnd(bytes, MAX.length)) return Infinity;
  const negative = bytes[0] === MINUS;
  const from = negative ? 1 : 0;
  if (!isDigit(bytes[from]) || !endsLine(bytes, from)) return undefined;
  const value = decimalAt(bytes, from);
  return negative && value !== undefined ? Infinity : value;
}

const isEnd = (bytes: Uint8Array, at: number): boolean => bytes[at] === undefined || bytes[at] === FEED;

/** A value in a unit that is so many times larger; what is absent stays so. */
export const divided = (value: number | undefined, by: number): number | undefined =>
  value === undefined ? undefined : value / by;
