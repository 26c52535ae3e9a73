// OTLP/JSON rewritten as the protobuf message it stands for, so that one form is stored and read.
import { WireWriter } from '../../base/protobuf-wire.ts';

/** The JSON is no OTLP export request; the message says where. */
export class JsonError extends Error {}

/** How deep values may nest in one another (array in key-value list in array…). */
const MAX_VALUE_DEPTH = 32;

type Json = Readonly<Record<string, unknown>>;

/**
 * The bytes of the `ExportTraceServiceRequest` that a JSON body says (OTLP 1.11, JSON Protobuf Encoding): ids are hex,
 * and base64 of the same length is understood too; 64-bit integers are strings or numbers; unknown keys are ignored.
 * Throws a {@link JsonError} where the body is not UTF-8, not JSON or not such a request.
 */
export function transcode(body: Uint8Array): Buffer {
  let root: unknown;
  try {
    root = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (cause) {
    throw new JsonError(`the body is not JSON: ${(cause as Error).message.slice(0, 200)}`, { cause });
  }
  const request = new WireWriter();
  for (const [group, at] of objects(object(root, ''), 'resourceSpans', '')) {
    const out = new WireWriter();
    if (group['resource'] !== undefined && group['resource'] !== null)
      out.message(1, resource(object(group['resource'], `${at}.resource`), `${at}.resource`));
    for (const [scope, path] of objects(group, 'scopeSpans', at)) out.message(2, scopeSpans(scope, path));
    text(out, 3, group, 'schemaUrl', at);
    request.message(1, out);
  }
  return request.finish();
}

function resource(from: Json, at: string): WireWriter {
  const out = attributes(new WireWriter(), 1, from, at);
  return count(out, 2, from, 'droppedAttributesCount', at);
}

function scopeSpans(from: Json, at: string): WireWriter {
  const out = new WireWriter();
  if (from['scope'] !== undefined && from['scope'] !== null) {
    const scope = object(from['scope'], `${at}.scope`);
    const made = new WireWriter();
    text(made, 1, scope, 'name', at);
    text(made, 2, scope, 'version', at);
    attributes(made, 3, scope, `${at}.scope`);
    out.message(1, count(made, 4, scope, 'droppedAttributesCount', at));
  }
  for (const [one, path] of objects(from, 'spans', at)) out.message(2, span(one, path));
  return text(out, 3, from, 'schemaUrl', at);
}

function span(from: Json, at: string): WireWriter {
  const out = new WireWriter();
  id(out, 1, from, 'traceId', 16, at);
  id(out, 2, from, 'spanId', 8, at);
  text(out, 3, from, 'traceState', at);
  id(out, 4, from, 'parentSpanId', 8, at);
  text(out, 5, from, 'name', at);
  count(out, 6, from, 'kind', at);
  time(out, 7, from, 'startTimeUnixNano', at);
  time(out, 8, from, 'endTimeUnixNano', at);
  attributes(out, 9, from, at);
  count(out, 10, from, 'droppedAttributesCount', at);
  for (const [event, path] of objects(from, 'events', at)) {
    const made = time(new WireWriter(), 1, event, 'timeUnixNano', path);
    text(made, 2, event, 'name', path);
    out.message(11, count(attributes(made, 3, event, path), 4, event, 'droppedAttributesCount', path));
  }
  count(out, 12, from, 'droppedEventsCount', at);
  for (const [link, path] of objects(from, 'links', at)) {
    const made = id(new WireWriter(), 1, link, 'traceId', 16, path);
    id(made, 2, link, 'spanId', 8, path);
    text(made, 3, link, 'traceState', path);
    count(attributes(made, 4, link, path), 5, link, 'droppedAttributesCount', path);
    out.message(13, flags(made, 6, link, path));
  }
  count(out, 14, from, 'droppedLinksCount', at);
  if (from['status'] !== undefined && from['status'] !== null) {
    const status = object(from['status'], `${at}.status`);
    out.message(15, count(text(new WireWriter(), 2, status, 'message', at), 3, status, 'code', at));
  }
  return flags(out, 16, from, at);
}

function attributes(out: WireWriter, field: number, from: Json, at: string, key = 'attributes', depth = 0): WireWriter {
  for (const [pair, path] of objects(from, key, at)) {
    const made = text(new WireWriter(), 1, pair, 'key', path);
    if (pair['value'] !== undefined && pair['value'] !== null)
      made.message(2, anyValue(object(pair['value'], `${path}.value`), `${path}.value`, depth));
    out.message(field, made);
  }
  return out;
}

function anyValue(from: Json, at: string, depth: number): WireWriter {
  if (depth > MAX_VALUE_DEPTH) throw new JsonError(`${at.slice(0, 100)}… nests deeper than ${MAX_VALUE_DEPTH}`);
  const out = new WireWriter();
  if (typeof from['stringValue'] === 'string') return out.text(1, from['stringValue']);
  if (typeof from['boolValue'] === 'boolean') return out.varint(2, from['boolValue'] ? 1 : 0);
  if (from['intValue'] !== undefined) return out.varint(3, integer(from['intValue'], `${at}.intValue`));
  if (from['doubleValue'] !== undefined) return out.double(4, double(from['doubleValue'], `${at}.doubleValue`));
  if (from['arrayValue'] !== undefined) {
    const list = new WireWriter();
    for (const [value, path] of objects(object(from['arrayValue'], at), 'values', at))
      list.message(1, anyValue(value, path, depth + 1));
    return out.message(5, list);
  }
  if (from['kvlistValue'] !== undefined) {
    const list = object(from['kvlistValue'], at);
    return out.message(6, attributes(new WireWriter(), 1, list, at, 'values', depth + 1));
  }
  if (typeof from['bytesValue'] === 'string') return out.bytes(7, Buffer.from(from['bytesValue'], 'base64'));
  return out;
}

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function object(value: unknown, at: string): Json {
  if (isObject(value)) return value;
  throw new JsonError(`${at === '' ? 'the body' : at} must be an object`);
}

function objects(from: Json, key: string, at: string): readonly (readonly [Json, string])[] {
  const value = from[key];
  if (value === undefined || value === null) return [];
  const path = at === '' ? key : `${at}.${key}`;
  if (!Array.isArray(value)) throw new JsonError(`${path} must be an array`);
  return value.map((one, index) => [object(one, `${path}[${index}]`), `${path}[${index}]`]);
}

function text(out: WireWriter, field: number, from: Json, key: string, at: string): WireWriter {
  const value = from[key];
  if (value === undefined || value === null || value === '') return out;
  if (typeof value !== 'string') throw new JsonError(`${at}.${key} must be a string`);
  return out.text(field, value);
}

/** An id; one that is neither hex nor base64 of its length becomes empty, and its span is then rejected by itself. */
function id(out: WireWriter, field: number, from: Json, key: string, length: number, at: string): WireWriter {
  const value = from[key];
  if (value === undefined || value === null || value === '') return out;
  if (typeof value !== 'string') throw new JsonError(`${at}.${key} must be a string`);
  if (value.length === length * 2 && /^[0-9a-f]+$/i.test(value)) return out.bytes(field, Buffer.from(value, 'hex'));
  const base64 = Math.ceil(length / 3) * 4;
  if (value.length === base64 && /^[\w+/-]+=*$/.test(value)) {
    const bytes = Buffer.from(value, 'base64');
    if (bytes.length === length) return out.bytes(field, bytes);
  }
  return out;
}

function integer(value: unknown, at: string): bigint {
  if (typeof value === 'number' && Number.isFinite(value)) return BigInt(Math.trunc(value));
  if (typeof value === 'string' && /^-?\d{1,20}$/.test(value)) return BigInt(value);
  throw new JsonError(`${at} must be an integer, as a string or a number`);
}

function count(out: WireWriter, field: number, from: Json, key: string, at: string): WireWriter {
  const value = from[key];
  if (value === undefined || value === null) return out;
  const known = integer(value, `${at}.${key}`);
  return known === 0n ? out : out.varint(field, known);
}

function time(out: WireWriter, field: number, from: Json, key: string, at: string): WireWriter {
  const value = from[key];
  return value === undefined || value === null ? out : out.fixed64(field, integer(value, `${at}.${key}`));
}

function flags(out: WireWriter, field: number, from: Json, at: string): WireWriter {
  const value = from['flags'];
  if (value === undefined || value === null) return out;
  return out.fixed32(field, Number(BigInt.asUintN(32, integer(value, `${at}.flags`))));
}

const NAMED: Readonly<Record<string, number>> = { NaN, Infinity, '-Infinity': -Infinity };

function double(value: unknown, at: string): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'string' && Object.hasOwn(NAMED, value)) return NAMED[value] ?? 0;
  if (typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value))) return Number(value);
  throw new JsonError(`${at} must be a number`);
}
