// What a collector is: a name, the series it may write, and a function that reads the host and writes them.
import type { Logger } from '../base/logging.ts';
import type { HostFiles } from './host-files.ts';
import type { ProbesConfig } from './config.ts';
import type { Tell } from './kmsg/index.ts';
import type { Series } from './series.ts';

/** Prometheus' types that the daemon writes; `untyped` is `unknown` in OpenMetrics. */
type MetricType = 'counter' | 'gauge' | 'untyped';

/** What other programs write as well. */
export const FAMILY_TYPES = ['counter', 'gauge', 'untyped', 'histogram', 'summary'] as const;
export type FamilyType = (typeof FAMILY_TYPES)[number];

/** One metric family, declared before it is written; `docs/metrics.md` lists it from here. */
export interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: MetricType;
  /** Where the value comes from, in a few words: the file and field of the kernel, the answer of an engine. */
  readonly source: string;
  /** Where the name does not end in it (`_seconds`, `_bytes`, `_ratio`, or what is counted). */
  readonly unit?: string | undefined;
  /** Label names, in the order of the values given to {@link SampleWriter.add}. */
  readonly labels?: readonly string[];
}

/** A family of another program, which has named it: known only when it is read. */
export interface FoundFamily {
  readonly name: string;
  readonly help: string;
  readonly type: FamilyType;
  readonly samples: number;
  /** Lines without duplicates, each ended by a line feed; of a histogram or summary those of its parts as well. */
  readonly text: Buffer;
  /** Label values that were cut to `probes.maxLabelLength`. */
  readonly cut: number;
}

/** The compatible family a collector belongs to: `/metrics/<view>` serves it alone. */
export const VIEWS = ['node', 'process', 'container', 'ovs', 'problem'] as const;
export type View = (typeof VIEWS)[number];

/** Writes the samples of one collection. Absent is not 0: what could not be read is not written. */
export interface SampleWriter {
  /**
   * Adds one sample of a declared metric, without the labels whose value is undefined. Throws for a metric that the
   * collector did not declare.
   */
  add(metric: string, value: number, ...labelValues: readonly (string | undefined)[]): void;
  /** Adds one sample of a series that is kept between collections, which is cheaper. A series is written either way, not both. */
  set(series: Series, value: number): void;
  /** Adds a family that nobody declared, whole or, beyond the budget of series, not at all. Throws for a name that was declared or added before. */
  addFamily(family: FoundFamily): void;
}

/** What is asked beside the host's files: of names of containers, and of Open vSwitch. Plain data, handed over by who builds the probes. */
export interface NameSources {
  /** Where the Docker Engine listens; a path of the host. */
  readonly dockerSocket: string | undefined;
  /** Where pods that run as processes are kept; a path of the daemon's own. */
  readonly podsDir: string | undefined;
  /** Where Open vSwitch keeps its sockets; a path of the host. Unless said: where it keeps them by default. */
  readonly ovsRundir?: string;
}

/**
 * Who the living containers are: label values in the order of the container families, by the path of the cgroup. Written by
 * the collector of containers, read by others; handed to both by who runs them.
 */
export interface KnownContainers {
  labels: ReadonlyMap<string, readonly string[]>;
}

/**
 * How many processes are in each state, by the kernel's letter. Written by the collector of processes, which reads all of them,
 * and read by others; handed to both by who runs them.
 */
export interface Census {
  /** Undefined before the first pass and after one that failed. */
  states: ReadonlyMap<string, number> | undefined;
}

/** What a collector is given when it is opened. */
export interface CollectorContext {
  readonly host: HostFiles;
  readonly config: ProbesConfig;
  /** Without it containers are named by the host's files alone. */
  readonly sources?: NameSources | undefined;
  readonly known?: KnownContainers | undefined;
  readonly census?: Census | undefined;
  /** Hands events of the kernel over to be kept; without it they are counted only. */
  readonly tell?: Tell | undefined;
  /** The names of all metrics that the collectors run here declare. */
  readonly declared?: ReadonlySet<string> | undefined;
  readonly log?: Pick<Logger, 'warn'> | undefined;
  /** What {@link Collecting.save} gave in the probe process before this one, if any. Foreign data: check it. */
  readonly saved: unknown;
}

export interface Collecting {
  /** Reads the host once. A rejection marks the collector as failed and says why. */
  collect(out: SampleWriter): void | Promise<void>;
  /** What carries counters over a restart of the probe process: JSON, or a Buffer where there is much of it. */
  save?(): unknown;
  /** JSON for `/jdos/v1` that is too detailed for labels, such as the processes with their pids. */
  details?(): unknown;
  /** Gives back what it holds of the host. Nothing is called after it. */
  close?(): void;
}

export interface Collector {
  readonly name: string;
  readonly view: View;
  /** Seconds between collections unless configured. */
  readonly periodSeconds: number;
  /** Its period is kept when `probes.budget.cpuRatio` is exceeded: it costs next to nothing, and alerts live on it. */
  readonly steady?: boolean;
  /** Left out unless `probes.enable` names it: many series, which few look at. */
  readonly off?: true;
  readonly metrics: readonly Metric[];
  /** Its reads can hang and have this process killed: what was collected before it is handed over first. */
  readonly mayHang?: true;
  open(context: CollectorContext): Collecting;
}

/** A collector that keeps nothing between collections. */
export const stateless =
  (collect: (host: HostFiles, out: SampleWriter, config: ProbesConfig) => void | Promise<void>): Collector['open'] =>
  ({ host, config }) => ({ collect: (out) => collect(host, out, config) });
