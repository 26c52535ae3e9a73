// The serve process' memory of what each collector published last, and for how long that is worth showing.
import { Fault, faultKind } from '../base/fault.ts';
import type { Logger } from '../base/logging.ts';
import type { Collector } from './collector.ts';
import type { CollectorStatus, HostView } from './host-view.ts';
import type { Publication, PublishedFamily, Resumption } from './publication.ts';

const UNKNOWN_PUBLISHER = faultKind(
  'JD_UNKNOWN_PUBLISHER',
  400,
  'restart the daemon: its processes are of different versions or configurations',
);

/** What is known of a collector without running it. */
export type CollectorFacts = Pick<Collector, 'name' | 'view' | 'periodSeconds' | 'metrics'>;

/** After this many periods without a success, what a collector said is no longer shown. */
const PERIODS_SHOWN = 4;

export interface ErrorCount {
  readonly collector: string;
  readonly reason: string;
  readonly count: number;
}

export interface Snapshots extends HostView {
  readonly facts: readonly CollectorFacts[];
  /** Keeps a publication in place of the collector's last. Throws a Fault for a collector that is not run here. */
  accept(publication: Publication): void;
  /** The collectors that published nothing yet. */
  missing(): readonly string[];
  /** What a new probe process is given. */
  resumption(): Resumption;
  /** Asks for the values of metrics; before the probe process is started, which learns it once. */
  watch(metrics: Iterable<string>): void;
  /** The families to expose now of one collector: of its last success, until that is too old. */
  families(collector: string): readonly PublishedFamily[];
  /** Failed collections since this process started. */
  errors(): readonly ErrorCount[];
}

interface Memory {
  readonly facts: CollectorFacts;
  last: Publication | undefined;
  success: Publication | undefined;
  /** Kept when a success brings none, so that counters survive a failing collector and the restart after it. */
  state: unknown;
  readonly errors: Map<string, number>;
}

interface SnapshotsOptions {
  /** Those that the probe process runs. */
  readonly collectors: readonly CollectorFacts[];
  readonly log: Logger;
  /** Unix milliseconds. */
  readonly now: () => number;
}

export function openSnapshots({ collectors, log, now }: SnapshotsOptions): Snapshots {
  const memories = new Map<string, Memory>(
    collectors.map((facts) => [
      facts.name,
      { facts, last: undefined, success: undefined, state: undefined, errors: new Map() },
    ]),
  );
  const owners = new Map(collectors.flatMap(({ name, metrics }) => metrics.map((metric) => [metric.name, name])));
  const watched = new Set<string>();

  return {
    facts: collectors,
    accept(publication) {
      const memory = memories.get(publication.collector);
      if (memory === undefined) {
        throw new Fault(UNKNOWN_PUBLISHER, `no collector ${publication.collector} is run here`);
      }
      const { error } = publication;
      if (memory.last === undefined) log.debug({ collector: publication.collector }, 'collector answered first');
      memory.last = publication;
      if (error !== undefined) {
        memory.errors.set(error.reason, (memory.errors.get(error.reason) ?? 0) + 1);
        return;
      }
      memory.success = publication;
      memory.state = publication.state ?? memory.state;
    },
    missing: () => [...memories].flatMap(([name, { last }]) => (last === undefined ? [name] : [])),
    resumption: () => ({
      watch: [...watched],
      states: Object.fromEntries(
        [...memories].flatMap(([name, { state }]) => (state === undefined ? [] : [[name, state]])),
      ),
    }),
    watch(metrics) {
      for (const metric of metrics) watched.add(metric);
    },
    families: (collector) => shown(memories.get(collector), now())?.families ?? [],
    errors: () =>
      [...memories].flatMap(([collector, { errors }]) =>
        [...errors].map(([reason, count]) => ({ collector, reason, count })),
      ),
    samples(metric) {
      const memory = memories.get(owners.get(metric) ?? '');
      if (memory === undefined || statusOf(memory, now()).state !== 'ok') return undefined;
      return memory.success?.watched[metric];
    },
    collectorOf: (metric) => owners.get(metric),
    collectors: () => [...memories.values()].map((memory) => statusOf(memory, now())),
    details: (collector) => memories.get(collector)?.success?.details,
  };
}

/** A time to come counts as well: the clock was set back since. */
const isOld = (publication: Publication, now: number): boolean =>
  Math.abs(now - publication.at) > PERIODS_SHOWN * publication.periodSeconds * 1000;

const shown = (memory: Memory | undefined, now: number): Publication | undefined =>
  memory?.success === undefined || isOld(memory.success, now) ? undefined : memory.success;

function stateOf({ last }: Memory, now: number): CollectorStatus['state'] {
  if (last === undefined) return 'waiting';
  if (isOld(last, now)) return 'stale';
  return last.error === undefined ? 'ok' : 'failed';
}

function statusOf(memory: Memory, now: number): CollectorStatus {
  const { facts, last, success } = memory;
  return {
    name: facts.name,
    state: stateOf(memory, now),
    lastSuccessAt: success?.at,
    error: last?.error,
    quarantined: last?.quarantined ?? [],
    series: shown(memory, now)?.families.reduce((sum, { samples }) => sum + samples, 0) ?? 0,
    durationSeconds: last?.durationSeconds ?? 0,
  };
}
