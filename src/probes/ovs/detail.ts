// Which interfaces are shown one by one: those that lead out of the host, and those that are chosen. The many that lead to pods and
// machines are summed.
import { RE2JS } from 're2js';
import { mapOf, textOf, type Interface } from './switch.ts';

/** Under these keys of external_ids, orchestrators say whose interface it is (Neutron, OVN, kube-ovn, Antrea, ovs-cni). */
export const OWNER_KEYS = [
  'iface-id',
  'attached-mac',
  'vm-id',
  'pod_name',
  'pod_namespace',
  'container_id',
  'k8s_pod_name',
  'antrea-type',
  'vendor',
] as const;

/** Of these types there is one for each machine or pod. */
const OF_WORKLOADS = new Set(['tap', 'dpdkvhostuser', 'dpdkvhostuserclient']);
/** Drivers of devices that lead to a pod or machine on this host. */
const DRIVERS_OF_WORKLOADS = new Set(['veth', 'tun']);
/** However many lead out of a host, more than this are summed. */
const MOST_DETAILED = 256;

const isOwned = ({ row }: Interface): boolean => {
  const ids = mapOf(row.get('external_ids'));
  return OWNER_KEYS.some((key) => ids.has(key));
};

/** Whether an interface is shown by itself though nobody chose it. */
function leadsOut(one: Interface): boolean {
  if (one.port.interfaces.length > 1) return true;
  if (one.name === one.bridge.name) return true;
  if (isOwned(one) || OF_WORKLOADS.has(one.type)) return false;
  if (one.type !== 'system') return true;
  // A device that works has a driver; one that does not is told of among the errors.
  const driver = textOf(mapOf(one.row.get('status')).get('driver_name'));
  return driver !== undefined && !DRIVERS_OF_WORKLOADS.has(driver);
}

export interface Chosen {
  readonly detailed: readonly Interface[];
  readonly summed: readonly Interface[];
}

/** Divides interfaces; `patterns` match anywhere in the name, unless anchored. */
export function openDetail(patterns: readonly string[]): (interfaces: readonly Interface[]) => Chosen {
  const compiled = patterns.map((text) => RE2JS.compile(text));
  return (interfaces) => {
    const detailed: Interface[] = [];
    const summed: Interface[] = [];
    for (const one of interfaces) {
      const wanted = compiled.some((pattern) => pattern.matcher(one.name).find()) || leadsOut(one);
      (wanted && detailed.length < MOST_DETAILED ? detailed : summed).push(one);
    }
    return { detailed, summed };
  };
}
