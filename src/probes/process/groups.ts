// The named groups: counters that outlive their processes, and gauges over those that live.
import { unknownCounters, type Counters } from './counters.ts';
import { stateName, STATES, type State } from './stat.ts';
import type { Tracked } from './table.ts';

/** What a group keeps for ever. */
export interface Group {
  readonly totals: Counters;
  /** All members were sampled at least once: from then on new members are added as they are sampled. */
  proportionalComplete: boolean;
}

export type Groups = Map<string, Group>;

/** Where the members of groups beyond the limit are counted. */
const OVERFLOW_GROUP = 'other';

/** The group a name is counted in: its own, as long as there are fewer than `maxGroups`. */
export const groupFor = (groups: Groups, name: string, maxGroups: number): string =>
  groups.has(name) || groups.size < maxGroups ? name : OVERFLOW_GROUP;

/** The group of a name, made when it is new. */
export function openGroup(groups: Groups, name: string): Group {
  let group = groups.get(name);
  if (group === undefined) groups.set(name, (group = { totals: unknownCounters(), proportionalComplete: false }));
  return group;
}

/** Sums over the live members of a group. What none of them let us read is absent. */
export interface GroupGauges {
  processes: number;
  threads: number;
  readonly states: Record<State, number>;
  residentPages: number;
  virtualBytes: number;
  swappedBytes: number | undefined;
  proportionalResident: number | undefined;
  proportionalSwapped: number | undefined;
  /** Members that can be sampled and never were. */
  unsampled: number;
  fds: number | undefined;
  worstFdRatio: number | undefined;
  oldestStart: number | undefined;
}

/** Of a group without live members every sum is 0, and there is no oldest process. */
export const emptyGauges = (): GroupGauges => ({
  processes: 0,
  threads: 0,
  states: { Running: 0, Sleeping: 0, Waiting: 0, Zombie: 0, Other: 0 },
  residentPages: 0,
  virtualBytes: 0,
  swappedBytes: 0,
  proportionalResident: 0,
  proportionalSwapped: 0,
  unsampled: 0,
  fds: 0,
  worstFdRatio: 0,
  oldestStart: undefined,
});

/** Of live members of which nothing was read yet. */
function reset(gauges: GroupGauges): void {
  gauges.processes = 0;
  gauges.threads = 0;
  for (const state of STATES) gauges.states[state] = 0;
  gauges.residentPages = 0;
  gauges.virtualBytes = 0;
  gauges.swappedBytes = undefined;
  gauges.proportionalResident = undefined;
  gauges.proportionalSwapped = undefined;
  gauges.unsampled = 0;
  gauges.fds = undefined;
  gauges.worstFdRatio = undefined;
  gauges.oldestStart = undefined;
}

const plus = (sum: number | undefined, value: number | undefined): number | undefined =>
  value === undefined ? sum : (sum ?? 0) + value;

export type Gauges = Map<string, GroupGauges>;

/** Sums up the groups that have live members into `gauges`, which has those of the collection before and no other after. */
export function summarize(processes: Iterable<Tracked>, gauges: Gauges): void {
  for (const group of gauges.values()) reset(group);
  for (const process of processes) {
    if (process.group === undefined) continue;
    let group = gauges.get(process.group);
    if (group === undefined) {
      gauges.set(process.group, (group = emptyGauges()));
      reset(group);
    }
    join(group, process);
  }
  for (const [name, { processes: members }] of gauges) if (members === 0) gauges.delete(name);
}

function join(group: GroupGauges, process: Tracked): void {
  const { stat, proportional } = process;
  group.processes += 1;
  group.threads += stat.threads;
  group.states[stateName(stat.state)] += 1;
  group.residentPages += stat.residentPages;
  group.virtualBytes += stat.virtualBytes;
  group.swappedBytes = plus(group.swappedBytes, process.swappedBytes);
  group.fds = plus(group.fds, process.fds);
  group.oldestStart = Math.min(group.oldestStart ?? Infinity, stat.start);
  const ratio = fdRatio(process);
  if (ratio !== undefined) group.worstFdRatio = Math.max(group.worstFdRatio ?? 0, ratio);
  if (proportional === undefined && process.sampledAt === undefined) group.unsampled += 1;
  group.proportionalResident = plus(group.proportionalResident, proportional?.residentBytes);
  group.proportionalSwapped = plus(group.proportionalSwapped, proportional?.swappedBytes);
}

/** Open fds by the soft limit. A limit of 0 is a sandbox that opens nothing more, not a full one: it has no ratio. */
export function fdRatio({ fds, fdLimit }: Pick<Tracked, 'fds' | 'fdLimit'>): number | undefined {
  if (fds === 0) return 0;
  return fds === undefined || fdLimit === undefined || fdLimit === 0 ? undefined : fds / fdLimit;
}
