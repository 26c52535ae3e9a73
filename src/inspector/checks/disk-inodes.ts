// DISK_INODES: how many of a file system's inodes are used.
import { above, GIB, HOST, type Check, type Facts } from '../check.ts';
import type { Observation } from '../model.ts';
import { absent, both, percent, plain, shellWord } from '../wording.ts';
import { mountSamples } from './mount-samples.ts';
import { exempt, MOUNT_METRICS, mountFacts, mounts, ofMount, silent, type Mount } from './mounts.ts';

function observe(facts: Facts, mount: Mount): Observation {
  if (mount.failing) return silent(mount);
  if (mount.readonly) return exempt(mount, '只读挂载,不会用尽', 'mounted read-only, it cannot run out');
  const files = ofMount(facts, 'node_filesystem_files', mount);
  const free = ofMount(facts, 'node_filesystem_files_free', mount);
  if (files === undefined || free === undefined) return silent(mount);
  if (files <= 0)
    return exempt(mount, '该文件系统没有固定的 inode 数', 'this file system has no fixed number of inodes');
  return {
    target: plain(mount.mountpoint),
    value: (files - free) / files,
    evidence: [`inodes_free=${free}`, `inodes=${files}`, ...mountFacts(mount)],
    facts: { free, files },
  };
}

export const diskInodes: Check = {
  code: 'DISK_INODES',
  area: 'storage',
  unit: 'ratio',
  needs: ['node_filesystem_files', 'node_filesystem_files_free', ...MOUNT_METRICS],
  limits: above(0.8, 0.95, 0.78, 0.93),
  source: 'node-mixin NodeFilesystemAlmostOutOfFiles (under 5 % free), 80 % as for space',
  text: {
    title: both('inode 用量', 'inodes'),
    meaning: both(
      '文件系统 inode 已用比例。用尽后即使还有空间,也不能再建文件 (ENOSPC)。',
      'The used share of inodes. When they run out, no file can be created (ENOSPC) although there is space.',
    ),
    remedy: both(
      '找出小文件最多的目录(会话、缓存、邮件队列),由其所有者清理或改用更大的 inode 数重建。',
      'Find the directory with the most small files (sessions, caches, mail queues); its owner cleans it, or the file system is made anew with more inodes.',
    ),
  },
  evaluate(facts) {
    const all = mounts(facts);
    if (all === undefined || all.length === 0)
      return { observations: [absent(facts, 'node_filesystem_readonly', HOST)] };
    return { observations: all.map((mount) => observe(facts, mount)) };
  },
  line({ target, facts }, value, verdict, limit) {
    const free = facts?.['free'] ?? '?';
    return both(
      `${verdict === 'ok' ? 'inode 用量' : 'inode 将用尽'} ${target} ${percent(value)}(限 ${percent(limit)}),余 ${free} 个`,
      `${verdict === 'ok' ? 'inodes of' : 'inodes nearly used up:'} ${target} ${percent(value)} (limit ${percent(limit)}), ${free} left`,
    );
  },
  command({ target }) {
    const path = shellWord(target);
    return path === undefined ? undefined : `du -x --inodes --max-depth=3 ${path} | sort -n | tail -20`;
  },
  samples: [
    {
      name: 'written: plenty, few left, none left, no fixed number',
      metrics: mountSamples(
        { mountpoint: '/', device: '/dev/vda1', size: GIB, available: GIB, files: 1000, filesFree: 900 },
        { mountpoint: '/a', device: '/dev/vdb', size: GIB, available: GIB, files: 1000, filesFree: 150 },
        { mountpoint: '/b', device: '/dev/vdc', size: GIB, available: GIB, files: 1000, filesFree: 0 },
        { mountpoint: '/c', device: '/dev/vdd', fstype: 'btrfs', size: GIB, available: GIB, files: 0, filesFree: 0 },
        { mountpoint: '/d', device: 'nas:/x', fstype: 'nfs4', error: true },
      ),
      expect: { '/': 'ok', '/a': 'warn', '/b': 'crit', '/c': 'skipped', '/d': 'unknown' },
    },
  ],
};
