// Reads the sample lines of one family again and again: as they come in the same order, most are known without a string.

/** The lines of the text before. */
interface Before<T> {
  readonly text: Uint8Array;
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

/** Finds what a line is about by the head of the line, `name{label="value"}`. */
type Find<T> = (head: string) => T;

export class LineReader<T> {
  readonly #find: Find<T>;
  #before: Before<T> = { text: new Uint8Array(), lines: [], starts: [], spaces: [], values: [] };

  constructor(find: Find<T>) {
    this.#find = find;
  }

  /** Calls back for each line with what it is about and its value. Keeps `text`, which must not change any more. */
  read(text: Uint8Array, take: (line: T, value: number) => void): void {
    const before = this.#before;
    if (Buffer.compare(before.text, text) === 0) {
      for (let i = 0; i < before.lines.length; i += 1) take(before.lines[i] as T, before.values[i] ?? Number.NaN);
      return;
    }
    const now: Before<T> = { text, lines: [], starts: [], spaces: [], values: [] };
    let expected = 0;
    for (let start = 0; start < text.length;) {
      const at = whichHead(before, expected, text, start);
      const space = at === undefined ? spaceOf(text, start) : start + headBytes(before, at);
      const end = endOf(text, space);
      const line =
        at === undefined
          ? this.#find(Buffer.from(text.subarray(start, space)).toString('utf8'))
          : (before.lines[at] as T);
      if (at !== undefined) expected = at + 1;
      const value = valueOf(text, space + 1, end);
      now.lines.push(line);
      now.starts.push(start);
      now.spaces.push(space);
      now.values.push(value);
      take(line, value);
      start = end + 1;
    }
    this.#before = now;
  }
}

const headBytes = <T>({ starts, spaces }: Before<T>, index: number): number =>
  (spaces[index] ?? 0) - (starts[index] ?? 0);

/** The line expected here, or the one after it where that is no longer there. */
function whichHead<T>(before: Before<T>, expected: number, text: Uint8Array, start: number): number | undefined {
  if (sameHead(before, expected, text, start)) return expected;
  return sameHead(before, expected + 1, text, start) ? expected + 1 : undefined;
}

function sameHead<T>(before: Before<T>, index: number, text: Uint8Array, start: number): boolean {
  const from = before.starts[index];
  if (from === undefined) return false;
  const length = headBytes(before, index) + 1;
  // From the end: the metric's name in front is the same in all lines.
  for (let i = length - 1; i >= 0; i -= 1) if (before.text[from + i] !== text[start + i]) return false;
  return true;
}

/** The last space of a line: a label may hold others. */
function spaceOf(text: Uint8Array, start: number): number {
  let space = start;
  for (let at = start; at < text.length && text[at] !== NEWLINE; at += 1) if (text[at] === SPACE) space = at;
  return space;
}

function endOf(text: Uint8Array, from: number): number {
  const end = text.indexOf(NEWLINE, from);
  return end < 0 ? text.length : end;
}

function valueOf(text: Uint8Array, from: number, end: number): number {
  let value = 0;
  for (let at = from; at < end; at += 1) {
    const byte = text[at] ?? 0;
    if (byte < ZERO || byte > NINE || at - from >= EXACT_DIGITS)
      return Number(Buffer.from(text.subarray(from, end)).toString('latin1'));
    value = value * 10 + (byte - ZERO);
  }
  return value;
}
