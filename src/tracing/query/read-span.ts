// A stored span read in full, for people and programs: ids in hex, exact times, attributes as JSON values.
import { WIRE, WireError, WireReader } from '../../base/protobuf-wire.ts';

type Value = string | number | boolean | null | readonly Value[] | { readonly [key: string]: Value };
export type Attributes = { readonly [key: string]: Value };

export const KINDS = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'] as const;
export const STATUS_CODES = ['unset', 'ok', 'error'] as const;

export interface FullSpan {
  traceId: string;
  spanId: string;
  parentSpanId: string | null;
  name: string;
  kind: (typeof KINDS)[number];
  /** Unix nanoseconds, decimal, exact. */
  startUnixNano: string;
  endUnixNano: string;
  durationMs: number;
  status: { code: (typeof STATUS_CODES)[number]; message: string };
  attributes: Attributes;
  events: { timeUnixNano: string; name: string; attributes: Attributes }[];
  links: { traceId: string; spanId: string; attributes: Attributes }[];
  traceState: string;
  flags: number;
  dropped: { attributes: number; events: number; links: number };
  /** Whether a part of it could not be read; what could be is there. */
  damaged: boolean;
}

/** How deep values may nest; what is deeper is left out, and the span says that it is damaged. */
const MAX_DEPTH = 32;

/** Reads a raw span. Never throws: what is not readable is left out and the span marked as damaged. */
export function readSpan(bytes: Uint8Array): FullSpan {
  const span: FullSpan = {
    traceId: '',
    spanId: '',
    parentSpanId: null,
    name: '',
    kind: 'unspecified',
    startUnixNano: '0',
    endUnixNano: '0',
    durationMs: 0,
    status: { code: 'unset', message: '' },
    attributes: {},
    events: [],
    links: [],
    traceState: '',
    flags: 0,
    dropped: { attributes: 0, events: 0, links: 0 },
    damaged: false,
  };
  const pairs: WireReader[] = [];
  const times = { start: 0n, end: 0n };
  const reader = new WireReader(bytes);
  try {
    while (reader.next()) readField(reader, span, pairs, times);
  } catch (error) {
    noteDamage(span, error);
  }
  span.attributes = attributesOf(pairs, span);
  span.startUnixNano = String(times.start);
  span.endUnixNano = String(times.end);
  span.durationMs = times.end > times.start ? Number(times.end - times.start) / 1e6 : 0;
  return span;
}

function readField(
  reader: WireReader,
  span: FullSpan,
  pairs: WireReader[],
  times: { start: bigint; end: bigint },
): void {
  switch (reader.field * 8 + reader.type) {
    case 8 + WIRE.bytes:
      span.traceId = reader.bytes().toString('hex');
      break;
    case 16 + WIRE.bytes:
      span.spanId = reader.bytes().toString('hex');
      break;
    case 24 + WIRE.bytes:
      span.traceState = reader.text();
      break;
    case 32 + WIRE.bytes: {
      const parent = reader.bytes();
      span.parentSpanId = parent.every((byte) => byte === 0) ? null : parent.toString('hex');
      break;
    }
    case 40 + WIRE.bytes:
      span.name = reader.text();
      break;
    case 48 + WIRE.varint:
      span.kind = KINDS[reader.varint()] ?? 'unspecified';
      break;
    case 56 + WIRE.fixed64:
      times.start = reader.fixed64();
      break;
    case 64 + WIRE.fixed64:
      times.end = reader.fixed64();
      break;
    case 72 + WIRE.bytes:
      pairs.push(reader.message());
      break;
    case 80 + WIRE.varint:
      span.dropped.attributes = reader.varint();
      break;
    case 88 + WIRE.bytes:
      tolerant(span, reader.message(), (message) => readEvent(message, span));
      break;
    case 96 + WIRE.varint:
      span.dropped.events = reader.varint();
      break;
    case 104 + WIRE.bytes:
      tolerant(span, reader.message(), (message) => readLink(message, span));
      break;
    case 112 + WIRE.varint:
      span.dropped.links = reader.varint();
      break;
    case 120 + WIRE.bytes:
      tolerant(span, reader.message(), (message) => readStatus(message, span));
      break;
    case 128 + WIRE.fixed32:
      span.flags = reader.fixed32();
      break;
    default:
      reader.skip();
  }
}

function noteDamage(span: { damaged: boolean }, error: unknown): void {
  if (!(error instanceof WireError)) throw error;
  span.damaged = true;
}

function tolerant(span: FullSpan, message: WireReader, read: (message: WireReader) => void): void {
  try {
    read(message);
  } catch (error) {
    noteDamage(span, error);
  }
}

function readStatus(reader: WireReader, span: FullSpan): void {
  while (reader.next()) {
    if (reader.field === 2 && reader.is(WIRE.bytes)) span.status.message = reader.text();
    else if (reader.field === 3 && reader.is(WIRE.varint)) span.status.code = STATUS_CODES[reader.varint()] ?? 'unset';
    else if (reader.field !== 2 && reader.field !== 3) reader.skip();
  }
}

function readEvent(reader: WireReader, span: FullSpan): void {
  const event = { timeUnixNano: '0', name: '', attributes: {} as Attributes };
  const pairs: WireReader[] = [];
  span.events.push(event);
  while (reader.next()) {
    if (reader.field === 1 && reader.is(WIRE.fixed64)) event.timeUnixNano = String(reader.fixed64());
    else if (reader.field === 2 && reader.is(WIRE.bytes)) event.name = reader.text();
    else if (reader.field === 3 && reader.is(WIRE.bytes)) pairs.push(reader.message());
    else if (reader.field > 3) reader.skip();
  }
  event.attributes = attributesOf(pairs, span);
}

function readLink(reader: WireReader, span: FullSpan): void {
  const link = { traceId: '', spanId: '', attributes: {} as Attributes };
  const pairs: WireReader[] = [];
  span.links.push(link);
  while (reader.next()) {
    if (reader.field === 1 && reader.is(WIRE.bytes)) link.traceId = reader.bytes().toString('hex');
    else if (reader.field === 2 && reader.is(WIRE.bytes)) link.spanId = reader.bytes().toString('hex');
    else if (reader.field === 4 && reader.is(WIRE.bytes)) pairs.push(reader.message());
    else if (reader.field !== 1 && reader.field !== 2 && reader.field !== 4) reader.skip();
  }
  link.attributes = attributesOf(pairs, span);
}

/** Key-value pairs as an object; of a key that stands twice, the last. */
function attributesOf(pairs: readonly WireReader[], damage: { damaged: boolean }, depth = 0): Attributes {
  const attributes: Record<string, Value> = Object.create(null) as Record<string, Value>;
  for (const pair of pairs) {
    try {
      let key = '';
      let value: Value = null;
      while (pair.next()) {
        if (pair.field === 1 && pair.is(WIRE.bytes)) key = pair.text();
        else if (pair.field === 2 && pair.is(WIRE.bytes)) value = valueOf(pair.message(), damage, depth);
        else if (pair.field > 2) pair.skip();
      }
      attributes[key] = value;
    } catch (error) {
      noteDamage({ ...damage }, error);
      damage.damaged = true;
    }
  }
  return attributes;
}

function valueOf(reader: WireReader, damage: { damaged: boolean }, depth: number): Value {
  let value: Value = null;
  while (reader.next()) {
    switch (reader.field * 8 + reader.type) {
      case 8 + WIRE.bytes:
        value = reader.text();
        break;
      case 16 + WIRE.varint:
        value = reader.varint() !== 0;
        break;
      case 24 + WIRE.varint: {
        const integer = reader.int64();
        const exact = Number(integer);
        value = Number.isSafeInteger(exact) ? exact : String(integer);
        break;
      }
      case 32 + WIRE.fixed64: {
        const number = reader.double();
        value = Number.isFinite(number) ? number : String(number);
        break;
      }
      case 40 + WIRE.bytes:
      case 48 + WIRE.bytes: {
        const isList = reader.field === 5;
        const inner = members(reader.message());
        if (depth >= MAX_DEPTH) damage.damaged = true;
        else if (isList) value = inner.map((one) => valueOf(one, damage, depth + 1));
        else value = attributesOf(inner, damage, depth + 1);
        break;
      }
      case 56 + WIRE.bytes:
        value = reader.bytes().toString('base64');
        break;
      default:
        reader.skip();
    }
  }
  return value;
}

/** The messages of field 1: values of a list, pairs of a key-value list. */
function members(reader: WireReader): WireReader[] {
  const found: WireReader[] = [];
  while (reader.next()) {
    if (reader.field === 1 && reader.is(WIRE.bytes)) found.push(reader.message());
    else if (reader.field !== 1) reader.skip();
  }
  return found;
}

/** Attributes of a raw resource (field 1). */
export function readResource(bytes: Uint8Array): Attributes {
  try {
    return attributesOf(members(new WireReader(bytes)), { damaged: false });
  } catch (error) {
    noteDamage({ damaged: false }, error);
    return {};
  }
}

/** Name and version of a raw instrumentation scope. */
export function readScope(bytes: Uint8Array): { readonly name: string; readonly version: string } {
  const scope = { name: '', version: '' };
  try {
    const reader = new WireReader(bytes);
    while (reader.next()) {
      if (reader.field === 1 && reader.is(WIRE.bytes)) scope.name = reader.text();
      else if (reader.field === 2 && reader.is(WIRE.bytes)) scope.version = reader.text();
      else if (reader.field > 2) reader.skip();
    }
  } catch (error) {
    noteDamage({ damaged: false }, error);
  }
  return scope;
}
