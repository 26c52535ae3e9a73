// DISK_SPACE: how full each file system is.
import { formatBytes } from '../../base/units.ts';
import { above, GIB, HOST, type Check, type Facts } from '../check.ts';
import type { Observation } from '../model.ts';
import { absent, both, percent, plain, shellWord } from '../wording.ts';
import { mountSamples } from './mount-samples.ts';
import { exempt, MOUNT_METRICS, mountFacts, mounts, ofMount, silent, type Mount } from './mounts.ts';

const CRIT_LEFT_BYTES = 5 * GIB;
const CRIT_RATIO = 0.98;

/** The used share as `df` counts it: used / (used + available to users). */
function observe(facts: Facts, mount: Mount): Observation {
  if (mount.failing) return silent(mount);
  if (mount.readonly) return exempt(mount, '只读挂载,不会写满', 'mounted read-only, it cannot fill');
  const size = ofMount(facts, 'node_filesystem_size_bytes', mount);
  const free = ofMount(facts, 'node_filesystem_free_bytes', mount);
  const available = ofMount(facts, 'node_filesystem_avail_bytes', mount);
  if (size === undefined || free === undefined || available === undefined) return silent(mount);
  const used = size - free;
  if (size <= 0 || used + available <= 0) return exempt(mount, '容量为 0', 'it has no size');
  const value = used / (used + available);
  return {
    target: plain(mount.mountpoint),
    value,
    evidence: [`available=${formatBytes(available)}`, `size=${formatBytes(size)}`, ...mountFacts(mount)],
    facts: { available: formatBytes(available), size: formatBytes(size) },
    // Ten percent of a large disk is room for days; only little room in absolute terms is an emergency.
    ...(available < CRIT_LEFT_BYTES || value > CRIT_RATIO ? {} : { atMost: 'warn' as const }),
  };
}

export const diskSpace: Check = {
  code: 'DISK_SPACE',
  area: 'storage',
  unit: 'ratio',
  needs: ['node_filesystem_size_bytes', 'node_filesystem_free_bytes', 'node_filesystem_avail_bytes', ...MOUNT_METRICS],
  limits: above(0.8, 0.9, 0.78, 0.88),
  source: 'netdata disk_space_usage (crit only with less than 5 GiB left or above 98 %), node-mixin',
  text: {
    title: both('磁盘空间', 'disk space'),
    meaning: both(
      '文件系统已用比例(与 df 同算法)。写满后容器写入失败、日志丢失、数据库停止服务。',
      'The used share of each file system, counted as df does. When it is full, writes fail: containers, logs and databases stop.',
    ),
    remedy: both(
      '找出占用最大的目录和已删除但仍被打开的文件 (lsof +L1);再决定轮转日志、清理镜像或扩容。',
      'Find the largest directories and the deleted files still held open (lsof +L1); then rotate logs, prune images or grow the disk.',
    ),
  },
  evaluate(facts) {
    const all = mounts(facts);
    if (all === undefined || all.length === 0)
      return { observations: [absent(facts, 'node_filesystem_readonly', HOST)] };
    return { observations: all.map((mount) => observe(facts, mount)) };
  },
  line({ target, facts }, value, verdict, limit) {
    const left = facts?.['available'] ?? '?';
    const size = facts?.['size'] ?? '?';
    return verdict === 'ok'
      ? both(
          `磁盘空间 ${target} 已用 ${percent(value)}(限 ${percent(limit)}),余 ${left} / ${size}`,
          `disk space of ${target}: ${percent(value)} used (limit ${percent(limit)}), ${left} of ${size} left`,
        )
      : both(
          `磁盘将满 ${target} 已用 ${percent(value)}(限 ${percent(limit)}),余 ${left} / ${size}`,
          `disk nearly full: ${target} ${percent(value)} used (limit ${percent(limit)}), ${left} of ${size} left`,
        );
  },
  command({ target }) {
    const path = shellWord(target);
    return path === undefined ? undefined : `du -xh --max-depth=2 ${path} | sort -h | tail -20`;
  },
  samples: [
    {
      name: 'written: half full, nearly full with room, nearly full without room, read-only, not answering',
      metrics: mountSamples(
        { mountpoint: '/', device: '/dev/vda1', size: 100 * GIB, available: 50 * GIB },
        { mountpoint: '/export', device: '/dev/vdb', size: 1000 * GIB, available: 60 * GIB },
        { mountpoint: '/var', device: '/dev/vdc', size: 40 * GIB, available: 3 * GIB },
        { mountpoint: '/snap', device: '/dev/loop0', size: GIB, available: 0, readonly: true },
        { mountpoint: '/nfs', device: 'nas:/x', fstype: 'nfs4', error: true },
      ),
      expect: { '/': 'ok', '/export': 'warn', '/var': 'crit', '/snap': 'skipped', '/nfs': 'unknown' },
    },
    { name: 'written: no collector writes the metric', expect: { host: 'skipped' } },
  ],
};
