// One record of /dev/kmsg: its head without an allocation, its text where somebody wants it (Documentation/ABI/testing/dev-kmsg).

/** What stands before the text: `prio,seq,usec,flags[,caller=…];`. One object is filled again and again. */
export interface Head {
  /** 0 (emergency) to 7 (debug). */
  severity: number;
  /** 0 is the kernel: user space cannot write it. */
  facility: number;
  /** Counts all records since the boot. */
  seq: number;
  /** Microseconds since the boot, by the clock of the CPU (local_clock()). */
  usec: number;
  /** `c` begins a line that others, with `+`, go on. */
  flag: '-' | 'c' | '+';
  /** `T123` a thread, `C1` a CPU; '' where the kernel does not say (CONFIG_PRINTK_CALLER). */
  caller: string;
  /** Where the text is. */
  from: number;
  to: number;
}

export const emptyHead = (): Head => ({
  severity: 0,
  facility: 0,
  seq: 0,
  usec: 0,
  flag: '-',
  caller: '',
  from: 0,
  to: 0,
});

const COMMA = 0x2c;
const SEMICOLON = 0x3b;
const LINE_FEED = 0x0a;
const PLUS = 0x2b;
const C = 0x63;
const CALLER = Buffer.from('caller=');
const MOST_DIGITS = 16;

/** Reads the head of the record in the first `length` bytes. False, and `head` is half filled, when it is none. */
export function parseHead(bytes: Buffer, length: number, head: Head): boolean {
  let at = 0;
  const number = (): number => {
    const start = at;
    let value = 0;
    for (; at < length; at += 1) {
      const digit = (bytes[at] ?? 0) - 0x30;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    const ended = at > start && at - start <= MOST_DIGITS && bytes[at] === COMMA;
    at += 1;
    return ended ? value : Number.NaN;
  };
  const priority = number();
  head.severity = priority & 7;
  head.facility = priority >> 3;
  head.seq = number();
  head.usec = number();
  if (Number.isNaN(priority + head.seq + head.usec)) return false;
  const flag = bytes[at];
  head.flag = flag === PLUS ? '+' : flag === C ? 'c' : '-';
  const semicolon = bytes.indexOf(SEMICOLON, at);
  if (semicolon === -1 || semicolon >= length) return false;
  const comma = bytes.indexOf(COMMA, at);
  head.caller = comma === -1 || comma > semicolon ? '' : callerIn(bytes, comma + 1, semicolon);
  head.from = semicolon + 1;
  const feed = bytes.indexOf(LINE_FEED, head.from);
  head.to = feed === -1 || feed > length ? length : feed;
  return true;
}

function callerIn(bytes: Buffer, from: number, to: number): string {
  const at = bytes.indexOf(CALLER, from);
  if (at === -1 || at >= to) return '';
  const comma = bytes.indexOf(COMMA, at);
  return bytes.toString('latin1', at + CALLER.length, Math.min(to, comma === -1 ? to : comma, at + 32));
}

const MOST_TEXT = 2048;
const ESCAPE = /\\x([0-9a-f]{2})/g;

/** The text of a record, at most 2,048 bytes of it, with what was escaped in its place: line feeds, UTF-8, anything. */
export function textOf(bytes: Buffer, { from, to }: Pick<Head, 'from' | 'to'>): string {
  const text = bytes.toString('latin1', from, Math.min(to, from + MOST_TEXT));
  return text.includes('\\x') ? unescape(text) : text;
}

const unescape = (text: string): string =>
  Buffer.from(
    text.replace(ESCAPE, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  ).toString('utf8');

const MOST_FIELDS = 16;

/** What stands below the text, ` SUBSYSTEM=pci` and ` DEVICE=+pci:0000:00:1c.0`. */
export function dictionaryOf(
  bytes: Buffer,
  length: number,
  { to }: Pick<Head, 'to'>,
): Readonly<Record<string, string>> {
  const fields: Record<string, string> = {};
  if (to >= length) return fields;
  const lines = bytes.toString('latin1', to + 1, Math.min(length, to + MOST_TEXT)).split('\n');
  for (const line of lines.slice(0, MOST_FIELDS)) {
    const [, key, value] = /^ ([A-Z_]{1,32})=(.*)$/.exec(line) ?? [];
    if (key !== undefined && value !== undefined) fields[key] = unescape(value);
  }
  return fields;
}

export const SEVERITIES = ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug'] as const;
