// Size, free space and files of each mounted file system; a mount that fails or hangs does not hide the others.
import { stateless, type Collector, type SampleWriter } from '../collector.ts';
import { readFailure, type FileSystemStats, type HostFiles } from '../host-files.ts';
import { belowRoot, isShown, parseMountinfo, type Mount } from './mounts.ts';

const LARGEST = 16 * 1024 * 1024; // an overlay mount has a line of some kilobytes, and hosts with thousands exist

/** The mounts of the host's first process; this process may have others (a container, systemd's PrivateTmp). */
function readMounts(host: HostFiles): Mount[] {
  try {
    return parseMountinfo(host.text('/proc/1/mountinfo', LARGEST));
  } catch (error) {
    if (readFailure(error) === 'failed') throw error;
    return belowRoot(parseMountinfo(host.text('/proc/self/mountinfo', LARGEST)), host.root);
  }
}

/** Undefined when the file system does not answer: an error, or in quarantine because it hung. */
function usage(host: HostFiles, mountpoint: string): FileSystemStats | undefined {
  try {
    return host.risky(`mount ${mountpoint}`, () => host.statfs(mountpoint));
  } catch {
    return undefined; // node_filesystem_device_error says it, for this mount alone
  }
}

function write(out: SampleWriter, mount: Mount, stats: FileSystemStats | undefined): void {
  const labels = [mount.device, mount.fstype, mount.mountpoint] as const;
  out.add('node_filesystem_device_error', stats === undefined ? 1 : 0, ...labels);
  out.add('node_filesystem_readonly', mount.readonly ? 1 : 0, ...labels);
  if (stats === undefined) return;
  out.add('node_filesystem_size_bytes', stats.blocks * stats.blockSize, ...labels);
  out.add('node_filesystem_free_bytes', stats.free * stats.blockSize, ...labels);
  out.add('node_filesystem_avail_bytes', stats.available * stats.blockSize, ...labels);
  out.add('node_filesystem_files', stats.files, ...labels);
  out.add('node_filesystem_files_free', stats.filesFree, ...labels);
}

const FAMILIES = [
  [
    'device_error',
    'Whether an error occurred while getting statistics for the given device.',
    'whether statfs(2) answers',
    '0 or 1',
  ],
  ['readonly', 'Filesystem read-only status.', '/proc/1/mountinfo options', '0 or 1'],
  ['size_bytes', 'Filesystem size in bytes.', 'statfs(2) f_blocks', 'bytes'],
  ['free_bytes', 'Filesystem free space in bytes.', 'statfs(2) f_bfree', 'bytes'],
  ['avail_bytes', 'Filesystem space available to non-root users in bytes.', 'statfs(2) f_bavail', 'bytes'],
  ['files', 'Filesystem total file nodes.', 'statfs(2) f_files', 'inodes'],
  ['files_free', 'Filesystem total free file nodes.', 'statfs(2) f_ffree', 'inodes'],
] as const;

export const filesystem: Collector = {
  name: 'filesystem',
  view: 'node',
  periodSeconds: 30,
  mayHang: true,
  metrics: FAMILIES.map(([name, help, source, unit]) => ({
    name: `node_filesystem_${name}`,
    help,
    type: 'gauge',
    source,
    unit,
    labels: ['device', 'fstype', 'mountpoint'],
  })),
  open: stateless((host, out, config) => {
    for (const mount of readMounts(host)) {
      if (isShown(mount, config.filesystem)) write(out, mount, usage(host, mount.mountpoint));
    }
  }),
};
