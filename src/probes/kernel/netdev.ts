// Bytes, packets and errors of each network interface of the host, from /proc/1/net/dev.
import { stateless, type Collector } from '../collector.ts';
import { hostNet } from './host-net.ts';
import { allUnsigned, eachLine, unexpected, words } from './text.ts';

const RECEIVE = ['bytes', 'packets', 'errs', 'drop', 'fifo', 'frame', 'compressed', 'multicast'];
const TRANSMIT = ['bytes', 'packets', 'errs', 'drop', 'fifo', 'colls', 'carrier', 'compressed'];
const STATISTICS = [...RECEIVE.map((column) => `receive_${column}`), ...TRANSMIT.map((column) => `transmit_${column}`)];
const METRICS = new Map(STATISTICS.map((statistic) => [statistic, `node_network_${statistic}_total`]));
/** Of the columns that do not count packets. */
const UNITS: Readonly<Record<string, string>> = {
  bytes: 'bytes',
  errs: 'errors',
  fifo: 'errors',
  frame: 'errors',
  colls: 'collisions',
  carrier: 'errors',
};

const FILE = '/proc/net/dev';

interface NetDevices {
  /** The statistic of each column, `receive_bytes` and so on, as the header names them. */
  readonly statistics: readonly string[];
  readonly devices: ReadonlyMap<string, readonly number[]>;
}

/** Parses /proc/net/dev; the header says which columns there are, so that new ones are not mistaken for known ones. */
export function parseNetDev(text: string): NetDevices {
  const devices = new Map<string, readonly number[]>();
  let statistics: readonly string[] | undefined;
  let lines = 0;
  eachLine(text, (line) => {
    lines += 1;
    if (lines === 1) return;
    if (statistics === undefined) {
      const [face, receive, transmit, more] = line.split('|');
      if (face?.trim() !== 'face' || receive === undefined || transmit === undefined || more !== undefined) {
        throw unexpected(FILE, line);
      }
      statistics = [
        ...words(receive).map((column) => `receive_${column}`),
        ...words(transmit).map((column) => `transmit_${column}`),
      ];
      return;
    }
    const colon = line.lastIndexOf(':'); // an alias has one in its name: `eth0:1`
    const device = line.slice(0, Math.max(colon, 0)).trim();
    const values = allUnsigned(FILE, line, words(line.slice(colon + 1)));
    if (device === '' || values.length !== statistics.length) throw unexpected(FILE, line);
    devices.set(device, values);
  });
  if (statistics === undefined) throw unexpected(FILE, text);
  return { statistics, devices };
}

/** Whether a device is excluded: by its name, or by an entry that ends in `*` and begins it (`veth*`). */
export const isExcludedDevice = (device: string, entries: readonly string[]): boolean =>
  entries.some((entry) => (entry.endsWith('*') ? device.startsWith(entry.slice(0, -1)) : device === entry));

export const netdev: Collector = {
  name: 'netdev',
  view: 'node',
  periodSeconds: 15,
  metrics: [...METRICS].map(([statistic, name]) => ({
    name,
    help: `Network device statistic ${statistic}.`,
    type: 'counter',
    source: `/proc/1/net/dev ${statistic.replace('_', ' ')}`,
    unit: UNITS[statistic.slice(statistic.indexOf('_') + 1)] ?? 'packets',
    labels: ['device'],
  })),
  open: stateless((host, out, config) => {
    const { statistics, devices } = parseNetDev(hostNet(host, 'dev'));
    const metrics = statistics.map((statistic) => METRICS.get(statistic));
    for (const [device, values] of devices) {
      if (isExcludedDevice(device, config.network.excludeDevices)) continue;
      values.forEach((value, column) => {
        const metric = metrics[column];
        if (metric !== undefined) out.add(metric, value, device);
      });
    }
  }),
};
