// The mounted file systems as the samples of the `filesystem` collector describe them.
import type { MetricSample } from '../../probes/index.ts';
import type { Facts } from '../check.ts';
import type { Observation } from '../model.ts';
import { both, plain } from '../wording.ts';

export interface Mount {
  readonly device: string;
  readonly fstype: string;
  readonly mountpoint: string;
  readonly readonly: boolean;
  /** Its reading failed or is given up: there are no numbers. */
  readonly failing: boolean;
  /** Other mount points of the same block device, at most 8. */
  readonly alsoAt: readonly string[];
}

export const MOUNT_METRICS = ['node_filesystem_readonly', 'node_filesystem_device_error'] as const;

const MOST_MOUNTS = 1000;

/**
 * One entry per file system: a block device mounted at several places (bind mounts, subvolumes) is named by its
 * shortest mount point. Undefined while the mounts are not known.
 */
export function mounts(facts: Facts): readonly Mount[] | undefined {
  const readonly = facts.samples('node_filesystem_readonly');
  const errors = facts.samples('node_filesystem_device_error');
  if (readonly === undefined && errors === undefined) return undefined;
  const failing = new Set((errors ?? []).filter((sample) => sample.value === 1).map(place));
  const ro = new Set((readonly ?? []).filter((sample) => sample.value === 1).map(place));
  const all = new Map([...(readonly ?? []), ...(errors ?? [])].map((sample) => [place(sample), sample.labels]));
  const byFileSystem = new Map<string, { readonly labels: MetricSample['labels']; readonly key: string }[]>();
  for (const [key, labels] of [...all].slice(0, MOST_MOUNTS)) {
    const device = labels['device'] ?? '';
    const id = device.startsWith('/') ? `${device}\0${labels['fstype'] ?? ''}` : key;
    byFileSystem.set(id, [...(byFileSystem.get(id) ?? []), { labels, key }]);
  }
  return [...byFileSystem.values()].map((group) => describe(group, ro, failing));
}

function describe(
  group: readonly { readonly labels: MetricSample['labels']; readonly key: string }[],
  ro: ReadonlySet<string>,
  failing: ReadonlySet<string>,
): Mount {
  const paths = group.map(({ labels }) => labels['mountpoint'] ?? '');
  const shortest = paths.reduce((a, b) => (b.length < a.length || (b.length === a.length && b < a) ? b : a));
  const labels = group[paths.indexOf(shortest)]?.labels ?? {};
  return {
    device: labels['device'] ?? '',
    fstype: labels['fstype'] ?? '',
    mountpoint: shortest,
    // A read-only bind of a writable file system does not make it one that cannot fill.
    readonly: group.every(({ key }) => ro.has(key)),
    failing: group.some(({ key }) => failing.has(key)),
    alsoAt: paths.filter((path) => path !== shortest).slice(0, 8),
  };
}

const place = (sample: MetricSample): string =>
  `${sample.labels['device'] ?? ''}\0${sample.labels['mountpoint'] ?? ''}\0${sample.labels['fstype'] ?? ''}`;

/** The value of a file system metric for a mount. */
export const ofMount = (facts: Facts, metric: string, mount: Mount): number | undefined =>
  facts
    .samples(metric)
    ?.find(
      ({ labels }) =>
        labels['mountpoint'] === mount.mountpoint &&
        labels['device'] === mount.device &&
        labels['fstype'] === mount.fstype,
    )?.value;

export const mountFacts = (mount: Mount): readonly string[] => [
  `device=${plain(mount.device)}`,
  `fstype=${plain(mount.fstype)}`,
  ...(mount.alsoAt.length === 0 ? [] : [`also_mounted_at=${plain(mount.alsoAt.join(' '), 180)}`]),
];

/** The mount as one whose numbers cannot be had: the file system does not answer. */
export const silent = (mount: Mount): Observation => ({
  target: plain(mount.mountpoint),
  value: undefined,
  missing: {
    verdict: 'unknown',
    reason: both('挂载无响应或出错,读不到用量', 'the mount does not answer or fails, its usage cannot be read'),
  },
  evidence: mountFacts(mount),
});

/** The mount as one to which the check does not apply. */
export const exempt = (mount: Mount, zh: string, en: string): Observation => ({
  target: plain(mount.mountpoint),
  value: undefined,
  missing: { verdict: 'skipped', reason: both(zh, en) },
  evidence: mountFacts(mount),
});
