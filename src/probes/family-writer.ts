// Collects the samples of one collection as lines that Prometheus accepts: escaped, declared, without duplicates, bounded.
import type { Metric, SampleWriter } from './collector.ts';
import type { PublishedFamily, WatchedSample } from './publication.ts';
import { checkLabels } from './series.ts';

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
  readonly lines: string[];
  /** What was added, to find what is added twice. */
  readonly heads: Set<string>;
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
      { metric, lines: [], heads: new Set(), watched: options.watch.has(metric.name) ? [] : undefined },
    ]),
  );
  const duplicates = new Set<string>();
  const collection = {};
  let series = 0;
  let dropped = 0;
  const familyOf = (name: string): Family => {
    const family = families.get(name);
    if (family === undefined) throw new Error(`metric ${name} is not declared by its collector`);
    return family;
  };
  /** Whether there is room for one more. */
  const count = (): boolean => {
    if (series < options.maxSeries) {
      series += 1;
      return true;
    }
    dropped += 1;
    return false;
  };
  const twice = (head: string): void => {
    if (duplicates.size < NAMED_DUPLICATES) duplicates.add(head);
  };
  const watch = (family: Family, values: readonly string[], value: number): void => {
    // JSON has no NaN, and a value that is no number is not known.
    if (family.watched === undefined || !Number.isFinite(value)) return;
    const labels = family.metric.labels ?? [];
    family.watched.push({ labels: Object.fromEntries(labels.map((label, i) => [label, values[i] ?? ''])), value });
  };
  return {
    add(name, value, ...values) {
      const family = familyOf(name);
      checkLabels(family.metric, values);
      const head = seriesText(name, family.metric.labels ?? [], values);
      if (family.heads.has(head)) return twice(head);
      if (!count()) return;
      family.heads.add(head);
      family.lines.push(`${head} ${formatValue(value)}\n`);
      watch(family, values, value);
    },
    set(one, value) {
      const { metric, labelValues } = one;
      const family = familyOf(metric.name);
      one.head ??= seriesText(metric.name, metric.labels ?? [], labelValues);
      if (one.writtenIn === collection) return twice(one.head);
      if (!count()) return;
      one.writtenIn = collection;
      if (one.value !== value || one.line === '') {
        one.value = value;
        one.line = `${one.head} ${formatValue(value)}\n`;
      }
      family.lines.push(one.line);
      watch(family, labelValues, value);
    },
    finish: () => ({ ...published([...families.values()]), series, dropped, duplicates: [...duplicates] }),
  };
}

const published = (all: readonly Family[]): Pick<Collected, 'families' | 'watched'> => ({
  families: all
    .filter(({ lines }) => lines.length > 0)
    .map(({ metric: { name, help, type }, lines }) => ({
      name,
      help,
      type,
      text: lines.join(''),
      samples: lines.length,
    })),
  watched: Object.fromEntries(all.flatMap(({ metric, watched }) => (watched ? [[metric.name, watched]] : []))),
});
