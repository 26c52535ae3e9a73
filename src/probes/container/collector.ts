// The collector of containers: the tree of cgroups, who each container is, and what the kernel says of it.
import { readLayout, type CgroupLayout } from '../cgroup/layout.ts';
import type { Collecting, Collector, CollectorContext } from '../collector.ts';
import type { HostFiles } from '../host-files.ts';
import { readBootId, readBootTime, readUnits, readUptime, sizeCountsFds } from '../process/boot.ts';
import { discover, shownOf, type Discovery } from './discovery.ts';
import { followKills } from './kills.ts';
import { HOST_METRICS, writeMachine, writeSelf } from './host-metrics.ts';
import { countFiles } from './members.ts';
import { GROUP_METRICS, isKnown, labelsOf, lastSamples, oomSamples, writeGroup } from './metrics.ts';
import { openNames } from './names.ts';
import { listContainers } from './listing.ts';
import { readNetworks } from './network.ts';
import { shareNames } from './pods.ts';
import { readGroup } from './read.ts';
import { restore, save, type Restored } from './saved.ts';
import { ROOT, type Tracked } from './table.ts';

/**
 * Containers as cAdvisor names their figures, with the kubelet's labels. Slices and the root are shown as sums; what is
 * a service of systemd and no container is in the sum of its slice only.
 */
export const containers: Collector = {
  name: 'container',
  view: 'container',
  periodSeconds: 15,
  metrics: [...GROUP_METRICS, ...HOST_METRICS],
  open: openContainers,
};

/** Files counted in one collection, in reads: what is not counted keeps its last count and is first the next time. */
const FILE_READS = 20_000;
const LAYOUT_CYCLES = 40;

function openContainers({ host, config, sources, known, saved }: CollectorContext): Collecting {
  const bootId = readBootId(host);
  const restored = restore(saved, bootId);
  const discovery = openDiscovery(restored);
  const { namespaces } = restored;
  const { table } = discovery;
  const names = openNames(host, sources);
  const deviceName = openDeviceNames(host);
  const units = readUnits(host);
  const fdsBySize = sizeCountsFds(host);
  let layout: CgroupLayout | undefined;
  let cycle = -1;
  let shown: readonly Tracked[] = [];

  return {
    async collect(out) {
      cycle += 1;
      if (layout === undefined || cycle % LAYOUT_CYCLES === 0) layout = sameOr(layout, readLayout(host), table.live);
      const now = readUptime(host);
      const bootTime = readBootTime(host);
      const around = { now: bootTime + now, deviceName };
      const lastOf = (tracked: Tracked) => lastSamples(tracked, around);
      discover(discovery, { host, layout, now, maxContainers: config.containers.max, lastOf });
      const all = shownOf(table, now);
      shown = all;
      await names.resolve(all, cycle);
      shareNames(all);
      if (known !== undefined) known.labels = labelsByPath(all);
      for (const tracked of all) {
        if (tracked.place.kind === 'container') tracked.unfollow ??= followKills(tracked, host);
        readGroup(tracked, { host, layout, now, ticksPerSecond: units.ticksPerSecond });
        const { init } = tracked.members;
        if (init !== undefined) tracked.startTime ??= bootTime + init.start / units.ticksPerSecond;
      }
      countAllFiles(all, { host, fdsBySize, cycle });
      readNetworks(host, all, table.live.get(ROOT), namespaces);
      for (const tracked of all) writeGroup(out, tracked, around);
      for (const { samples } of table.ended.values()) {
        for (const { metric, value, labels } of samples) out.add(metric, value, ...labels);
      }
      writeMachine(out, host);
      writeSelf(out, discovery, layout);
    },
    details: () => listContainers(shown),
    save: () =>
      save(table, bootId, namespaces, (path) => {
        const tracked = table.live.get(path);
        return tracked === undefined ? [] : oomSamples(tracked);
      }),
  };
}

const openDiscovery = ({ ended, live }: Restored): Discovery => ({
  table: {
    live: new Map(),
    ended: new Map(ended.map((one) => [one.path, { ...one, samples: one.samples.filter(isKnown) }])),
  },
  groups: 0,
  dropped: 0,
  droppedSlices: 0,
  truncated: false,
  walkSeconds: 0,
  walkAt: -Infinity,
  remembered: new Map(live.map((one) => [one.path, { ...one, oom: one.oom.filter(isKnown) }])),
});

/** The layout as before, unless hierarchies were mounted or unmounted: then all groups are read anew. */
function sameOr(before: CgroupLayout | undefined, now: CgroupLayout, live: Map<string, Tracked>): CgroupLayout {
  const text = ({ v1, unified, tree }: CgroupLayout): string => JSON.stringify([[...v1], unified, tree]);
  if (before !== undefined && text(before) === text(now)) return before;
  for (const { unfollow } of live.values()) unfollow?.();
  live.clear();
  return now;
}

const labelsByPath = (all: readonly Tracked[]): ReadonlyMap<string, readonly string[]> =>
  new Map(all.filter(({ place }) => place.kind === 'container').map((one) => [one.path, labelsOf(one)]));

function countAllFiles(all: readonly Tracked[], pass: Parameters<typeof countFiles>[1]): void {
  let left = FILE_READS;
  const waiting = all.filter(({ place }) => place.kind === 'container').sort((a, b) => a.filesAt - b.filesAt);
  for (const tracked of waiting) {
    if (left <= 0) return;
    left -= countFiles(tracked.members, pass);
    tracked.filesAt = pass.cycle;
  }
}

/** Names of block devices as cAdvisor writes them, asked for once. */
function openDeviceNames(host: HostFiles): (device: string) => string {
  const known = new Map<string, string>();
  return (device) => {
    let name = known.get(device);
    if (name === undefined) known.set(device, (name = deviceNameOf(host, device)));
    return name;
  };
}

/** What sysfs links the numbers to; the numbers themselves where it does not. */
function deviceNameOf(host: HostFiles, device: string): string {
  try {
    const target = host.link(`/sys/dev/block/${device}`);
    return `/dev/${target.slice(target.lastIndexOf('/') + 1).replaceAll('!', '/')}`;
  } catch {
    return device;
  }
}
