// /proc/PID/limits: how many files a process may open.
import { decimalAt } from './bytes.ts';

const OPEN_FILES = Buffer.from('\nMax open files ');
const UNLIMITED = Buffer.from('unlimited');
const SPACE = 0x20;

/** The soft RLIMIT_NOFILE (getrlimit(2)) out of `/proc/PID/limits`; Infinity for `unlimited`. Undefined: not there. */
export function parseOpenFilesLimit(bytes: Buffer): number | undefined {
  const line = bytes.indexOf(OPEN_FILES);
  if (line < 0) return undefined;
  let at = line + OPEN_FILES.length;
  while (bytes[at] === SPACE) at += 1;
  if (bytes.subarray(at, at + UNLIMITED.length).equals(UNLIMITED)) return Infinity;
  return decimalAt(bytes, at);
}
