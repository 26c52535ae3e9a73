// Numbers out of /proc files, read from the bytes themselves: no string is made per field.

const ZERO = 0x30;
const NINE = 0x39;
const SPACE = 0x20;
const TAB = 0x09;
const LONGEST = 20; // digits of 2^64 - 1

export const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= ZERO && byte <= NINE;

/** The decimal number at an offset, after spaces and tabs; undefined when there is none. Exact below 2^53. */
export function decimalAt(bytes: Uint8Array, offset: number): number | undefined {
  let at = offset;
  while (bytes[at] === SPACE || bytes[at] === TAB) at += 1;
  const from = at;
  let value = 0;
  for (let byte = bytes[at]; byte !== undefined && byte >= ZERO && byte <= NINE; byte = bytes[at]) {
    value = value * 10 + (byte - ZERO);
    at += 1;
  }
  return at === from || at - from > LONGEST ? undefined : value;
}

/** The number behind a label that starts a line, such as `\nVmSwap:`. The label of a first line has no newline. */
export function labelled(bytes: Buffer, label: Buffer): number | undefined {
  const at = bytes.indexOf(label);
  return at < 0 ? undefined : decimalAt(bytes, at + label.length);
}
