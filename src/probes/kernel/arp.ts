// Neighbours the host knows by their hardware address, per interface, from /proc/1/net/arp.
import { stateless, type Collector } from '../collector.ts';
import { hostNet } from './host-net.ts';
import { eachLine, unexpected, words } from './text.ts';

const FILE = '/proc/net/arp';
/** Address, type, flags, hardware address, mask, device (proc_net(5)). */
const COLUMNS = 6;

/** Entries by device. */
export function parseArp(text: string): ReadonlyMap<string, number> {
  const entries = new Map<string, number>();
  let head = true;
  eachLine(text, (line) => {
    if (head) return void (head = false);
    const cells = words(line);
    const device = cells[COLUMNS - 1];
    if (cells.length !== COLUMNS || device === undefined) throw unexpected(FILE, line);
    entries.set(device, (entries.get(device) ?? 0) + 1);
  });
  if (head) throw unexpected(FILE, text);
  return entries;
}

export const arp: Collector = {
  name: 'arp',
  view: 'node',
  periodSeconds: 15,
  metrics: [
    {
      name: 'node_arp_entries',
      help: 'ARP entries by device',
      type: 'gauge',
      source: '/proc/1/net/arp, lines by device',
      unit: 'entries',
      labels: ['device'],
    },
  ],
  open: stateless((host, out) => {
    for (const [device, entries] of parseArp(hostNet(host, 'arp'))) out.add('node_arp_entries', entries, device);
  }),
};
