// The network interfaces that are hardware, bonds or bridges, from /sys/class/net; containers' veths are no inventory.
import { HostFiles, readFailure } from '../host-files.ts';
import { unsigned } from '../kernel/text.ts';
import type { Hardware } from './hardware.ts';

type Interface = NonNullable<Hardware['interfaces']>[number];

const MOST = 1024;

/** The content of an attribute; undefined when the interface has none or cannot say (EINVAL while it is down). */
function attribute(host: HostFiles, path: string): string | undefined {
  try {
    return host.text(path, 4096).trim();
  } catch {
    return undefined;
  }
}

/** A count of the kernel; null for none, and for 0 and -1, which mean unknown. */
const positive = (value: string | undefined): number | null => unsigned(value) || null;

function linkName(host: HostFiles, path: string): string | undefined {
  try {
    return host.link(path).split('/').at(-1);
  } catch (error) {
    if (readFailure(error) !== 'absent') throw error;
    return undefined;
  }
}

function kindOf(host: HostFiles, base: string): Interface['kind'] | undefined {
  if (linkName(host, `${base}/device`) !== undefined) return 'device';
  if (attribute(host, `${base}/bonding/mode`) !== undefined) return 'bond';
  return attribute(host, `${base}/bridge/bridge_id`) === undefined ? undefined : 'bridge';
}

/** Reads /sys/class/net (Documentation/ABI/testing/sysfs-class-net). Can block on a driver: for a child process. */
export function readInterfaces(host: HostFiles): Interface[] {
  const found: Interface[] = [];
  for (const name of host.list('/sys/class/net').sort()) {
    const base = `/sys/class/net/${name}`;
    const kind = kindOf(host, base);
    if (kind === undefined || found.length === MOST) continue;
    found.push({
      name,
      kind,
      mac: attribute(host, `${base}/address`) ?? '',
      mtu: positive(attribute(host, `${base}/mtu`)),
      megabitsPerSecond: positive(attribute(host, `${base}/speed`)),
      state: attribute(host, `${base}/operstate`) ?? '',
      driver: linkName(host, `${base}/device/driver`) ?? '',
    });
  }
  return found;
}
