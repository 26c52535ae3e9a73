// Strict reading of the kernel's text: lines, words and numbers, without a regular expression per line.
import type { HostFiles } from '../host-files.ts';
import { Fault, faultKind } from '../../base/fault.ts';

const UNEXPECTED_TEXT = faultKind(
  'JD_UNEXPECTED_KERNEL_TEXT',
  500,
  'report this message with the output of `uname -r`: the file does not look like what any known kernel writes',
);

/** The fault for text that is not what the kernel documents; quotes at most 120 characters of it. */
export const unexpected = (file: string, text: string): Fault =>
  new Fault(UNEXPECTED_TEXT, `${file} has an unexpected line: ${JSON.stringify(text.slice(0, 120))}`);

/** Calls `visit` with each line that is not empty, without its line feed. */
export function eachLine(text: string, visit: (line: string) => void): void {
  for (let start = 0; start < text.length;) {
    const feed = text.indexOf('\n', start);
    const end = feed === -1 ? text.length : feed;
    if (end > start) visit(text.slice(start, end));
    start = end + 1;
  }
}

/** The words of a line, separated by any number of spaces or tabs. */
export function words(line: string): string[] {
  const found: string[] = [];
  let start = -1;
  for (let at = 0; at <= line.length; at += 1) {
    const code = at === line.length ? SPACE : line.charCodeAt(at);
    const blank = code === SPACE || code === TAB;
    if (!blank && start === -1) start = at;
    else if (blank && start !== -1) {
      found.push(line.slice(start, at));
      start = -1;
    }
  }
  return found;
}

const SPACE = 0x20;
const TAB = 0x09;

/** Digits of the largest unsigned 64-bit integer. */
const MOST_DIGITS = 20;
/** Any number of so many digits is below 2^53. */
const EXACT_DIGITS = 15;

/** An unsigned decimal integer, or undefined for anything else: sign, exponent, blank. Beyond 2^53 it is rounded. */
export function unsigned(word: string | undefined): number | undefined {
  if (word === undefined || word.length === 0 || word.length > MOST_DIGITS) return undefined;
  let value = 0;
  for (let at = 0; at < word.length; at += 1) {
    const digit = word.charCodeAt(at) - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return word.length > EXACT_DIGITS ? Number(word) : value; // beyond them each step would round by itself
}

/** An unsigned hexadecimal integer of at most 13 digits, below 2^53, or undefined for anything else. */
export function hexadecimal(word: string | undefined): number | undefined {
  if (word === undefined || word.length === 0 || word.length > MOST_HEX_DIGITS) return undefined;
  let value = 0;
  for (let at = 0; at < word.length; at += 1) {
    const digit = hexDigit(word.charCodeAt(at));
    if (digit === undefined) return undefined;
    value = value * 16 + digit;
  }
  return value;
}

const MOST_HEX_DIGITS = 13;

function hexDigit(code: number): number | undefined {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20; // a lower-case letter
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : undefined;
}

/** An unsigned number with an optional fraction (`0.42`), or undefined for anything else. */
export function decimal(word: string | undefined): number | undefined {
  if (word === undefined) return undefined;
  const point = word.indexOf('.');
  if (point === -1) return unsigned(word);
  const fraction = word.slice(point + 1);
  if (unsigned(word.slice(0, point)) === undefined || unsigned(fraction) === undefined) return undefined;
  return Number(word);
}

/** All words as unsigned integers. Throws {@link UNEXPECTED_TEXT} for the first that is none. */
export function allUnsigned(file: string, line: string, list: readonly string[]): number[] {
  return list.map((word) => {
    const value = unsigned(word);
    if (value === undefined) throw unexpected(file, line);
    return value;
  });
}

/** The number that is all of a file, as of those in /proc/sys. Throws where the file cannot be read, or is something else. */
export function readNumber(host: Pick<HostFiles, 'text'>, path: string): number {
  const text = host.text(path);
  const value = unsigned(text.trim());
  if (value === undefined) throw unexpected(path, text);
  return value;
}
