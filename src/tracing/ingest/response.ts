// OTLP's answers in the form of the request: ExportTraceServiceResponse, and google.rpc.Status for errors.
import type { FaultBody } from '../../base/route.ts';
import { REJECTIONS, type Rejection } from '../span.ts';
import { WireWriter } from '../../base/protobuf-wire.ts';

/** The two encodings of OTLP/HTTP. */
export type OtlpFormat = 'protobuf' | 'json';

const TYPES = { protobuf: 'application/x-protobuf', json: 'application/json' } as const satisfies Record<
  OtlpFormat,
  string
>;

/** The encoding that a Content-Type names, in any case and with any parameters; undefined for all others. */
export function formatOf(contentType: string | string[] | undefined): OtlpFormat | undefined {
  const type = String(contentType ?? '')
    .split(';', 1)[0]
    ?.trim()
    .toLowerCase();
  if (type === TYPES.protobuf || type === 'application/protobuf') return 'protobuf';
  return type === TYPES.json ? 'json' : undefined;
}

const WHY = {
  trace_id: 'a trace id that is not 16 bytes or all zero',
  span_id: 'a span id that is not 8 bytes or all zero',
  name_too_long: 'a name of more than 16 KiB',
} as const satisfies Record<Rejection, string>;

/** The answer to a request whose spans were kept, but for those rejected. */
export function exportResponse(format: OtlpFormat, rejected: ReadonlyMap<Rejection, number>): FaultBody {
  const total = [...rejected.values()].reduce((sum, n) => sum + n, 0);
  const message = REJECTIONS.flatMap((reason) =>
    rejected.has(reason) ? [`${rejected.get(reason)} with ${WHY[reason]}`] : [],
  ).join('; ');
  if (format === 'json') {
    const body = total === 0 ? {} : { partialSuccess: { rejectedSpans: String(total), errorMessage: message } };
    return { type: TYPES.json, body: JSON.stringify(body) };
  }
  const body = new WireWriter();
  if (total > 0) body.message(1, new WireWriter().varint(1, total).text(2, message));
  return { type: TYPES.protobuf, body: body.finish() };
}

/** gRPC's codes (google/rpc/code.proto) for the statuses that occur here. */
const CODES: Readonly<Record<number, number>> = { 400: 3, 401: 16, 403: 7, 404: 5, 413: 8, 415: 3, 429: 8, 503: 14 };
const INTERNAL = 13;

/** An error as `google.rpc.Status`, in JSON unless the request was protobuf. */
export function statusBody(contentType: string | string[] | undefined, status: number, message: string): FaultBody {
  const code = CODES[status] ?? INTERNAL;
  if (formatOf(contentType) !== 'protobuf') return { type: TYPES.json, body: JSON.stringify({ code, message }) };
  return { type: TYPES.protobuf, body: new WireWriter().varint(1, code).text(2, message).finish() };
}
