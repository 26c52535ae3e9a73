// Whether what the kernel reported once is still so: mounts by their devices, tasks by their state.
import { seesHostPids } from '../exec/membership.ts';
import { readFailure, type HostFiles } from '../host-files.ts';
import { eachLine } from '../kernel/text.ts';
import type { HostFacts } from './conditions.ts';

/** Reads the host when it is asked, the mounts once. */
export function readFacts(host: HostFiles): HostFacts {
  let read: ReadonlyMap<string, boolean> | undefined;
  const hostPids = seesHostPids(host);
  return {
    filesystem(device) {
      try {
        read ??= parseSuperblocks(host.text('/proc/1/mountinfo', 16 * 1024 * 1024));
        const numbers = numbersOf(host, device);
        if (numbers === undefined) return undefined;
        const readonly = read.get(numbers);
        return readonly === undefined ? 'unmounted' : readonly ? 'readonly' : 'writable';
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

/** Whether each file system is read-only as a whole, by the numbers of its device (proc_pid_mountinfo(5), super options). */
export function parseSuperblocks(mountinfo: string): ReadonlyMap<string, boolean> {
  const readonly = new Map<string, boolean>();
  eachLine(mountinfo, (line) => {
    const numbers = line.split(' ', 3)[2];
    const options = line.slice(line.lastIndexOf(' ') + 1);
    if (numbers !== undefined && line.includes(' - ')) readonly.set(numbers, options.split(',').includes('ro'));
  });
  return readonly;
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
