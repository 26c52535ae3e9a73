// Blocks: the spans of some traces, raw, behind the dictionary of their sources, compressed together.
import { promisify } from 'node:util';
import { constants, zstdCompress, zstdDecompressSync } from 'node:zlib';
import { decodeSpan, serviceOf } from '../ingest/decode.ts';
import { type Source, type Span, summarize, type Summary } from '../span.ts';

const compress = promisify(zstdCompress);
/** Raw bytes after which a block is full. Larger blocks compress better and take longer to look into. */
const BLOCK_BYTES = 128 * 1024;
const LEVEL = 3;
/** Guards against a damaged length: no block is larger than what one hot window holds. */
const MAX_RAW_BYTES = 1024 * 1024 * 1024;

/** One trace's place in a block. */
export interface Piece extends Summary {
  readonly offset: number;
  readonly length: number;
}

/** What of one operation of one service is in a block. */
export interface Seen {
  readonly service: string;
  readonly operation: string;
  /** Start of the newest and of the oldest trace with it, Unix microseconds. */
  newest: number;
  oldest: number;
  /** Microseconds. */
  longest: number;
  errors: number;
  spans: number;
}

export interface Block {
  readonly pieces: readonly Piece[];
  readonly seen: readonly Seen[];
  readonly rawBytes: number;
  readonly spans: number;
  readonly data: Buffer;
}

/** Packs traces into blocks, older traces first; a trace is never cut. Gives way to other work after each block. */
export async function* pack(traces: ReadonlyMap<string, readonly Span[]>): AsyncIterableIterator<Block> {
  const sorted = [...traces.values()]
    .map((spans) => ({ spans, summary: summarize(spans) }))
    .sort((a, b) => a.summary.start - b.summary.start);
  let batch: typeof sorted = [];
  let bytes = 0;
  for (const trace of sorted) {
    batch.push(trace);
    for (const span of trace.spans) bytes += span.bytes.length + 8;
    if (bytes < BLOCK_BYTES) continue;
    yield await packOne(batch);
    batch = [];
    bytes = 0;
  }
  if (batch.length > 0) yield await packOne(batch);
}

async function packOne(
  traces: readonly { readonly spans: readonly Span[]; readonly summary: Summary }[],
): Promise<Block> {
  const sources = new Map<string, { readonly index: number; readonly source: Source }>();
  const bySource = new Map<Source, number>();
  const indexOf = (source: Source): number => {
    const known = bySource.get(source);
    if (known !== undefined) return known;
    const key = `${Buffer.from(source.resource).toString('latin1')}\0${source.resource.length}\0${Buffer.from(source.scope).toString('latin1')}`;
    const entry = sources.get(key) ?? { index: sources.size, source };
    sources.set(key, entry);
    bySource.set(source, entry.index);
    return entry.index;
  };
  for (const { spans } of traces) for (const { source } of spans) indexOf(source);
  const parts: Uint8Array[] = [u32(sources.size)];
  for (const { source } of sources.values())
    parts.push(u32(source.resource.length), source.resource, u32(source.scope.length), source.scope);
  let at = parts.reduce((sum, part) => sum + part.length, 0);
  const pieces: Piece[] = [];
  const seen = new Map<string, Seen>();
  for (const { spans, summary } of traces) {
    const offset = at;
    for (const span of spans) {
      const head = Buffer.alloc(8);
      head.writeUInt32LE(indexOf(span.source), 0);
      head.writeUInt32LE(span.bytes.length, 4);
      parts.push(head, span.bytes);
      at += 8 + span.bytes.length;
      note(seen, span, summary.start);
    }
    pieces.push({ ...summary, offset, length: at - offset });
  }
  const raw = Buffer.concat(parts, at);
  const data = await compress(raw, { params: { [constants.ZSTD_c_compressionLevel]: LEVEL } });
  const spans = pieces.reduce((sum, piece) => sum + piece.spans, 0);
  return { pieces, seen: [...seen.values()], rawBytes: raw.length, spans, data };
}

function note(seen: Map<string, Seen>, { source: { service }, name, duration, error }: Span, start: number): void {
  const key = `${service}\0${name}`;
  let entry = seen.get(key);
  if (entry === undefined) {
    entry = { service, operation: name, newest: start, oldest: start, longest: 0, errors: 0, spans: 0 };
    seen.set(key, entry);
  }
  if (start > entry.newest) entry.newest = start;
  if (start < entry.oldest) entry.oldest = start;
  if (duration > entry.longest) entry.longest = duration;
  if (error) entry.errors += 1;
  entry.spans += 1;
}

const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};

/** A block unpacked, for reading pieces of it. Throws where it is damaged. */
export function unpack(data: Uint8Array): (piece: Pick<Piece, 'offset' | 'length'>) => readonly Span[] {
  const raw = zstdDecompressSync(data, { maxOutputLength: MAX_RAW_BYTES });
  const sources: Source[] = [];
  let at = 4;
  const take = (): Buffer => {
    const length = raw.readUInt32LE(at);
    at += 4 + length;
    return raw.subarray(at - length, at);
  };
  for (let count = raw.readUInt32LE(0); count > 0; count -= 1) {
    const resource = take();
    sources.push({ resource, scope: take(), service: serviceOf(resource) });
  }
  return ({ offset, length }) => {
    const spans: Span[] = [];
    for (let from = offset; from < offset + length;) {
      const source = sources[raw.readUInt32LE(from)];
      const end = from + 8 + raw.readUInt32LE(from + 4);
      if (source === undefined) throw new RangeError('a span of the block has no source');
      const span = decodeSpan(raw.subarray(from + 8, end), source);
      if (typeof span === 'object') spans.push(span);
      from = end;
    }
    return spans;
  };
}
