// MOUNT_READONLY: file systems that turned read-only while the host was running, and mounts that fail.
import { above, HOST, readAt, scalar, type Check, type Facts, type Remembered } from '../check.ts';
import type { Observation } from '../model.ts';
import { absent, both, plain } from '../wording.ts';
import { mountSamples } from './mount-samples.ts';
import { MOUNT_METRICS, mountFacts, mounts, type Mount } from './mounts.ts';

const READONLY = 'node_filesystem_readonly';
const BOOT = 'node_boot_time_seconds';
const DAY_MS = 86_400_000;

const series = (mount: Mount): string => `mount_writable\n${plain(mount.device)}\n${plain(mount.mountpoint)}`;

/** Whether the mount was seen writable since the host was booted; a new boot may mount it read-only by design. */
function wasWritable(facts: Facts, mount: Mount): boolean {
  const before = facts.past(series(mount), 0);
  const boot = scalar(facts, BOOT);
  return before?.value === 1 && (boot === undefined || before.at >= boot * 1000);
}

function observe(facts: Facts, mount: Mount): Observation {
  const target = plain(mount.mountpoint);
  if (mount.failing) {
    const hung = facts
      .collectors()
      .flatMap((collector) => collector.quarantined)
      .find((entry) => entry.target === `mount ${mount.mountpoint}`);
    const since = hung === undefined ? [] : [`hung_since=${new Date(hung.since).toISOString()}`];
    return {
      target,
      value: undefined,
      missing: { verdict: 'unknown', reason: both('挂载无响应或出错', 'the mount hangs or fails') },
      evidence: [...since, ...mountFacts(mount)],
    };
  }
  const turned = mount.readonly && wasWritable(facts, mount);
  const state = turned ? 'turned read-only' : mount.readonly ? 'read-only since first seen' : 'writable';
  return { target, value: turned ? 1 : 0, evidence: [`state=${state}`, ...mountFacts(mount)], facts: { state } };
}

/** Written anew when it changes and once a day, so that thousands of mounts do not fill the store. */
function remembered(facts: Facts, mount: Mount): readonly Remembered[] {
  const value = !mount.readonly || wasWritable(facts, mount) ? 1 : 0;
  const before = facts.past(series(mount), 0);
  const at = readAt(facts, READONLY);
  const boot = (scalar(facts, BOOT) ?? 0) * 1000;
  const fresh = before !== undefined && before.value === value && before.at >= boot && at - before.at < DAY_MS;
  return fresh ? [] : [{ series: series(mount), at, value }];
}

export const mountReadonly: Check = {
  code: 'MOUNT_READONLY',
  area: 'storage',
  unit: 'none',
  needs: [...MOUNT_METRICS, BOOT],
  lookBack: [0],
  limits: above(1, 1, 1, 1),
  source: 'node-problem-detector "Remounting filesystem read-only" (one is critical)',
  text: {
    title: both('挂载转为只读', 'mounts that turned read-only'),
    meaning: both(
      '曾可写的挂载变为只读:通常是内核遇到 I/O 或元数据错误后的自我保护。首次巡检时已只读的视为有意为之。',
      'A mount that was writable has become read-only: mostly the kernel protecting it after an I/O or metadata error. One that was read-only when first seen is taken as meant.',
    ),
    remedy: both(
      '查内核日志中的 EXT4-fs/XFS/Btrfs 错误与磁盘健康,先迁走容器,再离线检查文件系统。有意改为只读的,请静默至重启。',
      'Look for EXT4-fs, XFS or Btrfs errors in the kernel log and at the disk’s health; move containers away, then check the file system offline. If it was meant, mute it until the next boot.',
    ),
  },
  evaluate(facts) {
    const all = mounts(facts);
    if (all === undefined || all.length === 0) return { observations: [absent(facts, READONLY, HOST)] };
    const remember = all.filter((mount) => !mount.failing).flatMap((mount) => remembered(facts, mount));
    return { observations: all.map((mount) => observe(facts, mount)), remember };
  },
  line({ target, facts }, value) {
    if (value === 1) return both(`挂载转为只读 ${target}`, `${target} turned read-only`);
    const ro = facts?.['state'] !== 'writable';
    return both(
      ro ? `挂载 ${target} 只读(首次巡检即如此)` : `挂载 ${target} 可写`,
      ro ? `${target} is read-only, as when first seen` : `${target} is writable`,
    );
  },
  command: () => 'journalctl -k --grep "EXT4-fs|XFS|BTRFS|I/O error"',
  samples: [
    {
      name: 'written: writable, read-only by design, turned read-only, failing',
      metrics: {
        ...mountSamples(
          { mountpoint: '/', device: '/dev/vda1' },
          { mountpoint: '/image', device: '/dev/vdb', readonly: true },
          { mountpoint: '/data', device: '/dev/vdc', readonly: true },
          { mountpoint: '/nfs', device: 'nas:/x', fstype: 'nfs4', error: true },
        ),
        [BOOT]: [{ labels: {}, value: 1 }],
      },
      past: {
        'mount_writable\n/dev/vdb\n/image': [{ ageSeconds: 300, value: 0 }],
        'mount_writable\n/dev/vdc\n/data': [{ ageSeconds: 300, value: 1 }],
      },
      expect: { '/': 'ok', '/image': 'ok', '/data': 'crit', '/nfs': 'unknown' },
    },
  ],
};
