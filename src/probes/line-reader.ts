// Reads the sample lines of one family again and again: as they come in the same order, most are known without a string.

/** The lines of the text before. */
interface Before<T> {
  readonly text: Buffer;
  readonly lines: T[];
  readonly starts: number[];
  /** Where the space before the value is. */
  readonly spaces: number[];
  readonly values: number[];
}

const SPACE = 0x20;
const NEWLINE = 0x0a;
const ZERO = 0x30;
const NINE = 0x39;
const EXACT_DIGITS = 15;
/** Lines that are compared at once. */
const BLOCK = 32;

/** Finds what a line is about by the head of the line, `name{label="value"}`. */
type Find<T> = (head: string) => T;

export class LineReader<T> {
  readonly #find: Find<T>;
  #before: Before<T> = nothing(Buffer.alloc(0));

  constructor(find: Find<T>) {
    this.#find = find;
  }

  /** Calls back for each line with what it is about and its value. Keeps `text`, which must not change any more. */
  read(text: Uint8Array, take: (line: T, value: number) => void): void {
    const bytes = Buffer.from(text.buffer, text.byteOffset, text.length);
    const before = this.#before;
    const now = nothing<T>(bytes);
    let expected = 0;
    for (let start = 0; start < bytes.length;) {
      const same = sameBlock(before, expected, bytes, start);
      if (same > 0) {
        copyBlock(before, expected, now, start);
        expected += BLOCK;
        start += same;
        continue;
      }
      const at = whichHead(before, expected, bytes, start);
      const space = at === undefined ? spaceOf(bytes, start) : start + headBytes(before, at);
      const end = endOf(bytes, space);
      const line = at === undefined ? this.#find(bytes.toString('utf8', start, space)) : (before.lines[at] as T);
      if (at !== undefined) expected = at + 1;
      now.lines.push(line);
      now.starts.push(start);
      now.spaces.push(space);
      now.values.push(valueOf(bytes, space + 1, end));
      start = end + 1;
    }
    this.#before = now;
    for (let i = 0; i < now.lines.length; i += 1) take(now.lines[i] as T, now.values[i] ?? Number.NaN);
  }
}

const nothing = <T>(text: Buffer): Before<T> => ({ text, lines: [], starts: [], spaces: [], values: [] });

/** The bytes of the next lines, when as many as make a block are the same as before; else 0. */
function sameBlock<T>({ text: old, starts }: Before<T>, expected: number, text: Buffer, start: number): number {
  const [from, to] = [starts[expected], starts[expected + BLOCK]];
  if (from === undefined || to === undefined || start + to - from > text.length) return 0;
  return text.compare(old, from, to, start, start + to - from) === 0 ? to - from : 0;
}

function copyBlock<T>(before: Before<T>, from: number, now: Before<T>, start: number): void {
  const shift = start - (before.starts[from] ?? 0);
  for (let i = from; i < from + BLOCK; i += 1) {
    now.lines.push(before.lines[i] as T);
    now.starts.push((before.starts[i] ?? 0) + shift);
    now.spaces.push((before.spaces[i] ?? 0) + shift);
    now.values.push(before.values[i] ?? Number.NaN);
  }
}

const headBytes = <T>({ starts, spaces }: Before<T>, index: number): number =>
  (spaces[index] ?? 0) - (starts[index] ?? 0);

/** The line expected here, or the one after it where that is no longer there. */
function whichHead<T>(before: Before<T>, expected: number, text: Buffer, start: number): number | undefined {
  if (sameHead(before, expected, text, start)) return expected;
  return sameHead(before, expected + 1, text, start) ? expected + 1 : undefined;
}

function sameHead<T>(before: Before<T>, index: number, text: Buffer, start: number): boolean {
  const from = before.starts[index];
  if (from === undefined) return false;
  const length = headBytes(before, index) + 1;
  // From the end: the metric's name in front is the same in all lines.
  for (let i = length - 1; i >= 0; i -= 1) if (before.text[from + i] !== text[start + i]) return false;
  return true;
}

/** The last space of a line: a label may hold others. */
function spaceOf(text: Buffer, start: number): number {
  let space = start;
  for (let at = start; at < text.length && text[at] !== NEWLINE; at += 1) if (text[at] === SPACE) space = at;
  return space;
}

function endOf(text: Buffer, from: number): number {
  const end = text.indexOf(NEWLINE, from);
  return end < 0 ? text.length : end;
}

function valueOf(text: Buffer, from: number, end: number): number {
  let value = 0;
  for (let at = from; at < end; at += 1) {
    const byte = text[at] ?? 0;
    if (byte < ZERO || byte > NINE || at - from >= EXACT_DIGITS) return Number(text.toString('latin1', from, end));
    value = value * 10 + (byte - ZERO);
  }
  return value;
}
