// Docker's json-file lines: `{"log":"text\n","stream":"stdout","time":"…"}`, one for each line or part of a long one.

interface Decoded {
  readonly data: Buffer;
  /** How many bytes of the input were whole lines and are used. */
  readonly used: number;
  /** Whether the output ends within a line. */
  readonly partial: boolean;
}

interface DecodeOptions {
  readonly timestamps: boolean;
  /** Unix milliseconds; what is older is left out. */
  readonly since: number | undefined;
  /** Whether the output before ended within a line. */
  readonly partial: boolean;
  /** Stops before the output has more bytes. */
  readonly most: number;
}

/** Decodes whole lines; one that is still being written stays for later. A line that is no JSON is given as it is. */
export function decodeDockerLines(input: Buffer, options: DecodeOptions): Decoded {
  const { timestamps, since, most } = options;
  const out: Buffer[] = [];
  let { partial } = options;
  let length = 0;
  let used = 0;
  for (;;) {
    const end = input.indexOf(10, used);
    if (end === -1) break;
    const { log, time } = parseLine(input.toString('utf8', used, end));
    if (since === undefined || time === undefined || Date.parse(time) >= since) {
      const text = Buffer.from(timestamps && !partial && time !== undefined ? `${time} ${log}` : log);
      if (length > 0 && length + text.length > most) break;
      out.push(text);
      length += text.length;
      partial = !log.endsWith('\n');
    }
    used = end + 1;
  }
  return { data: Buffer.concat(out), used, partial };
}

function parseLine(line: string): { readonly log: string; readonly time?: string } {
  try {
    const { log, time } = JSON.parse(line) as { log?: unknown; time?: unknown };
    if (typeof log === 'string') return typeof time === 'string' ? { log, time } : { log };
  } catch {
    // Docker was killed while it wrote
  }
  return { log: `${line}\n` };
}
