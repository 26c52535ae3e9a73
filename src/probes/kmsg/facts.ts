// Whether what the kernel reported once is still so: mounts by their devices, tasks by their state.
import { seesHostPids } from '../exec/membership.ts';
import { readFailure, type HostFiles } from '../host-files.ts';
import { isReadonly } from '../host/mounts.ts';
import { eachLine } from '../kernel/text.ts';
import type { HostFacts } from './conditions.ts';

/** Reads the host when it is asked, the mounts once. */
export function readFacts(host: HostFiles): HostFacts {
  let read: ReturnType<typeof parseSuperblocks> | undefined;
  const hostPids = seesHostPids(host);
  return {
    filesystem(device) {
      try {
        read ??= parseSuperblocks(host.text('/proc/1/mountinfo', 16 * 1024 * 1024));
        const numbers = numbersOf(host, device);
        if (numbers === undefined) return undefined;
        const superblock = read.get(numbers);
        if (superblock === undefined) return 'unmounted';
        if (superblock.readonly) return 'readonly';
        return superblock.fstype === 'ext4' && hasErrors(host, device) ? undefined : 'writable';
      } catch {
        return undefined;
      }
    },
    sleeps(pid) {
      if (!hostPids || !/^\d{1,10}$/.test(pid)) return undefined;
      try {
        const stat = host.piece(`/proc/${pid}/stat`);
        return stat[stat.lastIndexOf(')') + 2] === D;
      } catch (error) {
        return readFailure(error) === 'absent' ? false : undefined;
      }
    },
  };
}

const D = 0x44;

interface Superblock {
  readonly fstype: string;
  /** The file system as a whole, whatever single mounts of it say. */
  readonly readonly: boolean;
}

/** The file systems by the numbers of their devices (proc_pid_mountinfo(5), super options). */
export function parseSuperblocks(mountinfo: string): ReadonlyMap<string, Superblock> {
  const superblocks = new Map<string, Superblock>();
  eachLine(mountinfo, (line) => {
    const numbers = line.split(' ', 3)[2];
    const [fstype = '', , options] = (line.split(' - ')[1] ?? '').split(' ');
    if (numbers !== undefined && options !== undefined)
      superblocks.set(numbers, { fstype, readonly: isReadonly(options) });
  });
  return superblocks;
}

/** From Linux 6.12 to 6.14 the options of an ext4 that writes no more after an error say `rw` all the same. */
function hasErrors(host: HostFiles, device: string): boolean {
  try {
    return host.text(`/sys/fs/ext4/${device}/errors_count`).trim() !== '0';
  } catch {
    return false;
  }
}

/** `253:0` of `dm-0`: what the kernel calls a device is not what it was mounted by. */
function numbersOf(host: HostFiles, device: string): string | undefined {
  if (!/^[\w!.-]{1,64}$/.test(device) || device.startsWith('.')) return undefined;
  try {
    return host.text(`/sys/class/block/${device}/dev`).trim();
  } catch {
    return undefined;
  }
}
