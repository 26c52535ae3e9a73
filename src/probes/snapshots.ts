// The serve process' memory of what each collector published last, and for how long that is worth showing.
import { Fault, faultKind } from '../base/fault.ts';
import type { Logger } from '../base/logging.ts';
import type { Collector, Metric } from './collector.ts';
import { byName, declaredFamilies, type ExposedFamily } from './exposition.ts';
import type { CollectorStatus, HostView } from './host-view.ts';
import { leftOut } from './left-out.ts';
import { bytesOf, copyPublication, seriesOf, type Publication, type Resumption } from './publication.ts';
import { LineReader } from './line-reader.ts';
import { parseSeries, type MetricSample } from './sample-text.ts';

const UNKNOWN_PUBLISHER = faultKind(
  'JD_UNKNOWN_PUBLISHER',
  400,
  'restart the daemon: its processes are of different versions or configurations',
);

/** What is known of a collector without running it. */
export type CollectorFacts = Pick<Collector, 'name' | 'view' | 'periodSeconds' | 'metrics'>;

/** After this many periods without a success, what a collector said is no longer shown. */
const PERIODS_SHOWN = 4;

interface ErrorCount {
  readonly collector: string;
  readonly reason: string;
  readonly count: number;
}

interface CpuCount {
  readonly collector: string;
  readonly seconds: number;
}

export interface Snapshots extends HostView {
  readonly facts: readonly CollectorFacts[];
  /** Keeps a copy of a publication in place of the collector's last. Throws a Fault for a collector that is not run here. */
  accept(publication: Publication): void;
  /** The collectors that published nothing yet. */
  missing(): readonly string[];
  /** What a new probe process is given. */
  resumption(): Resumption;
  /** The families to expose now of one collector: of its last success, until that is too old. */
  families(collector: string): readonly ExposedFamily[];
  /** Failed collections since this process started. */
  errors(): readonly ErrorCount[];
  /** CPU time of the collections published since this process started, by collector. */
  cpuSeconds(): readonly CpuCount[];
}

interface Memory {
  readonly facts: CollectorFacts;
  readonly metrics: ReadonlyMap<string, Metric>;
  /** Holds the bytes of the last success. */
  store: Buffer;
  last: Publication | undefined;
  success: Publication | undefined;
  /** What was read out of the last success, by metric. */
  readonly samples: Map<string, readonly MetricSample[]>;
  readonly readers: Map<string, LineReader<MetricSample['labels']>>;
  /** Kept when a success brings none, so that counters survive a failing collector and the restart after it. */
  state: Buffer | undefined;
  readonly errors: Map<string, number>;
  cpuSeconds: number;
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
      {
        facts,
        metrics: byName(facts.metrics),
        store: Buffer.alloc(0),
        last: undefined,
        success: undefined,
        samples: new Map(),
        readers: new Map(),
        state: undefined,
        errors: new Map(),
        cpuSeconds: 0,
      },
    ]),
  );
  const owners = new Map(collectors.flatMap(({ name, metrics }) => metrics.map((metric) => [metric.name, name])));

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
      memory.cpuSeconds += publication.cpuSeconds ?? 0;
      if (error !== undefined) {
        memory.errors.set(error.reason, (memory.errors.get(error.reason) ?? 0) + 1);
        return;
      }
      memory.success = kept(memory, publication);
      memory.samples.clear();
      memory.state = memory.success.state ?? memory.state;
    },
    missing: () => [...memories].flatMap(([name, { last }]) => (last === undefined ? [name] : [])),
    resumption: () => ({
      states: Object.fromEntries(
        [...memories].flatMap(([name, { state }]) => (state === undefined ? [] : [[name, state.toString('base64')]])),
      ),
    }),
    families(collector) {
      const memory = memories.get(collector);
      return memory === undefined ? [] : declaredFamilies(shown(memory, now())?.families ?? [], memory.metrics);
    },
    errors: () =>
      [...memories].flatMap(([collector, { errors }]) =>
        [...errors].map(([reason, count]) => ({ collector, reason, count })),
      ),
    cpuSeconds: () => [...memories].map(([collector, { cpuSeconds: seconds }]) => ({ collector, seconds })),
    samples(metric) {
      const memory = memories.get(owners.get(metric) ?? '');
      if (memory === undefined || statusOf(memory, now()).state !== 'ok') return undefined;
      return samplesOf(memory, metric);
    },
    collectorOf: (metric) => owners.get(metric),
    collectors: () => [...memories.values()].map((memory) => statusOf(memory, now())),
    details: (collector) => memories.get(collector)?.success?.details,
  };
}

/** Room for the next publication to be a little longer. */
const SLACK = 1.125;

/** The publication in the memory's own bytes. A state that was brought before and is to be kept may be overwritten: it is copied. */
function kept(memory: Memory, publication: Publication): Publication {
  const bytes = bytesOf(publication);
  if (publication.state === undefined && memory.state !== undefined) memory.state = Buffer.from(memory.state);
  if (memory.store.length < bytes) memory.store = Buffer.allocUnsafeSlow(Math.ceil(bytes * SLACK));
  return copyPublication(publication, memory.store);
}

/** A time to come counts as well: the clock was set back since. */
const isOld = (publication: Publication, now: number): boolean =>
  Math.abs(now - publication.at) > PERIODS_SHOWN * publication.periodSeconds * 1000;

/** Reads the lines when they are asked for; what is asked again and again is mostly known from the time before. */
function samplesOf({ success, samples, readers }: Memory, metric: string): readonly MetricSample[] {
  const known = samples.get(metric);
  if (known !== undefined) return known;
  let reader = readers.get(metric);
  if (reader === undefined) readers.set(metric, (reader = new LineReader((head) => parseSeries(head)?.labels ?? {})));
  const read: MetricSample[] = [];
  const text = success?.families.find(({ name }) => name === metric)?.text ?? Buffer.alloc(0);
  // A value that is no number is not known. The reader keeps its text, and the store is overwritten.
  reader.read(Buffer.from(text), (labels, value) => {
    if (Number.isFinite(value)) read.push({ labels, value });
  });
  samples.set(metric, read);
  return read;
}

const shown = (memory: Memory | undefined, now: number): Publication | undefined =>
  memory?.success === undefined || isOld(memory.success, now) ? undefined : memory.success;

function stateOf({ last }: Memory, now: number): CollectorStatus['state'] {
  if (last === undefined) return 'waiting';
  if (isOld(last, now)) return 'stale';
  return last.error === undefined ? 'ok' : 'failed';
}

function seriesShown(memory: Memory, now: number): number {
  const publication = shown(memory, now);
  return publication === undefined ? 0 : seriesOf(publication);
}

function statusOf(memory: Memory, now: number): CollectorStatus {
  const { facts, last, success } = memory;
  return {
    name: facts.name,
    state: stateOf(memory, now),
    lastSuccessAt: success?.at,
    error: last?.error,
    quarantined: last?.quarantined ?? [],
    series: seriesShown(memory, now),
    durationSeconds: last?.durationSeconds ?? 0,
    periodSeconds: last?.periodSeconds ?? facts.periodSeconds,
    stretched: last?.stretched,
    leftOut: success === undefined ? [] : leftOut(success, (metric) => samplesOf(memory, metric)),
  };
}
