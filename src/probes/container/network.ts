// The network of containers: once for each network namespace, of whoever owns it, and the host's for the host alone.
import type { HostFiles } from '../host-files.ts';
import { readConntrack } from '../kernel/conntrack.ts';
import { parseNetDev } from '../kernel/netdev.ts';
import { openWidening, type Widening } from '../kernel/widening.ts';
import { SANDBOX } from './identity.ts';
import type { Tracked } from './table.ts';

/** In the order of {@link Interfaces}. */
export const STATISTICS = [
  'receive_bytes',
  'receive_packets',
  'receive_errs',
  'receive_drop',
  'transmit_bytes',
  'transmit_packets',
  'transmit_errs',
  'transmit_drop',
] as const;

/** Counters by interface; one that the kernel does not say is absent. */
export type Interfaces = ReadonlyMap<string, readonly (number | undefined)[]>;

/** In the order of {@link Conntrack.refused}. */
export const REFUSALS = ['drop', 'insert_failed', 'early_drop'] as const;

/** Connections that netfilter tracks in a network namespace. */
export interface Conntrack {
  readonly entries: number;
  readonly refused: readonly (number | undefined)[];
}

/** What is kept of each network namespace between collections, by its name. */
export type Namespaces = Map<string, Widening>;

/** As in cAdvisor: what only leads into containers, or nowhere. */
const IGNORED = ['lo', 'veth', 'docker', 'nerdctl'];
/** Interfaces beyond this many are left out: each makes eight series. */
const MOST_INTERFACES = 32;
const LARGEST = 16 * 1024 * 1024;

function parseInterfaces(text: string): Interfaces {
  const { statistics, devices } = parseNetDev(text);
  const columns = STATISTICS.map((statistic) => statistics.indexOf(statistic));
  const found = new Map<string, readonly (number | undefined)[]>();
  for (const [device, values] of devices) {
    if (IGNORED.some((prefix) => (prefix === 'lo' ? device === 'lo' : device.startsWith(prefix)))) continue;
    if (found.size >= MOST_INTERFACES) break;
    found.set(
      device,
      columns.map((column) => values[column]),
    );
  }
  return found;
}

function readInterfaces(host: HostFiles, pid: number): Interfaces | undefined {
  try {
    return parseInterfaces(host.text(`/proc/${pid}/net/dev`, LARGEST));
  } catch {
    return undefined;
  }
}

/** Absent where the kernel tracks no connections; 0 where none is tracked in this namespace. */
function readTracked(host: HostFiles, pid: number, widening: Widening): Conntrack | undefined {
  try {
    const table = readConntrack(host, pid, REFUSALS);
    return table === undefined ? undefined : { entries: table.entries, refused: widening.advance(table.rows) };
  } catch {
    return undefined;
  }
}

/** `net:[4026531840]` of a process; undefined when it ended or may not be asked. */
function networkOf(host: HostFiles, pid: number | 'self'): string | undefined {
  try {
    return host.link(`/proc/${pid}/ns/net`);
  } catch {
    return undefined;
  }
}

/** The sandbox of a pod owns its network; else who was there first. */
const owns = (a: Tracked, b: Tracked): boolean => {
  const [sandboxA, sandboxB] = [a.identity.container === SANDBOX, b.identity.container === SANDBOX];
  return sandboxA === sandboxB ? (a.members.init?.start ?? 0) < (b.members.init?.start ?? 0) : sandboxA;
};

/**
 * Reads each network namespace once and gives its counters to its owner; who shares it has none. In a pod of which the
 * sandbox is not known they are the pod's. Those of the host are `root`'s, whoever else uses them; of its connections
 * the collector of conntrack tells.
 */
export function readNetworks(
  host: HostFiles,
  all: readonly Tracked[],
  root: Tracked | undefined,
  known: Namespaces,
): void {
  // Where the first process may not be asked, this one is in the host's network, or sees no host at all.
  const hosts = networkOf(host, 1) ?? networkOf(host, 'self');
  const owners = new Map<string, Tracked>();
  const pods = new Map<string, Tracked>();
  for (const one of all) {
    one.reading.network = undefined;
    one.reading.conntrack = undefined;
    if (one.place.kind === 'pod') pods.set(one.place.podUid, one);
    const { init } = one.members;
    if (one.place.kind !== 'container' || init === undefined) continue;
    if (one.network?.pid !== init.pid) one.network = { pid: init.pid, namespace: networkOf(host, init.pid) };
    const { namespace } = one.network;
    if (namespace === undefined || namespace === hosts) continue;
    const owner = owners.get(namespace);
    if (owner === undefined || owns(one, owner)) owners.set(namespace, one);
  }
  for (const namespace of known.keys()) if (!owners.has(namespace)) known.delete(namespace);
  for (const [namespace, owner] of owners) {
    let widening = known.get(namespace);
    if (widening === undefined) known.set(namespace, (widening = openWidening()));
    giveTo(owner, pods, host, widening);
  }
  if (root !== undefined) root.reading.network = readInterfaces(host, 1);
}

function giveTo(owner: Tracked, pods: ReadonlyMap<string, Tracked>, host: HostFiles, widening: Widening): void {
  const { place, identity, members } = owner;
  const pod = place.kind === 'container' && place.podUid !== undefined ? pods.get(place.podUid) : undefined;
  const shown = pod === undefined || identity.container === SANDBOX ? owner : pod;
  if (members.init === undefined) return;
  shown.reading.network = readInterfaces(host, members.init.pid);
  shown.reading.conntrack = readTracked(host, members.init.pid, widening);
}
