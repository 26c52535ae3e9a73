// Collects the samples of collection after collection as bytes that Prometheus accepts: escaped, declared, without
// duplicates, bounded.
import { AddedSeries } from './added-series.ts';
import type { FoundFamily, Metric, SampleWriter } from './collector.ts';
import { FamilyText } from './family-text.ts';
import { boundLabels, countLong, LONGEST_LABEL } from './label-bound.ts';
import { seriesText } from './sample-text.ts';
import type { Series } from './series.ts';

/** The sample lines of one family. */
export interface WrittenFamily {
  readonly name: string;
  readonly samples: number;
  /** What is said of a family that its collector did not declare. */
  readonly found?: Pick<FoundFamily, 'help' | 'type'> | undefined;
  /** Each line ended by a line feed, the same in both exposition formats. */
  readonly text: Buffer;
}

export interface Collected {
  /** Families with at least one sample, in the order of their declaration, then of being found. Their text is valid until the next collection. */
  readonly families: readonly WrittenFamily[];
  readonly series: number;
  /** Samples that went beyond the budget. */
  readonly dropped: number;
  /** Samples of series that had one already. */
  readonly refused: number;
  /** Label values that were cut. */
  readonly cut: number;
  /** The first {@link NAMED_DUPLICATES} series that were written twice; the first value stands. */
  readonly duplicates: readonly string[];
}

interface FamilyWriter extends SampleWriter {
  /** Begins a collection of at most `maxSeries` samples; what one before it wrote and did not finish is forgotten. */
  begin(maxSeries: number): void;
  finish(): Collected;
}

const NAMED_DUPLICATES = 5;

/** Opens the writer of one collector, whose label values are cut to `longest`. `add` throws for an undeclared metric and a wrong number of labels. */
export function openFamilyWriter(metrics: readonly Metric[], longest = LONGEST_LABEL): FamilyWriter {
  const families = new Map(metrics.map((metric) => [metric.name, new FamilyText(metric)]));
  const added = new Map(metrics.map((metric) => [metric.name, new AddedSeries(metric)]));
  const duplicates = new Set<string>();
  const found = new Map<string, WrittenFamily>();
  let round = 0;
  let finished = true;
  let maxSeries = 0;
  let series = 0;
  let dropped = 0;
  let refused = 0;
  let cut = 0;

  const familyOf = (name: string): FamilyText => {
    const family = families.get(name);
    if (family === undefined) throw new Error(`metric ${name} is not declared by its collector`);
    return family;
  };
  const adopt = (one: Series): FamilyText => {
    one.cut = countLong(one.labelValues, longest);
    if (one.cut > 0) one.labelValues = boundLabels(one.labelValues, longest);
    return familyOf(one.metric.name);
  };
  /** Whether there is room for so many more. */
  const count = (samples = 1): boolean => {
    if (series + samples <= maxSeries) {
      series += samples;
      return true;
    }
    dropped += samples;
    return false;
  };
  const twice = (head: string): void => {
    refused += 1;
    if (duplicates.size < NAMED_DUPLICATES) duplicates.add(head);
  };
  const headOf = ({ metric, labelValues }: Series): string => seriesText(metric.name, metric.labels ?? [], labelValues);
  const write = (one: Series, value: number): void => {
    if (one.round === round) return twice(headOf(one));
    if (!count()) return;
    one.family ??= adopt(one);
    cut += one.cut;
    one.family.set(one, value, one.round === round - 1);
    one.round = round;
  };

  return {
    begin(most) {
      // The pages of an unfinished collection are not those that its series have noted.
      round += finished ? 1 : 2;
      finished = false;
      maxSeries = most;
      series = 0;
      dropped = 0;
      refused = 0;
      cut = 0;
      duplicates.clear();
      found.clear();
      for (const family of families.values()) family.begin();
      for (const some of added.values()) some.begin();
    },
    add(name, value, ...values) {
      const some = added.get(name);
      if (some === undefined) throw new Error(`metric ${name} is not declared by its collector`);
      write(some.find(values), value);
    },
    set: write,
    addFamily({ name, help, type, samples, text, cut: long }) {
      if (families.has(name) || found.has(name)) throw new Error(`family ${name} is there already`);
      if (!count(samples)) return;
      cut += long;
      found.set(name, { name, samples, found: { help, type }, text });
    },
    finish() {
      finished = true;
      const written = [...families.values()].map((family) => ({
        name: family.metric.name,
        samples: family.samples,
        text: family.finish(),
      }));
      const shown = [...written, ...found.values()].filter(({ samples }) => samples > 0);
      return { families: shown, series, dropped, refused, cut, duplicates: [...duplicates] };
    },
  };
}
