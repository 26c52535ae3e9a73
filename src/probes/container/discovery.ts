// Keeps the table of groups in step with the tree of cgroups: what is new is tracked, what has ended is kept for a while.
import type { CgroupLayout } from '../cgroup/layout.ts';
import { walkCgroups, type FoundGroup } from '../cgroup/walk.ts';
import { readFailure, type HostFiles } from '../host-files.ts';
import { electInit, readMembers } from './members.ts';
import { killsOf, OOM_EVENTS } from './memory-families.ts';
import { placeOf, type Place } from './place.ts';
import type { Remembered } from './saved.ts';
import { ROOT, track, type LastSample, type Table, type Tracked } from './table.ts';

/** Counters of what has ended are shown for so long: an `increase()` over five minutes sees the last of them. */
const KEPT_SECONDS = 300;
/** Walks take no more than this share of the time: after a long one the next waits. */
const WALK_SHARE = 0.02;
/** Groups that sum up others; there are some ten of them, or something makes slices without end. */
const MOST_SLICES = 50;

export interface Discovery {
  readonly table: Table;
  /** Groups in the tree. */
  groups: number;
  /** Containers and pods beyond the limit. */
  dropped: number;
  /** Slices beyond {@link MOST_SLICES}. */
  droppedSlices: number;
  /** The tree is larger than is walked, or not all of it may be. */
  truncated: boolean;
  /** Seconds that the last walk took, and the uptime at which the next is due. */
  walkSeconds: number;
  walkAt: number;
  /** Of the process before, by path; what a walk does not find of it has ended. */
  remembered: Map<string, Remembered>;
}

interface Step {
  readonly host: HostFiles;
  readonly layout: CgroupLayout;
  /** Uptime in seconds. */
  readonly now: number;
  readonly maxContainers: number;
  /** What is kept of a group that has ended. */
  readonly lastOf: (tracked: Tracked) => readonly LastSample[];
}

/** Walks the tree when that is due, and reads which processes are in each container. */
export function discover(discovery: Discovery, step: Step): void {
  if (discovery.walkAt <= step.now) walk(discovery, step);
  for (const tracked of [...discovery.table.live.values()]) {
    if (tracked.path !== ROOT && !look(tracked, step)) end(discovery.table, tracked, step);
  }
  const { ended } = discovery.table;
  for (const [path, { endedAt }] of ended) if (step.now - endedAt > KEPT_SECONDS) ended.delete(path);
}

function walk(discovery: Discovery, step: Step): void {
  const began = performance.now();
  const { table } = discovery;
  const found = new Set<string>();
  let slices = 0;
  let room = step.maxContainers;
  for (const { place, path } of table.live.values()) {
    if (place.kind !== 'slice') room -= 1;
    else if (path !== ROOT) slices += 1;
  }
  discovery.dropped = 0;
  discovery.droppedSlices = 0;
  const shown = (place: Place, path: string): boolean => {
    if (table.live.has(path)) return true;
    if (place.kind === 'slice') {
      slices += 1;
      if (slices > MOST_SLICES) discovery.droppedSlices += 1;
      return slices <= MOST_SLICES;
    }
    if ((room -= 1) >= 0) return true;
    discovery.dropped += 1;
    return false;
  };
  const visit = (group: FoundGroup): boolean => {
    const place = placeOf(group.path);
    if (place === undefined) return true;
    if (shown(place, group.path)) {
      found.add(group.path);
      if (table.live.get(group.path)?.inode !== group.inode) begin(discovery, group, place, step);
    }
    return place.kind !== 'container';
  };
  if (!table.live.has(ROOT)) begin(discovery, { path: ROOT, inode: 0 }, { kind: 'slice' }, step);
  const { visited, truncated } = walkCgroups(step.host, step.layout, visit);
  for (const tracked of [...table.live.values()]) {
    if (tracked.path !== ROOT && !found.has(tracked.path) && !truncated) end(table, tracked, step);
  }
  for (const { path, oom } of discovery.remembered.values()) {
    if (oom.length > 0) table.ended.set(path, { path, endedAt: step.now, samples: oom });
  }
  discovery.remembered.clear();
  discovery.groups = visited;
  discovery.truncated = truncated;
  discovery.walkSeconds = (performance.now() - began) / 1000;
  discovery.walkAt = step.now + (discovery.walkSeconds / WALK_SHARE - discovery.walkSeconds);
}

/** A group that is new; of one that had its path before the kills go on, and all other series begin again. */
function begin({ table, remembered }: Discovery, group: FoundGroup, place: Place, { host, layout }: Step): void {
  const { path, inode } = group;
  table.live.get(path)?.unfollow?.();
  const tracked = track(host, layout, group, place);
  const before = remembered.get(path);
  if (before?.inode === inode) {
    tracked.facts = before.facts;
    tracked.startTime = before.startTime;
    tracked.killsBefore = before.killsBefore;
  } else {
    tracked.killsBefore = killsAt(table, path) ?? killsIn(before?.oom) ?? 0;
  }
  remembered.delete(path);
  table.live.set(path, tracked);
  table.ended.delete(path);
}

const killsIn = (samples: readonly LastSample[] | undefined): number | undefined =>
  samples?.find(({ metric }) => metric === OOM_EVENTS)?.value;

/** The kills in what has a path, or had it last. */
function killsAt({ live, ended }: Table, path: string): number | undefined {
  const old = live.get(path);
  return old === undefined ? killsIn(ended.get(path)?.samples) : (killsOf(old) ?? old.killsBefore);
}

function end(table: Table, tracked: Tracked, { now, lastOf }: Step): void {
  table.live.delete(tracked.path);
  tracked.unfollow?.();
  const samples = lastOf(tracked);
  if (samples.length > 0) table.ended.set(tracked.path, { path: tracked.path, endedAt: now, samples });
}

/** Reads who is in a group; false when it is gone. */
function look(tracked: Tracked, { host, layout, now }: Step): boolean {
  try {
    const { inode, links } = host.node(`${layout.tree}${tracked.path}`);
    if (inode !== tracked.inode) return false;
    if (tracked.place.kind !== 'container') return true;
    Object.assign(tracked.members, readMembers(host, layout, tracked.path, links));
    tracked.members.init = electInit(host, tracked.members);
    if (tracked.members.pids.length > 0 || tracked.members.hidden) tracked.populatedAt = now;
    return true;
  } catch (error) {
    if (readFailure(error) === 'absent') return false;
    tracked.populatedAt = now; // what may not be looked into is there all the same
    return true;
  }
}

/**
 * The groups to show: all but what a killed runtime left behind. A container in which nothing runs is shown for as long as
 * one that is gone; a pod as long as a container of it.
 */
export function shownOf({ live }: Table, now: number): readonly Tracked[] {
  const above = new Set<string>();
  for (const { place, path, populatedAt } of live.values()) {
    if (place.kind !== 'container' || populatedAt === undefined || now - populatedAt > KEPT_SECONDS) continue;
    for (let at = path; at.length > 1; at = at.slice(0, at.lastIndexOf('/'))) above.add(at);
  }
  return [...live.values()].filter(({ place, path }) => place.kind === 'slice' || above.has(path));
}
