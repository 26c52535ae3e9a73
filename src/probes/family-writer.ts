// Collects the samples of one collection as lines that Prometheus accepts: escaped, declared, without duplicates, bounded.
import type { Metric, SampleWriter } from './collector.ts';
import type { PublishedFamily, WatchedSample } from './publication.ts';

interface FamilyWriterOptions {
  /** Metrics whose samples are handed over as values too. */
  readonly watch: ReadonlySet<string>;
  /** Samples beyond this are dropped and counted. */
  readonly maxSeries: number;
}

export interface Collected {
  /** Families with at least one sample, in the order of their declaration. */
  readonly families: PublishedFamily[];
  /** One entry per watched metric that is declared here, empty where nothing was written. Finite values only. */
  readonly watched: Record<string, WatchedSample[]>;
  readonly series: number;
  /** Samples that went beyond the budget. */
  readonly dropped: number;
  /** The first {@link NAMED_DUPLICATES} series that were written twice; the first value stands. */
  readonly duplicates: readonly string[];
}

interface FamilyWriter extends SampleWriter {
  finish(): Collected;
}

const NAMED_DUPLICATES = 5;

interface Family {
  readonly metric: Metric;
  /** Sample lines by series, which is what finds duplicates. */
  readonly lines: Map<string, string>;
  readonly watched: WatchedSample[] | undefined;
}

const SPECIAL = /[\\"\n\ud800-\udfff]/;

/** A label value between quotes, the same in both exposition formats. Lone surrogates become U+FFFD. */
export const escapeLabelValue = (value: string): string =>
  SPECIAL.test(value)
    ? value.toWellFormed().replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
    : value;

/** A sample value: as Go's ParseFloat reads it, integers plain. */
export function formatValue(value: number): string {
  if (value === Infinity) return '+Inf';
  return value === -Infinity ? '-Inf' : String(value);
}

/** `name{label="value"}`, or the name alone without labels. */
export function seriesText(name: string, labels: readonly string[], values: readonly string[]): string {
  if (labels.length === 0) return name;
  let text = `${name}{`;
  for (let i = 0; i < labels.length; i += 1) {
    text += `${i === 0 ? '' : ','}${labels[i] ?? ''}="${escapeLabelValue(values[i] ?? '')}"`;
  }
  return `${text}}`;
}

/** Opens the writer of one collection. `add` throws for an undeclared metric and a wrong number of labels. */
export function openFamilyWriter(metrics: readonly Metric[], options: FamilyWriterOptions): FamilyWriter {
  const families = new Map<string, Family>(
    metrics.map((metric) => [
      metric.name,
      { metric, lines: new Map(), watched: options.watch.has(metric.name) ? [] : undefined },
    ]),
  );
  const duplicates = new Set<string>();
  let series = 0;
  let dropped = 0;
  return {
    add(name, value, ...values) {
      const family = families.get(name);
      if (family === undefined) throw new Error(`metric ${name} is not declared by its collector`);
      const labels = family.metric.labels ?? [];
      if (values.length !== labels.length) {
        throw new Error(`metric ${name} has labels (${labels.join(', ')}), got ${values.length} values`);
      }
      const head = seriesText(name, labels, values);
      if (family.lines.has(head)) {
        if (duplicates.size < NAMED_DUPLICATES) duplicates.add(head);
        return;
      }
      if (series >= options.maxSeries) {
        dropped += 1;
        return;
      }
      series += 1;
      family.lines.set(head, `${head} ${formatValue(value)}\n`);
      // JSON has no NaN, and a value that is no number is not known.
      if (family.watched !== undefined && Number.isFinite(value)) {
        family.watched.push({ labels: Object.fromEntries(labels.map((label, i) => [label, values[i] ?? ''])), value });
      }
    },
    finish: () => ({ ...published([...families.values()]), series, dropped, duplicates: [...duplicates] }),
  };
}

const published = (all: readonly Family[]): Pick<Collected, 'families' | 'watched'> => ({
  families: all
    .filter(({ lines }) => lines.size > 0)
    .map(({ metric: { name, help, type }, lines }) => ({
      name,
      help,
      type,
      text: [...lines.values()].join(''),
      samples: lines.size,
    })),
  watched: Object.fromEntries(all.flatMap(({ metric, watched }) => (watched ? [[metric.name, watched]] : []))),
});
