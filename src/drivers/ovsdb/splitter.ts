// Finds the ends of JSON objects that follow each other without any framing, which is how OVSDB and unixctl speak.
import { Fault } from '../../base/fault.ts';
import { OVS_GARBLED } from './faults.ts';

/** What one object may be at most. */
export interface SplitterLimits {
  readonly bytes: number;
  /** Objects and arrays within each other. */
  readonly depth: number;
}

interface Splitter {
  /** Takes the next bytes and calls back with the bytes of each object that ends in them. Throws a Fault; nothing may follow it. */
  push(chunk: Buffer, onObject: (bytes: Buffer) => void): void;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

const isSpace = (byte: number): boolean => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);

/** Looks at each byte once. Whether what is between the braces is JSON is for the parser to say. */
export function openSplitter({ bytes: mostBytes, depth: mostDepth }: SplitterLimits): Splitter {
  let pieces: Buffer[] = [];
  let length = 0;
  let depth = 0;
  let inString = false;
  let escaped = false;

  const keep = (piece: Buffer): void => {
    length += piece.length;
    if (length > mostBytes) throw new Fault(OVS_GARBLED, `an answer is larger than ${mostBytes} bytes`);
    pieces.push(piece);
  };
  const whole = (): Buffer => {
    const object = pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces, length);
    pieces = [];
    length = 0;
    return object;
  };

  return {
    push(chunk, onObject) {
      let begin = 0;
      for (let at = 0; at < chunk.length; at += 1) {
        const byte = chunk[at] as number;
        if (inString) {
          if (escaped) escaped = false;
          else if (byte === BACKSLASH) escaped = true;
          else if (byte === QUOTE) inString = false;
        } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
          if (depth === 0) {
            if (byte === OPEN_BRACKET) throw new Fault(OVS_GARBLED, 'an array where an object belongs');
            begin = at;
          }
          depth += 1;
          if (depth > mostDepth) throw new Fault(OVS_GARBLED, `an answer is nested deeper than ${mostDepth}`);
        } else if (depth === 0) {
          if (!isSpace(byte)) throw new Fault(OVS_GARBLED, `a byte ${byte} where an object belongs`);
        } else if (byte === QUOTE) inString = true;
        else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
          depth -= 1;
          if (depth > 0) continue;
          keep(chunk.subarray(begin, at + 1));
          begin = at + 1;
          onObject(whole());
        }
      }
      // A copy, because a small rest would keep the whole chunk.
      if (depth > 0) keep(Buffer.from(chunk.subarray(begin)));
    },
  };
}
