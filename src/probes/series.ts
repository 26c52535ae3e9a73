// A series that is written collection after collection: its text is made once, its line only when the value changes.
import type { Metric } from './collector.ts';

/** Made by {@link openSeries}, written by `SampleWriter.set`, whose notes it carries. */
export interface Series {
  readonly metric: Metric;
  readonly labelValues: readonly string[];
  /** The notes of the writer: `name{label="value"}`, the last value with its line, and the collection that has it. */
  head: string | undefined;
  value: number;
  line: string;
  writtenIn: object | undefined;
}

/** A series of a declared metric. Throws for a wrong number of labels. */
export function openSeries(metric: Metric, ...labelValues: readonly string[]): Series {
  checkLabels(metric, labelValues);
  return { metric, labelValues, head: undefined, value: Number.NaN, line: '', writtenIn: undefined };
}

/** Throws when a metric is not given a value for each of its labels. */
export function checkLabels({ name, labels = [] }: Metric, values: readonly string[]): void {
  if (values.length === labels.length) return;
  throw new Error(`metric ${name} has labels (${labels.join(', ')}), got ${values.length} values`);
}
