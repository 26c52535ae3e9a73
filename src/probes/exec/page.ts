// A page of the kernel's ring buffer as per_cpu/cpuN/trace_pipe_raw gives it: records, each with the time it was made.
// After include/linux/ring_buffer.h; little-endian, as all platforms that the daemon runs on. The kernel would also print
// them as text (trace_pipe), in which a file name with a line feed forges whatever events it likes.
import type { PageFormat } from './format.ts';

/** The lowest bits of the second word of the header; above them are flags of what was lost before this page. */
const COMMIT = (1 << 27) - 1;
const HEADER = 4;
const PADDING = 29;
const TIME_EXTEND = 30;
const TIME_STAMP = 31;
const TYPE_BITS = 5;
const DELTA_BITS = 2 ** 27;
/** A time stamp in a record lacks the highest of its 64 bits. */
const STAMP_BITS = 2 ** 59;
const U32 = 2 ** 32;

/** Called with a record: nanoseconds of the clock of the trace, and where its bytes begin and end in the page. */
type VisitRecord = (at: number, start: number, end: number) => void;

/**
 * Calls back with each record of a page, in their order. Returns the time of the last of them, undefined where there is
 * none. A page that ends within a record, as no kernel makes one, gives those before it.
 */
export function eachRecord(page: Buffer, { dataAt }: PageFormat, visit: VisitRecord): number | undefined {
  if (page.length < dataAt) return undefined;
  const begin = page.readUInt32LE(4) * U32 + page.readUInt32LE(0);
  const end = Math.min(page.length, dataAt + (page.readUInt32LE(8) & COMMIT));
  let time = begin;
  let last: number | undefined;
  for (let at = dataAt; at + HEADER <= end;) {
    const head = page.readUInt32LE(at);
    const type = head & 31;
    const delta = head >>> TYPE_BITS;
    const word = at + 2 * HEADER <= end ? page.readUInt32LE(at + HEADER) : 0;
    if (type === TIME_EXTEND) {
      time += delta + word * DELTA_BITS;
      at += 2 * HEADER;
    } else if (type === TIME_STAMP) {
      time = Math.floor(begin / STAMP_BITS) * STAMP_BITS + word * DELTA_BITS + delta;
      at += 2 * HEADER;
    } else {
      if (type === PADDING && delta === 0) return last; // nothing more fitted in
      time += delta;
      const start = type === 0 ? at + 2 * HEADER : at + HEADER;
      const next = type === 0 || type === PADDING ? at + HEADER + word : start + type * 4;
      if (next > end || next < start) return last;
      if (type !== PADDING) visit((last = time), start, next);
      at = next;
    }
  }
  return last;
}
