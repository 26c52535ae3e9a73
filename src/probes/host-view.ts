// The host as the last collections saw it: what the inspector and the routes read, without touching the host.
import type { LeftOut } from './left-out.ts';
import type { MetricSample } from './sample-text.ts';

export interface CollectorStatus {
  readonly name: string;
  /** `waiting` until the first collection arrived; `stale` when none arrived for four periods. */
  readonly state: 'waiting' | 'ok' | 'failed' | 'stale';
  /** Unix milliseconds of the last successful collection. */
  readonly lastSuccessAt: number | undefined;
  readonly error: { readonly reason: string; readonly message: string } | undefined;
  readonly quarantined: readonly { readonly target: string; readonly since: number; readonly until: number }[];
  readonly series: number;
  readonly durationSeconds: number;
  /** Between the last collection and the next one. */
  readonly periodSeconds: number;
  /** When that is longer than configured: what was configured, and the share of a core the collector would take then. */
  readonly stretched: { readonly fromSeconds: number; readonly cpuRatio: number } | undefined;
  /** What the last success left out. */
  readonly leftOut: readonly LeftOut[];
}

export interface HostView {
  /**
   * The samples of a metric. An empty list: the collector worked and the host has no such thing.
   * Undefined: not known, because its collector has not answered, failed, or is stale.
   */
  samples(metric: string): readonly MetricSample[] | undefined;
  /** The collector that writes a metric, for saying why it is not known. */
  collectorOf(metric: string): string | undefined;
  collectors(): readonly CollectorStatus[];
  /** What {@link Collecting.details} gave last; foreign JSON. */
  details(collector: string): unknown;
}
