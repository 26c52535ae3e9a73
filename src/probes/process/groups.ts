// The named groups: counters that outlive their processes, and gauges over those that live.
import { ownerKey, type Owner, type Owners } from './containers.ts';
import { unknownCounters, type Counters } from './counters.ts';
import { fdHeadroom, fdRatio } from './fd-use.ts';
import { stateName, STATES, type State } from './stat.ts';
import type { Tracked } from './table.ts';

/** Processes of one name, on the host or in one container. */
export interface Group {
  readonly name: string;
  /** Undefined: the host. */
  readonly owner: Owner | undefined;
  readonly totals: Counters;
  /** All members were sampled at least once: from then on new members are added as they are sampled. */
  proportionalComplete: boolean;
  /** Of the last collection. */
  readonly gauges: GroupGauges;
  /** It was forgotten: a process that is still in it must be given another. */
  ended: boolean;
}

/** `groupname` first; the others only for what runs in a container, and the last two only in a pod. */
export const GROUP_LABELS = ['groupname', 'container', 'pod', 'namespace'] as const;

/** The values of {@link GROUP_LABELS}. An empty label is none. */
export function labelsOf({ name, owner }: Group): readonly (string | undefined)[] {
  const { container, pod, namespace } = owner ?? {};
  return [name, container, pod || undefined, namespace || undefined];
}

/** By {@link groupKey}. */
export type Groups = Map<string, Group>;

/** Where the members of groups beyond the limit are counted, whoever's they are. */
const OVERFLOW_GROUP = 'other';
/** As in the collector of containers: an `increase()` over five minutes sees the last of them. */
const KEPT_SECONDS = 300;

export const groupKey = (name: string, owner: Owner | undefined): string =>
  owner === undefined ? name : `${name}\0${ownerKey(owner)}`;

/** The group of a name, made when it is new. */
export function openGroup(groups: Groups, name: string, owner?: Owner): Group {
  const key = groupKey(name, owner);
  let group = groups.get(key);
  if (group === undefined) groups.set(key, (group = newGroup(name, owner)));
  return group;
}

const newGroup = (name: string, owner: Owner | undefined): Group => ({
  name,
  owner,
  totals: unknownCounters(),
  proportionalComplete: false,
  gauges: emptyGauges(),
  ended: false,
});

/** The group that a name is counted in: its own, as long as there are fewer than `maxGroups`. */
export const groupFor = (groups: Groups, name: string, owner: Owner | undefined, maxGroups: number): Group =>
  groups.size < maxGroups || groups.has(groupKey(name, owner))
    ? openGroup(groups, name, owner)
    : openGroup(groups, OVERFLOW_GROUP);

/** Forgets containers whose last process ended five minutes ago, with their groups; those of the host stay for ever. */
export function forgetOwners(groups: Groups, owners: Owners, now: number): void {
  let some = false;
  for (const [key, { aliveAt }] of owners) {
    if (now - aliveAt > KEPT_SECONDS) some = owners.delete(key);
  }
  if (!some) return;
  for (const [key, group] of groups) {
    if (group.owner === undefined || owners.get(ownerKey(group.owner)) === group.owner) continue;
    group.ended = true;
    groups.delete(key);
  }
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
  /** Of the member that can open the fewest more; unlimited ones are none of them. */
  fdsHeadroom: number | undefined;
  oldestStart: number | undefined;
}

/** Of a group without live members every sum is 0, and there is no oldest process and none near its limit. */
const emptyGauges = (): GroupGauges => ({
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
  fdsHeadroom: undefined,
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
  gauges.fdsHeadroom = undefined;
  gauges.oldestStart = undefined;
}

/** Of no live member: nothing is all there is. */
function empty(gauges: GroupGauges): void {
  gauges.swappedBytes = 0;
  gauges.proportionalResident = 0;
  gauges.proportionalSwapped = 0;
  gauges.fds = 0;
  gauges.worstFdRatio = 0;
}

const plus = (sum: number | undefined, value: number | undefined): number | undefined =>
  value === undefined ? sum : (sum ?? 0) + value;

/** Sums up all groups over their live members. */
export function summarize(processes: Iterable<Tracked>, groups: Groups): void {
  for (const { gauges } of groups.values()) reset(gauges);
  for (const process of processes) if (process.group !== undefined) join(process.group.gauges, process);
  for (const { gauges } of groups.values()) if (gauges.processes === 0) empty(gauges);
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
  const headroom = fdHeadroom(process);
  if (headroom !== undefined) group.fdsHeadroom = Math.min(group.fdsHeadroom ?? Infinity, headroom);
  if (proportional === undefined && process.sampledAt === undefined) group.unsampled += 1;
  group.proportionalResident = plus(group.proportionalResident, proportional?.residentBytes);
  group.proportionalSwapped = plus(group.proportionalSwapped, proportional?.swappedBytes);
}
