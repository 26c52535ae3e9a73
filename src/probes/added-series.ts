// Finds again the series of samples that are added by name and labels: they mostly come in the order of the collection before.
import { openSeries, type Series } from './series.ts';
import type { Metric } from './collector.ts';
import { seriesText } from './sample-text.ts';

type LabelValues = readonly (string | undefined)[];

interface Added {
  /** As they were given: those of the series may have been cut since. */
  readonly values: LabelValues;
  readonly series: Series;
}

/** Where each stood in the collection before, by what it is written as. */
type Known = Map<string, { readonly added: Added; readonly place: number }>;

/** The series of one family, of the last collection and of this one. */
export class AddedSeries {
  readonly #metric: Metric;
  #before: Added[] = [];
  #now: Added[] = [];
  /** Which of those before is expected next. */
  #next = 0;
  /** Made when one comes that is not expected. */
  #known: Known | undefined;

  constructor(metric: Metric) {
    this.#metric = metric;
  }

  /** Begins a collection anew. */
  begin(): void {
    [this.#before, this.#now] = [this.#now, this.#before];
    this.#now.length = 0;
    this.#next = 0;
    this.#known = undefined;
  }

  /** The series with these labels. Throws for a wrong number of them. */
  find(values: LabelValues): Series {
    const expected = this.#before[this.#next];
    const added = expected !== undefined && areSame(expected.values, values) ? expected : this.#seek(values);
    if (added === expected) this.#next += 1;
    this.#now.push(added);
    return added.series;
  }

  #seek(values: LabelValues): Added {
    const { name, labels = [] } = this.#metric;
    const known = (this.#known ??= this.#index());
    const head = seriesText(name, labels, values);
    const found = known.get(head);
    if (found !== undefined) {
      this.#next = found.place + 1;
      return found.added;
    }
    const added = { values, series: openSeries(this.#metric, ...values) };
    known.set(head, { added, place: this.#next - 1 });
    return added;
  }

  /** Those of this collection are among those before, as long as each was expected. */
  #index(): Known {
    const { name, labels = [] } = this.#metric;
    return new Map(
      this.#before.map((added, place) => [seriesText(name, labels, added.values), { added, place }] as const),
    );
  }
}

function areSame(some: LabelValues, others: LabelValues): boolean {
  if (some.length !== others.length) return false;
  for (let at = 0; at < some.length; at += 1) if (some[at] !== others[at]) return false;
  return true;
}
