// POST /v1/traces: OTLP over HTTP, answered when the spans are on disk.
import { Fault, type FaultKind } from '../../base/fault.ts';
import { route, type Route, type RouteReply } from '../../base/route.ts';
import { TRACE_DISK_FULL, TRACE_MALFORMED, TRACE_MEDIA, TRACE_OVERLOADED, TRACE_STORE_FAILED } from '../faults.ts';
import type { Refusal } from '../store/messages.ts';
import type { TraceStore } from '../store/open.ts';
import { exportResponse, formatOf, statusBody } from './response.ts';

/** opentelemetry-proto, docs/specification.md: what a server should take, after decompression. */
const BODY_LIMIT = 64 * 1024 * 1024;

const REFUSALS = {
  malformed: { kind: TRACE_MALFORMED },
  overloaded: { kind: TRACE_OVERLOADED, retrySeconds: 1 },
  disk_full: { kind: TRACE_DISK_FULL, retrySeconds: 30 },
  failed: { kind: TRACE_STORE_FAILED, retrySeconds: 5 },
} as const satisfies Record<Refusal, { kind: FaultKind; retrySeconds?: number }>;

interface IngestOptions {
  readonly store: () => TraceStore;
  /** Bytes of requests that may wait for the store at a time. */
  readonly maxInFlightBytes: number;
  readonly onTaken: (accepted: number, rejected: readonly (readonly [string, number])[], bytes: number) => void;
  readonly onRefused: (why: Refusal | 'media', bytes: number) => void;
}

/** Refusals the sender should repeat (OTLP: 503) are told when; all others are final. */
export function ingestRoute({ store, maxInFlightBytes, onTaken, onRefused }: IngestOptions): Route {
  let inFlight = 0;
  const refuse = (type: string | undefined, why: Refusal, message: string): RouteReply => {
    const refusal = REFUSALS[why];
    const retry = 'retrySeconds' in refusal ? { 'retry-after': String(refusal.retrySeconds) } : undefined;
    const text = `${message}; ${refusal.kind.remedy} [${refusal.kind.code}]`;
    return {
      status: refusal.kind.status,
      ...(retry && { headers: retry }),
      ...statusBody(type, refusal.kind.status, text),
    };
  };
  return route({
    method: 'POST',
    path: '/v1/traces',
    right: 'ingest',
    summary: 'Spans as OTLP/HTTP, protobuf or JSON; answered when they are on disk',
    body: 'raw',
    bodyLimit: BODY_LIMIT,
    audited: false,
    problem: (fault, headers) =>
      statusBody(headers['content-type'], fault.status, `${fault.message}; ${fault.remedy} [${fault.code}]`),
    async handler({ body, headers }) {
      const type = headers['content-type']?.toString();
      const format = formatOf(type);
      if (format === undefined) {
        onRefused('media', body.length);
        throw new Fault(TRACE_MEDIA, `the Content-Type ${(type ?? '(none)').slice(0, 60)} is not taken here`);
      }
      const bytes = body.length;
      // One request always fits, however large: it could never be sent otherwise.
      if (inFlight > 0 && inFlight + bytes > maxInFlightBytes) {
        onRefused('overloaded', bytes);
        return refuse(type, 'overloaded', 'too many bytes are being taken in');
      }
      inFlight += bytes;
      try {
        const outcome = await store().ingest(format, body);
        if (outcome.kind === 'refused') {
          onRefused(outcome.why, bytes);
          return refuse(type, outcome.why, outcome.message);
        }
        onTaken(outcome.accepted, outcome.rejected, bytes);
        return exportResponse(format, new Map(outcome.rejected));
      } catch (error) {
        onRefused('failed', bytes);
        return refuse(type, 'failed', error instanceof Fault ? error.message : 'the store failed');
      } finally {
        inFlight -= bytes;
      }
    },
  });
}
