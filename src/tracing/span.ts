// A span as it is held and indexed: the raw OTLP bytes, and the few fields that finding it needs.

/** What sent a span: resource and scope, shared by the spans of one scope of a request. */
export interface Source {
  /** Raw `opentelemetry.proto.resource.v1.Resource`. */
  readonly resource: Uint8Array;
  /** Raw `opentelemetry.proto.common.v1.InstrumentationScope`. */
  readonly scope: Uint8Array;
  /** `service.name` of the resource, or {@link UNKNOWN_SERVICE}. */
  readonly service: string;
}

/** What OpenTelemetry calls a service that does not name itself. */
export const UNKNOWN_SERVICE = 'unknown_service';

export interface Span {
  /** 32 lower-case hex digits. */
  readonly traceId: string;
  readonly name: string;
  /** Unix microseconds, at most 2^53 - 1. */
  readonly start: number;
  /** Microseconds, never negative. */
  readonly duration: number;
  readonly error: boolean;
  /** Whether it names no parent. */
  readonly root: boolean;
  readonly source: Source;
  /** Raw `opentelemetry.proto.trace.v1.Span`. */
  readonly bytes: Uint8Array;
}

/** Why a span was not taken in. */
export const REJECTIONS = ['trace_id', 'span_id', 'name_too_long'] as const;
export type Rejection = (typeof REJECTIONS)[number];

/** What is known of a trace without reading its spans; of one piece of it, or of all together. */
export interface Summary {
  readonly traceId: string;
  /** Unix microseconds: start of its first span, end of its last. */
  readonly start: number;
  readonly end: number;
  /** Duration of its longest span in microseconds. */
  readonly longest: number;
  readonly spans: number;
  readonly errors: number;
  /** The span without a parent that starts first, where there is one. */
  readonly root: { readonly service: string; readonly operation: string } | undefined;
}

/** The summary of all pieces of one trace. */
export function together(pieces: readonly Summary[]): Summary | undefined {
  const [first, ...others] = pieces;
  if (first === undefined) return undefined;
  return others.reduce(
    (sum, piece) => ({
      traceId: sum.traceId,
      start: Math.min(sum.start, piece.start),
      end: Math.max(sum.end, piece.end),
      longest: Math.max(sum.longest, piece.longest),
      spans: sum.spans + piece.spans,
      errors: sum.errors + piece.errors,
      root: piece.root !== undefined && (sum.root === undefined || piece.start < sum.start) ? piece.root : sum.root,
    }),
    first,
  );
}

/** The summary of spans of one trace. */
export function summarize(spans: readonly Span[]): Summary {
  const summary = { start: Number.MAX_SAFE_INTEGER, end: 0, longest: 0, errors: 0 };
  let root: Span | undefined;
  for (const span of spans) {
    if (span.start < summary.start) summary.start = span.start;
    if (span.start + span.duration > summary.end) summary.end = span.start + span.duration;
    if (span.duration > summary.longest) summary.longest = span.duration;
    if (span.error) summary.errors += 1;
    if (span.root && (root === undefined || span.start < root.start)) root = span;
  }
  return {
    ...summary,
    traceId: spans[0]?.traceId ?? '',
    spans: spans.length,
    root: root === undefined ? undefined : { service: root.source.service, operation: root.name },
  };
}
