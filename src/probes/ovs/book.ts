// The series that were written in the collection before: found again by metric and labels, forgotten when they are not written.
import type { Metric, SampleWriter } from '../collector.ts';
import { openSeries, type Series } from '../series.ts';

export interface Book {
  /** Begins a collection. */
  turn(): void;
  write(out: SampleWriter, metric: Metric, value: number | undefined, labels: readonly string[]): void;
}

/** Labels of the database can be long; what Prometheus shows should not be. */
const LONGEST_LABEL = 256;

export function openBook(): Book {
  let before = new Map<string, Series>();
  let now = new Map<string, Series>();
  return {
    turn() {
      before = now;
      now = new Map();
    },
    /** Undefined is not written. */
    write(out, metric, value, long) {
      if (value === undefined) return;
      const labels = long.some(({ length }) => length > LONGEST_LABEL)
        ? long.map((one) => one.slice(0, LONGEST_LABEL))
        : long;
      const key = `${metric.name}\0${labels.join('\0')}`;
      const series = now.get(key) ?? before.get(key) ?? openSeries(metric, ...labels);
      now.set(key, series);
      out.set(series, value);
    },
  };
}
