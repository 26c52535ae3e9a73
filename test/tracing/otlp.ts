// OTLP requests for tests, written and read by protobufjs, which shares no code with what is tested.
import protobuf from 'protobufjs';
import { random } from '../support/random.ts';

/** opentelemetry-proto 1.11, the messages of a trace export. */
const PROTO = `
syntax = "proto3";
message ExportTraceServiceRequest { repeated ResourceSpans resource_spans = 1; }
message ExportTraceServiceResponse { ExportTracePartialSuccess partial_success = 1; }
message ExportTracePartialSuccess { int64 rejected_spans = 1; string error_message = 2; }
message RpcStatus { int32 code = 1; string message = 2; }
message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; string schema_url = 3; }
message Resource { repeated KeyValue attributes = 1; uint32 dropped_attributes_count = 2; }
message ScopeSpans { InstrumentationScope scope = 1; repeated Span spans = 2; string schema_url = 3; }
message InstrumentationScope { string name = 1; string version = 2; repeated KeyValue attributes = 3; }
message Span {
  bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; bytes parent_span_id = 4; string name = 5; int32 kind = 6;
  fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8; repeated KeyValue attributes = 9;
  uint32 dropped_attributes_count = 10; repeated Event events = 11; uint32 dropped_events_count = 12;
  repeated Link links = 13; uint32 dropped_links_count = 14; Status status = 15; fixed32 flags = 16;
  message Event { fixed64 time_unix_nano = 1; string name = 2; repeated KeyValue attributes = 3; }
  message Link { bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; repeated KeyValue attributes = 4; }
}
message Status { string message = 2; int32 code = 3; }
message KeyValue { string key = 1; AnyValue value = 2; }
message AnyValue { oneof value {
  string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4;
  ArrayValue array_value = 5; KeyValueList kvlist_value = 6; bytes bytes_value = 7; } }
message ArrayValue { repeated AnyValue values = 1; }
message KeyValueList { repeated KeyValue values = 1; }
`;

const { root } = protobuf.parse(PROTO);
const Request = root.lookupType('ExportTraceServiceRequest');

export const encode = (request: object): Buffer => Buffer.from(Request.encode(Request.fromObject(request)).finish());
export const oracle = (bytes: Uint8Array): Record<string, unknown> =>
  Request.toObject(Request.decode(bytes), { longs: String, defaults: false });
export const decodeAs = (type: string, bytes: Uint8Array): Record<string, unknown> => {
  const known = root.lookupType(type);
  return known.toObject(known.decode(bytes), { longs: Number, defaults: true });
};

export interface MadeSpan {
  readonly trace: string;
  readonly span: string;
  readonly parent?: string;
  readonly service?: string;
  readonly name?: string;
  /** Unix microseconds. */
  readonly start?: number;
  /** Microseconds. */
  readonly duration?: number;
  readonly error?: boolean;
  readonly kind?: number;
}

export const traceIdOf = (n: number | string): string => String(n).padStart(32, '0').replace(/^0/, 'a');
export const spanIdOf = (n: number | string): string => String(n).padStart(16, '0').replace(/^0/, 'b');

/** A request of spans, one resource for each. */
export const requestOf = (spans: readonly MadeSpan[]): Buffer =>
  encode({
    resourceSpans: spans.map(
      ({ trace, span, parent, service = 'shop', name = 'op', start = 1, duration = 1, error, kind = 2 }) => ({
        resource: { attributes: [{ key: 'service.name', value: { stringValue: service } }] },
        scopeSpans: [
          {
            scope: { name: 'test' },
            spans: [
              {
                traceId: Buffer.from(trace, 'hex'),
                spanId: Buffer.from(span, 'hex'),
                parentSpanId: Buffer.from(parent ?? '', 'hex'),
                name,
                kind,
                startTimeUnixNano: `${start}000`,
                endTimeUnixNano: `${start + duration}000`,
                status: error === true ? { code: 2, message: 'it failed' } : undefined,
              },
            ],
          },
        ],
      }),
    ),
  });

/** Sends a request with one span, of the trace `traceIdOf(n)`. */
export const sendSpan = (url: string, n: number): Promise<Response> =>
  fetch(`${url}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-protobuf' },
    body: new Uint8Array(requestOf([{ trace: traceIdOf(n), span: spanIdOf(n), name: `request ${n}` }])),
  });

type Next = () => number;
const pick = <T>(next: Next, from: readonly T[]): T => from[Math.floor(next() * from.length)] as T;
const bytesOf = (next: Next, length: number): Buffer =>
  Buffer.from(Array.from({ length }, () => 1 + Math.floor(next() * 255)));
const TEXTS = ['', 'a', 'GET /cart', '购物车', 'naïve 🛒', '__proto__', 'x'.repeat(300)] as const;

function valueOf(next: Next, depth: number): object {
  const kind = Math.floor(next() * (depth > 3 ? 5 : 7));
  if (kind === 0) return { stringValue: pick(next, TEXTS) };
  if (kind === 1) return { boolValue: next() < 0.5 };
  if (kind === 2) return { intValue: pick(next, ['0', '-1', '42', '9007199254740993', '-9223372036854775808']) };
  if (kind === 3) return { doubleValue: pick(next, [0, -1.5, 1e300, Number.NaN, Number.POSITIVE_INFINITY]) };
  if (kind === 4) return { bytesValue: bytesOf(next, Math.floor(next() * 5)) };
  const inner = Array.from({ length: Math.floor(next() * 4) }, () => valueOf(next, depth + 1));
  if (kind === 5) return { arrayValue: { values: inner } };
  return { kvlistValue: { values: inner.map((value, n) => ({ key: `k${n}`, value })) } };
}

const attributesOf = (next: Next): object[] =>
  Array.from({ length: Math.floor(next() * 5) }, (_, n) => ({
    key: `${pick(next, TEXTS)}${n}`,
    value: valueOf(next, 0),
  }));

/** Any request the protocol allows, the same for the same seed. */
export function anyRequest(seed: number): object {
  const next = random(seed);
  const list = <T>(most: number, make: () => T): T[] => Array.from({ length: Math.floor(next() * (most + 1)) }, make);
  return {
    resourceSpans: list(3, () => ({
      resource: {
        attributes: [
          ...attributesOf(next),
          ...(next() < 0.7
            ? [{ key: 'service.name', value: { stringValue: pick(next, ['shop', '库存', 'pay']) } }]
            : []),
        ],
      },
      schemaUrl: pick(next, ['', 'https://opentelemetry.io/schemas/1.30.0']),
      scopeSpans: list(2, () => ({
        scope: { name: pick(next, TEXTS), version: '1', attributes: attributesOf(next) },
        spans: list(4, () => ({
          traceId: bytesOf(next, 16),
          spanId: bytesOf(next, 8),
          parentSpanId: next() < 0.5 ? bytesOf(next, 8) : Buffer.alloc(0),
          traceState: pick(next, ['', 'a=b']),
          name: pick(next, TEXTS),
          kind: Math.floor(next() * 6),
          startTimeUnixNano: pick(next, ['0', '999', '1763999999123456789', '18446744073709551615']),
          endTimeUnixNano: pick(next, ['0', '1763999999999999999', '18446744073709551615']),
          attributes: attributesOf(next),
          events: list(2, () => ({
            timeUnixNano: '1763999999123456789',
            name: pick(next, TEXTS),
            attributes: attributesOf(next),
          })),
          links: list(2, () => ({
            traceId: bytesOf(next, 16),
            spanId: bytesOf(next, 8),
            attributes: attributesOf(next),
          })),
          droppedAttributesCount: Math.floor(next() * 3),
          status: next() < 0.5 ? { code: Math.floor(next() * 3), message: pick(next, TEXTS) } : undefined,
          flags: Math.floor(next() * 1024),
        })),
      })),
    })),
  };
}
