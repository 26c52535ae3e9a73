// What the checks may know, gathered before they run: the host as last collected, and what earlier runs remembered.
import type { Health } from '../base/component.ts';
import type { HostView } from '../probes/index.ts';
import type { Facts, Past } from './check.ts';

/** The remembered values a run may ask for, read from the store at its beginning. */
export interface History {
  /** By declared age in seconds: the newest value of each series that is at least so old. */
  readonly byAge: ReadonlyMap<number, ReadonlyMap<string, Past>>;
  readonly oldest: ReadonlyMap<string, Past>;
}

export const NO_HISTORY: History = { byAge: new Map(), oldest: new Map() };

interface FactSources {
  readonly view: HostView;
  readonly parts: () => ReadonlyMap<string, Health>;
  readonly history: History;
  readonly now: number;
}

export function factsOf({ view, parts, history, now }: FactSources): Facts {
  const collectors = view.collectors();
  const byName = new Map(collectors.map((collector) => [collector.name, collector]));
  return {
    samples: (metric) => view.samples(metric),
    source(metric) {
      const name = view.collectorOf(metric);
      return name === undefined ? undefined : byName.get(name);
    },
    now,
    cpus: onlineCpus(view),
    past(series, ageSeconds) {
      const values = history.byAge.get(ageSeconds);
      if (values === undefined) throw new RangeError(`no check declares that it looks back ${ageSeconds} s`);
      return values.get(series);
    },
    oldest: (series) => history.oldest.get(series),
    details: (collector) => view.details(collector),
    collectors: () => collectors,
    parts,
  };
}

/** The processors with counters, or undefined while those are not known. */
export function onlineCpus(view: Pick<HostView, 'samples'>): number | undefined {
  const samples = view.samples('node_cpu_seconds_total');
  if (samples === undefined || samples.length === 0) return undefined;
  return new Set(samples.map((sample) => sample.labels['cpu'])).size;
}
