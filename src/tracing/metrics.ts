// The metrics of tracing, in the daemon's own registry.
import { Counter, Gauge, Histogram, type Registry } from '../base/metrics.ts';
import type { TraceStats } from './store/messages.ts';

interface TraceMetrics {
  taken(accepted: number, rejected: readonly (readonly [string, number])[], bytes: number): void;
  refused(why: string): void;
  committed(seconds: number, bytes: number): void;
}

/** `stats` gives the last that the store told of itself, or undefined while it is not open. */
export function traceMetrics(registry: Registry, stats: () => TraceStats | undefined): TraceMetrics {
  const registers = [registry];
  const gauge = (name: string, help: string, value: (known: TraceStats) => number): void => {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        const known = stats();
        this.reset();
        if (known !== undefined) this.set(value(known));
      },
    });
  };
  gauge(
    'jdos_traces_hot_spans',
    'Spans in memory that are not packed yet; they are on disk in segments.',
    (s) => s.hotSpans,
  );
  gauge('jdos_traces_hot_bytes', 'Memory of the spans that are not packed yet.', (s) => s.hotBytes);
  gauge('jdos_traces_stored_spans', 'Spans in partitions.', (s) => s.spans);
  gauge('jdos_traces_blocks', 'Compressed blocks in partitions.', (s) => s.blocks);
  gauge('jdos_traces_partitions', 'Partition files.', (s) => s.partitions);
  gauge('jdos_traces_disk_bytes', 'Bytes of the partition files.', (s) => s.diskBytes);
  gauge(
    'jdos_traces_disk_limit_bytes',
    'Bytes that the partition files may have before the oldest is deleted.',
    (s) => s.maxBytes,
  );
  const accepted = new Counter({ name: 'jdos_traces_spans_accepted_total', help: 'Spans kept.', registers });
  const rejected = new Counter({
    name: 'jdos_traces_spans_rejected_total',
    help: 'Spans of accepted requests that could not be kept, by what is wrong with them.',
    labelNames: ['reason'],
    registers,
  });
  const refused = new Counter({
    name: 'jdos_traces_requests_refused_total',
    help: 'Requests of which nothing was kept, by reason.',
    labelNames: ['reason'],
    registers,
  });
  const received = new Counter({
    name: 'jdos_traces_received_bytes_total',
    help: 'Bytes of accepted requests after decompression.',
    registers,
  });
  const written = new Counter({
    name: 'jdos_traces_segment_bytes_total',
    help: 'Bytes written to segments.',
    registers,
  });
  const duration = new Histogram({
    name: 'jdos_traces_fdatasync_duration_seconds',
    help: 'How long the disk took to keep one group of requests.',
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1],
    registers,
  });
  return {
    taken(spans, reasons, bytes) {
      accepted.inc(spans);
      received.inc(bytes);
      for (const [reason, n] of reasons) rejected.inc({ reason }, n);
    },
    refused: (reason) => refused.inc({ reason }),
    committed(seconds, bytes) {
      duration.observe(seconds);
      written.inc(bytes);
    },
  };
}
