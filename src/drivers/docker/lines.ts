// JSON lines from a stream, one at a time: what pulls and events are told in.
import type { Readable } from 'node:stream';

/** One line is never this long; what is, comes from something that is not Docker. */
const MAX_LINE_CHARS = 1024 * 1024;

/** The parsed lines; what is no JSON is left out. Rejects where the stream fails. */
export async function* jsonLines(stream: Readable): AsyncGenerator<unknown> {
  let rest = '';
  for await (const chunk of stream.setEncoding('utf8') as AsyncIterable<string>) {
    const lines = `${rest}${chunk}`.split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > MAX_LINE_CHARS) rest = '';
    for (const line of lines) {
      const parsed = parse(line);
      if (parsed !== undefined) yield parsed;
    }
  }
  const last = parse(rest);
  if (last !== undefined) yield last;
}

function parse(line: string): unknown {
  try {
    return line.trim() === '' ? undefined : JSON.parse(line);
  } catch {
    return undefined;
  }
}
