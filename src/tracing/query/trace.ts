// One whole trace for the reader: duplicates out, sorted, and honest about what is missing.
import type { Span } from '../span.ts';
import { type Attributes, type FullSpan, readResource, readScope, readSpan } from './read-span.ts';

interface TraceSpan extends FullSpan {
  readonly service: string;
  readonly scope: { readonly name: string; readonly version: string };
  /** Index into the trace's `resources`. */
  readonly resource: number;
}

interface Completeness {
  /** Exactly one root, and every parent is there. */
  readonly complete: boolean;
  readonly roots: number;
  /** Spans whose parent is not here: lost, late, not sampled, or of another trace store. */
  readonly orphans: number;
  /** Spans that were sent more than once and are shown once. */
  readonly duplicates: number;
  /** Spans beyond the limit of one answer; the earliest are shown. */
  readonly omitted: number;
  /** Spans of which a part could not be read. */
  readonly damaged: number;
}

export interface Trace {
  readonly traceId: string;
  /** More than one where a 64-bit id stands for several traces. */
  readonly traceIds: readonly string[];
  readonly startUnixNano: string;
  readonly durationMs: number;
  readonly spanCount: number;
  readonly errorCount: number;
  readonly services: readonly string[];
  readonly completeness: Completeness;
  readonly resources: readonly Attributes[];
  readonly spans: readonly TraceSpan[];
}

/** More spans than this are not sent in one answer. */
const MAX_TRACE_SPANS = 20_000;

/** Puts a trace together from all its stored spans; undefined where there are none. */
export function assemble(stored: readonly Span[]): Trace | undefined {
  if (stored.length === 0) return undefined;
  const resources: Attributes[] = [];
  const resourceIndex = new Map<string, number>();
  const known = new Map<string, TraceSpan>();
  for (const span of stored) {
    const full = readSpan(span.bytes);
    // OTLP clients send again what was not acknowledged: the same span has the same four.
    const key = `${full.traceId} ${full.spanId} ${full.startUnixNano} ${full.kind}`;
    if (known.has(key)) continue;
    const raw = Buffer.from(span.source.resource).toString('latin1');
    let resource = resourceIndex.get(raw);
    if (resource === undefined) {
      resource = resources.push(readResource(span.source.resource)) - 1;
      resourceIndex.set(raw, resource);
    }
    known.set(key, { service: span.source.service, scope: readScope(span.source.scope), resource, ...full });
  }
  const spans = [...known.values()].sort(byStart);
  const ids = new Set(spans.map(({ traceId, spanId }) => traceId + spanId));
  const roots = spans.filter(({ parentSpanId }) => parentSpanId === null).length;
  const orphans = spans.filter(
    ({ traceId, parentSpanId }) => parentSpanId !== null && !ids.has(traceId + parentSpanId),
  ).length;
  const traceIds = [...new Set(spans.map(({ traceId }) => traceId))];
  const first = BigInt(spans[0]?.startUnixNano ?? 0);
  const last = spans.reduce((end, { endUnixNano }) => (BigInt(endUnixNano) > end ? BigInt(endUnixNano) : end), first);
  return {
    traceId: traceIds[0] ?? '',
    traceIds,
    startUnixNano: String(first),
    durationMs: Number(last - first) / 1e6,
    spanCount: spans.length,
    errorCount: spans.filter(({ status }) => status.code === 'error').length,
    services: [...new Set(spans.map(({ service }) => service))].sort(),
    completeness: {
      complete: roots === traceIds.length && orphans === 0,
      roots,
      orphans,
      duplicates: stored.length - spans.length,
      omitted: Math.max(0, spans.length - MAX_TRACE_SPANS),
      damaged: spans.filter(({ damaged }) => damaged).length,
    },
    resources,
    spans: spans.slice(0, MAX_TRACE_SPANS),
  };
}

function byStart(a: TraceSpan, b: TraceSpan): number {
  const [left, right] = [BigInt(a.startUnixNano), BigInt(b.startUnixNano)];
  if (left !== right) return left < right ? -1 : 1;
  return a.spanId < b.spanId ? -1 : 1;
}
