// The families of Interface.statistics: every key has one, and a key that is not known yet is told under a label.
import type { Metric } from '../collector.ts';
import { counter } from './readings.ts';

export const LABELS = ['bridge', 'port', 'interface', 'type'];
const SOURCE = 'OVSDB: Interface.statistics';

const SIZES = ['1_to_64', '65_to_127', '128_to_255', '256_to_511', '512_to_1023', '1024_to_1522', '1523_to_max'];
const OF_SIZE = ['rx', 'tx'].flatMap((way) => SIZES.map((size) => `${way}_${size}_packets`));

const HELP: Readonly<Record<string, string>> = {
  rx_bytes: 'Bytes received.',
  rx_packets: 'Packets received.',
  rx_errors: 'Packets received with an error.',
  rx_dropped: 'Packets received and dropped.',
  tx_bytes: 'Bytes sent.',
  tx_packets: 'Packets sent.',
  tx_errors: 'Packets that could not be sent.',
  tx_dropped: 'Packets dropped instead of being sent.',
  upcall_packets: 'Packets that matched no flow and were sent to ovs-vswitchd.',
  upcall_errors: 'Packets that matched no flow and could not be sent to ovs-vswitchd.',
  ovs_tx_failure_drops: 'Packets that the device did not take (DPDK).',
  ovs_tx_mtu_exceeded_drops: 'Packets dropped for being larger than the MTU (DPDK).',
};

/** Names of openstack-network-exporter where they are not the keys. */
const RENAMED: Readonly<Record<string, string>> = { ovs_tx_retries: 'tx_retries' };

const KEYS = [
  ...Object.keys(HELP),
  ...['collisions', 'rx_crc_err', 'rx_frame_err', 'rx_over_err', 'rx_missed_errors'],
  ...['rx_multicast_packets', 'tx_multicast_packets', 'rx_broadcast_packets', 'tx_broadcast_packets'],
  ...[
    'rx_undersized_errors',
    'rx_oversize_errors',
    'rx_fragmented_errors',
    'rx_jabber_errors',
    'rx_mbuf_allocation_errors',
  ],
  ...['ovs_tx_retries', 'ovs_rx_qos_drops', 'ovs_tx_qos_drops', 'ovs_tx_invalid_hwol_drops'],
  ...OF_SIZE,
];

const unitOf = (key: string): string =>
  key.endsWith('bytes') ? 'bytes' : key.endsWith('retries') ? 'retries' : 'packets';

/** By key. */
export const STATISTICS: ReadonlyMap<string, Metric> = new Map(
  KEYS.map((key) => [
    key,
    counter(
      `ovs_interface_${RENAMED[key] ?? key}`,
      `${SOURCE}:${key}`,
      HELP[key] ?? `Statistic ${key} of the interface.`,
      {
        labels: LABELS,
        unit: unitOf(key),
      },
    ),
  ]),
);

const ofQueue = (key: string, unit: string, help: string): [string, Metric] => [
  key,
  counter(`ovs_interface_${key}`, SOURCE, help, { labels: [...LABELS, 'queue'], unit }),
];
const QUEUE_STATISTICS: ReadonlyMap<string, Metric> = new Map([
  ofQueue('rx_good_packets', 'packets', 'Packets received from the queue.'),
  ofQueue('tx_good_packets', 'packets', 'Packets sent to the queue.'),
  ofQueue('rx_guest_notifications', 'notifications', 'Times that the guest was told of packets it had sent.'),
  ofQueue('tx_guest_notifications', 'notifications', 'Times that the guest was told of packets for it.'),
]);

const OTHER = counter(
  'jdos_ovs_interface_statistics',
  SOURCE,
  'Statistics that have no metric of their own, by key: those that a driver, or a newer Open vSwitch, has added.',
  { labels: [...LABELS, 'key'], unit: 'as counted' },
);

export const STATISTICS_METRICS: readonly Metric[] = [...STATISTICS.values(), ...QUEUE_STATISTICS.values(), OTHER];

const QUEUE = /^([rt]x)_q(\d{1,5})_([a-z0-9_]{1,64})$/;
const KEY = /^[a-z0-9_]{1,64}$/;

/** The family of a key, with the label beyond {@link LABELS}; undefined for what is no key. */
export function statisticOf(key: string): { readonly metric: Metric; readonly more: readonly string[] } | undefined {
  const own = STATISTICS.get(key);
  if (own !== undefined) return { metric: own, more: [] };
  const [, way, queue, what] = QUEUE.exec(key) ?? [];
  const ofThis = QUEUE_STATISTICS.get(`${way}_${what}`);
  if (ofThis !== undefined && queue !== undefined) return { metric: ofThis, more: [queue] };
  return KEY.test(key) ? { metric: OTHER, more: [key] } : undefined;
}
