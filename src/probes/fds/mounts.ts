// Where an open file lies: the mount by the number that fdinfo gives, and whether asking it cannot hang.
import type { HostFiles } from '../host-files.ts';
import { decodeOctal } from '../host/mounts.ts';
import { eachLine, unsigned } from '../kernel/text.ts';

interface MountFacts {
  readonly mountpoint: string;
  /** `MAJOR:MINOR` of the file system, the same wherever it is mounted. */
  readonly device: string;
  readonly fstype: string;
}

const LARGEST = 16 * 1024 * 1024;

/** Parses /proc/PID/mountinfo by the number of the mount (proc_pid_mountinfo(5)); a line that is none is skipped. */
export function parseMountIds(text: string, into: Map<number, MountFacts> = new Map()): Map<number, MountFacts> {
  eachLine(text, (line) => {
    const separator = line.indexOf(' - ');
    const [id, , device, , mountpoint] = line.slice(0, Math.max(0, separator)).split(' ');
    const [fstype] = line.slice(separator + 3).split(' ');
    const number = unsigned(id);
    if (number === undefined || device === undefined || !mountpoint?.startsWith('/') || !fstype) return;
    into.set(number, { mountpoint: decodeOctal(mountpoint), device, fstype: decodeOctal(fstype) });
  });
  return into;
}

/** Those that answer from this machine alone. What is not among them may wait for a server or a program. */
const LOCAL = new Set([
  ...['ext2', 'ext3', 'ext4', 'xfs', 'btrfs', 'f2fs', 'bcachefs', 'zfs', 'jfs', 'reiserfs', 'nilfs2', 'ubifs'],
  ...['vfat', 'exfat', 'ntfs3', 'hfsplus', 'tmpfs', 'ramfs', 'rootfs', 'devtmpfs', 'hugetlbfs', 'overlay', 'aufs'],
]);

export const isLocal = ({ fstype }: MountFacts): boolean => LOCAL.has(fstype);

/** Finds mounts by number: in the mounts of the process, of the host's first one, and of this one. Each is read once. */
export function openMounts(host: HostFiles): (pid: number, id: number) => MountFacts | undefined {
  const known = new Map<number, MountFacts>();
  const read = new Set<number | 'self'>();
  return (pid, id) => {
    for (const from of [pid, 1, 'self'] as const) {
      const found = known.get(id);
      if (found !== undefined) return found;
      if (read.has(from)) continue;
      read.add(from);
      try {
        parseMountIds(host.text(`/proc/${from}/mountinfo`, LARGEST), known);
      } catch {
        continue; // ended, or not to be read: the next one may know
      }
    }
    return known.get(id);
  };
}
