// A series that is written collection after collection: its line is made anew only when the value changes.
import type { Metric } from './collector.ts';
import type { FamilyText } from './family-text.ts';

/** Made by {@link openSeries}, written by `SampleWriter.set`, whose notes it carries. */
export interface Series {
  readonly metric: Metric;
  /** Cut to the length allowed when it is first written. */
  labelValues: readonly (string | undefined)[];
  /** How many of them were cut. */
  cut: number;
  /** The family it is written to; undefined before it was. */
  family: FamilyText | undefined;
  value: number;
  /** The collection that wrote it last, and where its line is in the bytes of that collection. */
  round: number;
  at: number;
  headBytes: number;
  lineBytes: number;
}

/** A series of a declared metric, without the labels whose value is undefined. Throws for a wrong number of labels. */
export function openSeries(metric: Metric, ...labelValues: readonly (string | undefined)[]): Series {
  checkLabels(metric, labelValues);
  return { metric, labelValues, cut: 0, family: undefined, value: 0.5, round: -1, at: 0, headBytes: 0, lineBytes: 0 };
}

/** Throws when a metric is not given a value for each of its labels. */
function checkLabels({ name, labels = [] }: Metric, values: readonly (string | undefined)[]): void {
  if (values.length === labels.length) return;
  throw new Error(`metric ${name} has labels (${labels.join(', ')}), got ${values.length} values`);
}
