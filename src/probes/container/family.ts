// What a family of the containers is that has one series for each: a metric, its labels, and how its value is found.
import type { Metric } from '../collector.ts';
import type { Tracked } from './table.ts';

/**
 * The labels of every series: the kubelet's, in this order, because `/metrics/container` leaves the first three away.
 * `id` is the path of the cgroup.
 */
export const LABELS = ['container', 'namespace', 'pod', 'id', 'image', 'name'] as const;
/** Those that the kubelet adds to cAdvisor's. */
export const KUBELET_LABELS = 3;

/** A family, and what a group has of it; undefined is absent. */
export interface Scalar {
  readonly metric: Metric;
  readonly of: (tracked: Tracked) => number | undefined;
}

type Source = Pick<Metric, 'source' | 'unit'>;

/** A file of the group in cgroup v2 and in v1, the same one where v1 has no other. */
export const from = (v2: string, v1?: string): Source => ({ source: v1 === undefined ? v2 : `${v2}; v1 ${v1}` });
export const counting = (unit: string, v2: string, v1?: string): Source => ({ ...from(v2, v1), unit });

const family = (type: Metric['type'], name: string, source: Source, help: string, of: Scalar['of']): Scalar => ({
  metric: { name, help, type, ...source, labels: LABELS },
  of,
});
export const counter = (name: string, source: Source, help: string, of: Scalar['of']): Scalar =>
  family('counter', name, source, help, of);
export const gauge = (name: string, source: Source, help: string, of: Scalar['of']): Scalar =>
  family('gauge', name, source, help, of);

/** cAdvisor writes 0 for no limit. */
export const limit = (value: number | undefined): number | undefined => (value === Infinity ? 0 : value);
export const finite = (value: number | undefined): number | undefined => (value === Infinity ? undefined : value);
