// Which disks of the host are asked for their own diagnosis.
import { readFailure, type HostFiles } from '../host-files.ts';

export interface Disk {
  /** As smartctl and smartctl_exporter name it: `sda`, and of NVMe the controller, `nvme0`. */
  readonly name: string;
  /** A disk that a hypervisor makes up as it hands it over: it has no diagnosis that could be asked. */
  readonly virtual: boolean;
}

const MOST_DISKS = 1024;
const ASKED = /^(?:sd[a-z]{1,4}|(?<controller>nvme\d{1,4})n\d{1,4})$/;
const VIRTUAL = /^x?vd[a-z]{1,4}$/;

/** The disk that a name in /sys/block belongs to; undefined for what is made of others (dm, md), memory, CD drives and cards. */
export function diskOf(name: string): Disk | undefined {
  if (VIRTUAL.test(name)) return { name, virtual: true };
  const match = ASKED.exec(name);
  return match === null ? undefined : { name: match.groups?.['controller'] ?? name, virtual: false };
}

/** Each disk once. */
export function listDisks(host: HostFiles): readonly Disk[] {
  let names: readonly string[];
  try {
    names = host.list('/sys/block');
  } catch (error) {
    if (readFailure(error) === 'absent') return [];
    throw error;
  }
  const disks = new Map<string, Disk>();
  for (const name of [...names].sort()) {
    const disk = diskOf(name);
    if (disk !== undefined && disks.size < MOST_DISKS) disks.set(disk.name, disk);
  }
  return [...disks.values()];
}
