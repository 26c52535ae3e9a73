// What collectors leave out because of a limit, counted by reason in one place, with the key that raises the limit.
import type { MetricSample } from './sample-text.ts';
import type { Publication } from './publication.ts';

/** Why something is left out: what is counted under it, and the key of the configuration that decides. */
export const REASONS = {
  budget: { of: 'series', key: 'probes.maxSeries' },
  duplicate: { of: 'series written twice', key: undefined },
  label: { of: 'ends of label values', key: 'probes.maxLabelLength' },
  groups: { of: 'process groups (counted as "other")', key: 'probes.processes.maxGroups' },
  slices: { of: 'slices of systemd', key: undefined },
  containers: { of: 'containers and pods', key: 'probes.containers.max' },
} as const;
export type Reason = keyof typeof REASONS;

export interface LeftOut {
  readonly reason: Reason;
  readonly count: number;
}

/** Collectors with a limit of their own write what is beyond it as a metric. */
const LIMITED = [
  ['jdos_process_groups_dropped', 'groups'],
  ['jdos_containers_dropped', 'containers'],
  ['jdos_slices_dropped', 'slices'],
] as const;

/** What a collection left out. `samplesOf` gives the samples it wrote of a metric. */
export function leftOut(
  { families, dropped = 0, duplicates = 0, cut = 0 }: Publication,
  samplesOf: (metric: string) => readonly MetricSample[],
): readonly LeftOut[] {
  const beyond = LIMITED.flatMap(([metric, reason]) =>
    families.some(({ name }) => name === metric) ? [{ reason, count: samplesOf(metric)[0]?.value ?? 0 }] : [],
  );
  const counts: readonly LeftOut[] = [
    { reason: 'budget', count: dropped },
    { reason: 'duplicate', count: duplicates },
    { reason: 'label', count: cut },
    ...beyond,
  ];
  return counts.filter(({ count }) => count > 0);
}
