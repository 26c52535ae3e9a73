// The hot window: spans that are on disk in segments but not packed yet, grouped by trace and readable at once.
import type { Span } from '../span.ts';

/** What the fields of a span take in memory beside its bytes, roughly. */
const SPAN_OVERHEAD_BYTES = 250;

export class HotWindow {
  readonly traces = new Map<string, Span[]>();
  spans = 0;
  bytes = 0;

  add(spans: readonly Span[]): void {
    for (const span of spans) {
      const trace = this.traces.get(span.traceId);
      if (trace === undefined) this.traces.set(span.traceId, [span]);
      else trace.push(span);
      this.bytes += span.bytes.length + SPAN_OVERHEAD_BYTES;
    }
    this.spans += spans.length;
  }

  /** Spans of a trace by its whole id, or of all traces whose id ends with 16 hex digits. */
  find(id: string): readonly Span[] {
    if (id.length === 32) return this.traces.get(id) ?? [];
    const found: Span[] = [];
    for (const [traceId, spans] of this.traces) if (traceId.endsWith(id)) found.push(...spans);
    return found;
  }
}
