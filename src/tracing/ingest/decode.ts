// The hot path: an OTLP export request cut into spans, reading only what the index needs; attributes stay bytes.
import { type Rejection, type Source, type Span, UNKNOWN_SERVICE } from '../span.ts';
import { WIRE, WireError, WireReader } from '../../base/protobuf-wire.ts';

export interface Decoded {
  readonly spans: readonly Span[];
  readonly rejected: ReadonlyMap<Rejection, number>;
}

/** More spans than this in one request are refused whole: a request is a batch, not a flood. */
const MAX_SPANS = 500_000;
/** A longer name is no name but data in the wrong place. */
const MAX_NAME_BYTES = 16 * 1024;
const EMPTY = Buffer.alloc(0);
const STATUS_ERROR = 2;

/**
 * Cuts an `ExportTraceServiceRequest` (opentelemetry-proto 1.11) into spans. Spans without usable ids are left out and
 * counted. Throws a {@link WireError} where the request is no such message.
 */
export function decodeRequest(request: Uint8Array): Decoded {
  const reader = new WireReader(request);
  const spans: Span[] = [];
  const rejected = new Map<Rejection, number>();
  while (reader.next()) {
    if (reader.field === 1 && reader.is(WIRE.bytes)) resourceSpans(reader.message(), spans, rejected);
    else if (reader.field !== 1) reader.skip();
  }
  return { spans, rejected };
}

function resourceSpans(reader: WireReader, spans: Span[], rejected: Map<Rejection, number>): void {
  let resource: Buffer = EMPTY;
  const scopes: WireReader[] = [];
  while (reader.next()) {
    if (reader.field === 1 && reader.is(WIRE.bytes)) resource = reader.bytes();
    else if (reader.field === 2 && reader.is(WIRE.bytes)) scopes.push(reader.message());
    else if (reader.field > 2) reader.skip();
  }
  const service = serviceOf(resource);
  for (const scope of scopes) scopeSpans(scope, { resource, service }, spans, rejected);
}

function scopeSpans(
  reader: WireReader,
  of: Pick<Source, 'resource' | 'service'>,
  spans: Span[],
  rejected: Map<Rejection, number>,
): void {
  const found: [from: number, to: number][] = [];
  let scope: Buffer = EMPTY;
  while (reader.next()) {
    if (reader.field === 1 && reader.is(WIRE.bytes)) scope = reader.bytes();
    else if (reader.field === 2 && reader.is(WIRE.bytes)) {
      reader.span();
      found.push([reader.from, reader.to]);
      if (spans.length + found.length > MAX_SPANS) throw new WireError(`there are more than ${MAX_SPANS} spans`);
    } else if (reader.field > 2) reader.skip();
  }
  const source: Source = { ...of, scope };
  for (const [from, to] of found) {
    const span = decodeSpan(reader.buffer.subarray(from, to), source);
    if (typeof span === 'string') rejected.set(span, (rejected.get(span) ?? 0) + 1);
    else spans.push(span);
  }
}

/** One raw span, or why it cannot be kept. Throws a {@link WireError} where the bytes are no span. */
export function decodeSpan(bytes: Uint8Array, source: Source): Span | Rejection {
  const reader = new WireReader(bytes);
  const { buffer } = reader;
  let traceId = '';
  let hasId = false;
  let root = true;
  let name = '';
  let start = 0;
  let end = 0;
  let error = false;
  let tooLong = false;
  while (reader.next()) {
    switch (reader.type === wireTypeOf(reader.field) ? reader.field : 0) {
      case 1:
        reader.span();
        traceId = isId(buffer, reader.from, reader.to, 16) ? buffer.toString('hex', reader.from, reader.to) : '';
        break;
      case 2:
        reader.span();
        hasId = isId(buffer, reader.from, reader.to, 8);
        break;
      case 4:
        reader.span();
        root = isZero(buffer, reader.from, reader.to);
        break;
      case 5:
        reader.span();
        tooLong = reader.to - reader.from > MAX_NAME_BYTES;
        if (!tooLong) name = buffer.toString('utf8', reader.from, reader.to);
        break;
      case 7:
        start = reader.micros();
        break;
      case 8:
        end = reader.micros();
        break;
      case 15:
        error = isError(reader.message());
        break;
      default:
        reader.skip();
    }
  }
  if (traceId === '') return 'trace_id';
  if (!hasId) return 'span_id';
  if (tooLong) return 'name_too_long';
  return { traceId, name, start, duration: Math.max(0, end - start), error, root, source, bytes };
}

const wireTypeOf = (field: number): number => (field === 7 || field === 8 ? WIRE.fixed64 : WIRE.bytes);

const isZero = (bytes: Uint8Array, from: number, to: number): boolean => {
  for (let at = from; at < to; at += 1) if (bytes[at] !== 0) return false;
  return true;
};
const isId = (bytes: Uint8Array, from: number, to: number, length: number): boolean =>
  to - from === length && !isZero(bytes, from, to);

function isError(status: WireReader): boolean {
  let code = 0;
  while (status.next()) {
    if (status.field === 3 && status.is(WIRE.varint)) code = status.varint();
    else if (status.field !== 3) status.skip();
  }
  return code === STATUS_ERROR;
}

/** `service.name` of a raw resource. Throws a {@link WireError} where the bytes are no resource. */
export function serviceOf(resource: Uint8Array): string {
  const reader = new WireReader(resource);
  while (reader.next()) {
    if (reader.field !== 1 || !reader.is(WIRE.bytes)) {
      if (reader.field !== 1) reader.skip();
      continue;
    }
    const attribute = reader.message();
    let key = '';
    let value = '';
    while (attribute.next()) {
      if (attribute.field === 1 && attribute.is(WIRE.bytes)) key = attribute.text();
      else if (attribute.field === 2 && attribute.is(WIRE.bytes)) value = stringOf(attribute.message());
      else if (attribute.field > 2) attribute.skip();
    }
    if (key === 'service.name' && value !== '') return value.slice(0, MAX_NAME_BYTES);
  }
  return UNKNOWN_SERVICE;
}

function stringOf(value: WireReader): string {
  let text = '';
  while (value.next()) {
    if (value.field === 1 && value.is(WIRE.bytes)) text = value.text();
    else if (value.field !== 1) value.skip();
  }
  return text;
}
