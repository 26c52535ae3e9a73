// The groups that are shown: each by its path and inode, from when it was first seen until its figures were kept long enough.
import type { CpuLimits, CpuUsage } from '../cgroup/cpu.ts';
import { Cgroup } from '../cgroup/group.ts';
import type { IoByDevice } from '../cgroup/io.ts';
import type { CgroupLayout } from '../cgroup/layout.ts';
import type { MemoryLimits, MemoryStat, MemoryUsage } from '../cgroup/memory.ts';
import type { Pids } from '../cgroup/pids.ts';
import type { Waits } from '../cgroup/pressure.ts';
import type { FoundGroup } from '../cgroup/walk.ts';
import type { HostFiles } from '../host-files.ts';
import { identityOf } from './identity.ts';
import { noMembers, type Members } from './members.ts';
import type { SeriesOf } from './metrics.ts';
import type { Named } from './names.ts';
import type { Conntrack, Interfaces } from './network.ts';
import type { Place } from './place.ts';

/** What the last collection read of a group. Absent is what the kernel does not say. */
export interface Reading {
  cpu?: CpuUsage | undefined;
  cpuLimits?: CpuLimits | undefined;
  cpus?: number | undefined;
  memory?: MemoryUsage | undefined;
  memoryStat?: MemoryStat | undefined;
  memoryLimits?: MemoryLimits | undefined;
  oomKills?: number | undefined;
  pids?: Pids | undefined;
  io?: IoByDevice | undefined;
  cpuWaits?: Waits | undefined;
  memoryWaits?: Waits | undefined;
  ioWaits?: Waits | undefined;
  network?: Interfaces | undefined;
  conntrack?: Conntrack | undefined;
  descendants?: number | undefined;
  dying?: number | undefined;
}

export interface Tracked extends Named {
  readonly inode: number;
  readonly group: Cgroup;
  readonly reading: Reading;
  members: Members;
  /** Uptime in seconds when there were processes in it last; undefined: never since it was first seen. */
  populatedAt: number | undefined;
  /** The network namespace of the first process. */
  network: { readonly pid: number; readonly namespace: string | undefined } | undefined;
  /** Unix seconds when its first process started. */
  startTime: number | undefined;
  /** Kills for want of memory in the groups that had its path before: a runtime restarts a container under its id. */
  killsBefore: number;
  /** Uptime in seconds when to read next what is read rarely. */
  statAt: number;
  limitsAt: number;
  /** In collections: whose files were counted longest ago is counted first. */
  filesAt: number;
  /** Ends the watch for kills; undefined where there is none yet. */
  unfollow: (() => void) | undefined;
  /** What was written of it before. */
  series: SeriesOf | undefined;
}

/** A series of something that has ended: its counters stay for a while, so that their increase can be seen. */
export interface LastSample {
  readonly metric: string;
  readonly labels: readonly string[];
  readonly value: number;
}

export interface Ended {
  readonly path: string;
  /** Uptime in seconds. */
  readonly endedAt: number;
  readonly samples: readonly LastSample[];
}

export const ROOT = '/';

export interface Table {
  /** By path. */
  readonly live: Map<string, Tracked>;
  readonly ended: Map<string, Ended>;
}

/** A group that is seen for the first time. */
export function track(host: HostFiles, layout: CgroupLayout, { path, inode }: FoundGroup, place: Place): Tracked {
  return {
    path,
    inode,
    place,
    group: new Cgroup(host, layout, path),
    reading: {},
    facts: {},
    identity: identityOf(place, {}),
    asked: 0,
    askAt: -Infinity,
    members: noMembers(),
    populatedAt: undefined,
    network: undefined,
    startTime: undefined,
    killsBefore: 0,
    statAt: -Infinity,
    limitsAt: -Infinity,
    filesAt: -Infinity,
    unfollow: undefined,
    series: undefined,
  };
}
