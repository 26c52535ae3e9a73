// The families of the switch, its bridges and ports, who controls them, and what they promise of bandwidth.
import type { Row } from '../../drivers/ovsdb/index.ts';
import type { Metric, SampleWriter } from '../collector.ts';
import { counter, gauge, write } from './readings.ts';
import { flagOf, listOf, mapOf, numberOf, rowsOf, textOf, type Bridge, type Port, type Switch } from './switch.ts';
import type { Atom, Tables } from '../../drivers/ovsdb/index.ts';

const ROOT = 'OVSDB: Open_vSwitch.';
const BUILD = gauge('ovs_build_info', `${ROOT}ovs_version, dpdk_version, db_version`, 'The versions of Open vSwitch.', {
  labels: ['ovs_version', 'dpdk_version', 'db_version'],
});
const DPDK = gauge('ovs_dpdk_initialized', `${ROOT}dpdk_initialized`, 'Whether DPDK is in use, 1 or 0.', {
  unit: '0 or 1',
});
const PENDING = gauge(
  'jdos_ovs_config_pending',
  `${ROOT}next_cfg, cur_cfg`,
  'Configurations that were asked for and that ovs-vswitchd has not applied yet.',
  { unit: 'configurations' },
);
const PORT_COUNT = gauge('ovs_bridge_port_count', 'OVSDB: Bridge.ports', 'Ports of the bridge.', {
  labels: ['bridge', 'datapath_type'],
  unit: 'ports',
});
const BRIDGE = gauge('jdos_ovs_bridge_info', 'OVSDB: Bridge', 'How the bridge is configured.', {
  labels: ['bridge', 'datapath_type', 'datapath_id', 'fail_mode', 'stp', 'rstp', 'mcast_snooping'],
});
const PORT = gauge('jdos_ovs_port_info', 'OVSDB: Port', 'The VLANs of the port, and how its interfaces are bonded.', {
  labels: ['bridge', 'port', 'tag', 'trunks', 'vlan_mode', 'bond_mode', 'lacp'],
});
const CONNECTED = gauge(
  'jdos_ovs_controller_connected',
  'OVSDB: Controller.is_connected',
  'Whether the controller is connected, 1 or 0.',
  {
    labels: ['bridge', 'target'],
    unit: '0 or 1',
  },
);
const SINCE = gauge(
  'jdos_ovs_controller_state_seconds',
  'OVSDB: Controller.status:sec_since_connect, sec_since_disconnect',
  'For how long the controller has been connected, or not; absent when it never was.',
  { labels: ['bridge', 'target'] },
);
const MANAGED = gauge(
  'jdos_ovs_manager_connected',
  'OVSDB: Manager.is_connected',
  'Whether the manager is connected, 1 or 0.',
  {
    labels: ['target'],
    unit: '0 or 1',
  },
);
const MANAGED_SINCE = gauge(
  'jdos_ovs_manager_state_seconds',
  'OVSDB: Manager.status:sec_since_connect, sec_since_disconnect',
  'For how long the manager has been connected, or not; absent when it never was.',
  { labels: ['target'] },
);
const bps = (labels: readonly string[]) => ({ labels, unit: 'bits per second' });
const QOS = gauge(
  'jdos_ovs_qos_max_bps',
  'OVSDB: QoS.other_config:max-rate',
  'What the port may send at most.',
  bps(['bridge', 'port', 'type']),
);
const mirror = ['bridge', 'mirror'];
const MIRRORED = [
  ['tx_packets', 'jdos_ovs_mirror_tx_packets_total', 'Packets that the mirror has copied.'],
  ['tx_bytes', 'jdos_ovs_mirror_tx_bytes_total', 'Bytes that the mirror has copied.'],
].map(
  ([key = '', name = '', help = '']) =>
    [key, counter(name, `OVSDB: Mirror.statistics:${key}`, help, { labels: mirror })] as const,
);
const queue = ['bridge', 'port', 'queue'];
const QUEUE_MAX = gauge(
  'jdos_ovs_queue_max_bps',
  'OVSDB: Queue.other_config:max-rate',
  'What the queue may send at most.',
  bps(queue),
);
const QUEUE_MIN = gauge(
  'jdos_ovs_queue_min_bps',
  'OVSDB: Queue.other_config:min-rate',
  'What the queue is promised.',
  bps(queue),
);

export const BRIDGE_METRICS: readonly Metric[] = [
  ...[
    BUILD,
    DPDK,
    PENDING,
    PORT_COUNT,
    BRIDGE,
    PORT,
    CONNECTED,
    SINCE,
    MANAGED,
    MANAGED_SINCE,
    QOS,
    QUEUE_MAX,
    QUEUE_MIN,
  ],
  ...MIRRORED.map(([, metric]) => metric),
];

const LONGEST_TRUNKS = 200;

/** `[1,2,3,7]` as `1-3,7`: a trunk can carry thousands of VLANs. */
export function ranges(vlans: readonly Atom[]): string {
  const sorted = vlans.filter((vlan) => typeof vlan === 'number').toSorted((a, b) => a - b);
  const parts: [number, number][] = [];
  for (const vlan of sorted) {
    const last = parts.at(-1);
    if (last !== undefined && vlan <= last[1] + 1) last[1] = vlan;
    else parts.push([vlan, vlan]);
  }
  const text = parts.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(',');
  return text.length <= LONGEST_TRUNKS ? text : `${text.slice(0, text.lastIndexOf(',', LONGEST_TRUNKS))},…`;
}

const yes = (row: Row, column: string): string => String(flagOf(row.get(column)) ?? false);

/** What stands in the configuration, and is true whether ovs-vswitchd runs or not. */
export function writeConfiguration(out: SampleWriter, { root, bridges, tables }: Switch): void {
  for (const bridge of bridges) {
    const { name, datapathType, row, ports } = bridge;
    write(out, PORT_COUNT, ports.length, [name, datapathType]);
    const shown = [textOf(row.get('datapath_id')) ?? '', textOf(row.get('fail_mode')) ?? ''];
    const flags = ['stp_enable', 'rstp_enable', 'mcast_snooping_enable'].map((column) => yes(row, column));
    write(out, BRIDGE, 1, [name, datapathType, ...shown, ...flags]);
    for (const port of ports) {
      writePort(out, bridge, port);
      writeQos(out, bridge, port, tables);
    }
  }
  const pending = (numberOf(root?.get('next_cfg')) ?? NaN) - (numberOf(root?.get('cur_cfg')) ?? NaN);
  if (!Number.isNaN(pending)) write(out, PENDING, Math.max(0, pending), []);
}

function writePort(out: SampleWriter, bridge: Bridge, { name, row, interfaces }: Port): void {
  const bond = interfaces.length > 1 ? (textOf(row.get('bond_mode')) ?? 'active-backup') : '';
  const tag = numberOf(row.get('tag'));
  const labels = [
    tag === undefined ? '' : String(tag),
    ranges(listOf(row.get('trunks'))),
    textOf(row.get('vlan_mode')) ?? '',
  ];
  write(out, PORT, 1, [bridge.name, name, ...labels, bond, textOf(row.get('lacp')) ?? '']);
}

const MOST_QUEUES = 64;
const rate = (row: Row | undefined, key: string): number | undefined => {
  const text = mapOf(row?.get('other_config')).get(key);
  return typeof text === 'string' && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
};

function writeQos(out: SampleWriter, bridge: Bridge, port: Port, tables: Tables): void {
  const [qos] = rowsOf(tables, 'QoS', port.row.get('qos'));
  if (qos === undefined) return;
  write(out, QOS, rate(qos, 'max-rate'), [bridge.name, port.name, textOf(qos.get('type')) ?? '']);
  for (const [id, uuid] of [...mapOf(qos.get('queues'))].slice(0, MOST_QUEUES)) {
    const labels = [bridge.name, port.name, String(id)];
    const row = tables.get('Queue')?.get(String(uuid));
    write(out, QUEUE_MAX, rate(row, 'max-rate'), labels);
    write(out, QUEUE_MIN, rate(row, 'min-rate'), labels);
  }
}

/** What the two servers say of themselves. */
interface Versions {
  readonly vswitchd: string | undefined;
  readonly schema: string | undefined;
}

/** What ovs-vswitchd tells of itself and of its connections: not known when it does not run. */
export function writeRunning(out: SampleWriter, { root, bridges, tables }: Switch, said: Versions): void {
  // The scripts that start Open vSwitch write them into the database; where others start it, they do not stand there.
  const of = (column: string, otherwise = ''): string => textOf(root?.get(column)) ?? otherwise;
  const version = of('ovs_version', said.vswitchd);
  if (version !== '') write(out, BUILD, 1, [version, of('dpdk_version'), of('db_version', said.schema)]);
  const dpdk = flagOf(root?.get('dpdk_initialized'));
  if (dpdk !== undefined) write(out, DPDK, Number(dpdk), []);
  for (const { name, row } of bridges) {
    for (const controller of rowsOf(tables, 'Controller', row.get('controller')))
      writeConnection(out, controller, [CONNECTED, SINCE], [name]);
    for (const one of rowsOf(tables, 'Mirror', row.get('mirrors')))
      for (const [key, metric] of MIRRORED)
        write(out, metric, numberOf(mapOf(one.get('statistics')).get(key)), [name, textOf(one.get('name')) ?? '']);
  }
}

/** Managers are connected by ovsdb-server itself. */
export function writeManagers(out: SampleWriter, { root, tables }: Switch): void {
  for (const manager of rowsOf(tables, 'Manager', root?.get('manager_options')))
    writeConnection(out, manager, [MANAGED, MANAGED_SINCE], []);
}

function writeConnection(
  out: SampleWriter,
  row: Row,
  [connected, since]: readonly [Metric, Metric],
  of: readonly string[],
): void {
  const is = flagOf(row.get('is_connected'));
  const labels = [...of, textOf(row.get('target')) ?? ''];
  if (is === undefined) return;
  write(out, connected, Number(is), labels);
  const seconds = mapOf(row.get('status')).get(is ? 'sec_since_connect' : 'sec_since_disconnect');
  if (typeof seconds === 'string' && /^\d{1,12}$/.test(seconds)) write(out, since, Number(seconds), labels);
}
