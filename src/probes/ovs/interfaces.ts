// The families of interfaces: their state, their statistics, what is wrong with them, and whose they are.
import type { Metric, SampleWriter } from '../collector.ts';
import { OWNER_KEYS } from './detail.ts';
import { counter, gauge, write } from './readings.ts';
import { LABELS, statisticOf, STATISTICS, STATISTICS_METRICS } from './statistics.ts';
import type { Sum } from './sums.ts';
import { flagOf, mapOf, numberOf, textOf, type Interface } from './switch.ts';
import type { Row } from '../../drivers/ovsdb/index.ts';

const COLUMN = 'OVSDB: Interface.';
const flag = { labels: LABELS, unit: '0 or 1' };
const one = (unit?: string) => ({ labels: LABELS, unit });

type Read = (row: Row) => number | undefined;
const number =
  (column: string): Read =>
  (row) =>
    numberOf(row.get(column));
const truth = (value: boolean | undefined): number | undefined => (value === undefined ? undefined : Number(value));
const says =
  (column: string, yes: string): Read =>
  (row) => {
    const text = textOf(row.get(column));
    return text === undefined ? undefined : Number(text === yes);
  };
/** Of a map column: absent as long as the map is empty. */
const within = (column: string, key: string, read: (text: string) => number | undefined): Read => {
  return (row) => {
    const text = mapOf(row.get(column)).get(key);
    return typeof text === 'string' ? read(text) : undefined;
  };
};
const digits = (text: string): number | undefined => (/^\d{1,15}$/.test(text) ? Number(text) : undefined);
const is =
  (...words: readonly string[]) =>
  (text: string): number =>
    Number(words.includes(text));
const times =
  (factor: number, read: Read): Read =>
  (row) => {
    const value = read(row);
    return value === undefined ? undefined : value * factor;
  };

/** What ovs-vswitchd keeps up to date; when it does not run, these are not known. */
const LIVE: readonly (readonly [Metric, Read])[] = [
  [
    gauge('ovs_interface_admin_state', `${COLUMN}admin_state`, 'Whether the interface is set up, 1 or 0.', flag),
    says('admin_state', 'up'),
  ],
  [
    gauge('ovs_interface_link_state', `${COLUMN}link_state`, 'Whether the interface has a link, 1 or 0.', flag),
    says('link_state', 'up'),
  ],
  [gauge('ovs_interface_mtu_bytes', `${COLUMN}mtu`, 'Largest packet.', one()), number('mtu')],
  [
    gauge('ovs_interface_link_speed_bps', `${COLUMN}link_speed`, 'Speed of the link.', one('bits per second')),
    number('link_speed'),
  ],
  [
    counter(
      'ovs_interface_link_resets',
      `${COLUMN}link_resets`,
      'Times that the state of the link changed.',
      one('changes'),
    ),
    number('link_resets'),
  ],
  [
    gauge('jdos_ovs_interface_ifindex', `${COLUMN}ifindex`, 'Index of the device on the host.', one('index')),
    number('ifindex'),
  ],
  [
    gauge(
      'jdos_ovs_interface_tunnel_carrier',
      `${COLUMN}status`,
      'Whether the interface that the tunnel goes out of has a link, 1 or 0.',
      flag,
    ),
    within('status', 'tunnel_egress_iface_carrier', is('up')),
  ],
  [
    gauge(
      'jdos_ovs_interface_lacp_current',
      `${COLUMN}lacp_current`,
      'Whether LACP hears from the partner, 1 or 0.',
      flag,
    ),
    (row) => truth(flagOf(row.get('lacp_current'))),
  ],
  [
    gauge('jdos_ovs_interface_bfd_up', `${COLUMN}bfd_status:state`, 'Whether the session of BFD is up, 1 or 0.', flag),
    within('bfd_status', 'state', is('up')),
  ],
  [
    gauge(
      'jdos_ovs_interface_bfd_remote_up',
      `${COLUMN}bfd_status:remote_state`,
      'Whether the other side says so too, 1 or 0.',
      flag,
    ),
    within('bfd_status', 'remote_state', is('up')),
  ],
  [
    gauge(
      'jdos_ovs_interface_bfd_forwarding',
      `${COLUMN}bfd_status:forwarding`,
      'Whether BFD lets traffic through, 1 or 0.',
      flag,
    ),
    within('bfd_status', 'forwarding', is('true')),
  ],
  [
    counter(
      'jdos_ovs_interface_bfd_flaps_total',
      `${COLUMN}bfd_status:flap_count`,
      'Times that forwarding by BFD changed.',
      one('changes'),
    ),
    within('bfd_status', 'flap_count', digits),
  ],
  [
    gauge('jdos_ovs_interface_cfm_fault', `${COLUMN}cfm_fault`, 'Whether CFM sees a fault, 1 or 0.', flag),
    (row) => truth(flagOf(row.get('cfm_fault'))),
  ],
  [
    counter(
      'jdos_ovs_interface_cfm_flaps_total',
      `${COLUMN}cfm_flap_count`,
      'Times that the fault of CFM came or went.',
      one('changes'),
    ),
    number('cfm_flap_count'),
  ],
  [
    gauge(
      'jdos_ovs_interface_cfm_health_ratio',
      `${COLUMN}cfm_health`,
      'Share of the messages of CFM that arrived.',
      one(),
    ),
    times(0.01, number('cfm_health')),
  ],
  [
    gauge(
      'jdos_ovs_interface_cfm_remote_up',
      `${COLUMN}cfm_remote_opstate`,
      'Whether the other side of CFM is up, 1 or 0.',
      flag,
    ),
    says('cfm_remote_opstate', 'up'),
  ],
];
const POLICED = gauge(
  'jdos_ovs_interface_ingress_policing_bps',
  `${COLUMN}ingress_policing_rate`,
  'What the interface may take in at most; written where there is a limit.',
  one('bits per second'),
);
const DRIVER = gauge(
  'jdos_ovs_interface_driver_info',
  `${COLUMN}status`,
  'The driver of the interface, and where a tunnel goes out.',
  {
    labels: [...LABELS, 'driver', 'version', 'firmware', 'tunnel_egress_interface'],
  },
);
const BROKEN = gauge(
  'jdos_ovs_interface_error',
  `${COLUMN}error, ofport`,
  'The interface could not be made part of the switch, and why. Written only where it is so.',
  { labels: [...LABELS, 'error'], unit: 'constant 1' },
);
const OWNER = gauge(
  'jdos_ovs_interface_info',
  `${COLUMN}external_ids`,
  'Whose the interface is, as the orchestrator that made it says: the port of Neutron or OVN, the pod.',
  { labels: [...LABELS, 'iface_id', 'attached_mac', 'vm_id', 'pod_name', 'pod_namespace', 'container_id'] },
);
const MANY = gauge(
  'jdos_ovs_interfaces',
  `${COLUMN}link_state`,
  'Interfaces by the state of their link; unknown where none is told.',
  {
    labels: ['bridge', 'type', 'link_state'],
  },
);

export const INTERFACE_METRICS: readonly Metric[] = [
  ...STATISTICS_METRICS,
  ...LIVE.map(([metric]) => metric),
  POLICED,
  DRIVER,
  BROKEN,
  OWNER,
  MANY,
];

const labelsOf = ({ bridge, port, name, type }: Interface): readonly string[] => [bridge.name, port.name, name, type];

/** One interface by itself. */
export function writeInterface(out: SampleWriter, its: Interface): void {
  const { row } = its;
  const labels = labelsOf(its);
  for (const [key, value] of mapOf(row.get('statistics'))) {
    const { metric, more } = statisticOf(String(key)) ?? {};
    if (metric !== undefined && more !== undefined)
      write(out, metric, numberOf(value), more.length === 0 ? labels : [...labels, ...more]);
  }
  for (const [metric, read] of LIVE) write(out, metric, read(row), labels);
  const rate = numberOf(row.get('ingress_policing_rate')) ?? 0;
  if (rate > 0) write(out, POLICED, rate * 1000, labels);
  const status = mapOf(row.get('status'));
  if (status.size > 0) {
    const keys = ['driver_name', 'driver_version', 'firmware_version', 'tunnel_egress_iface'];
    write(out, DRIVER, 1, [...labels, ...keys.map((key) => String(status.get(key) ?? ''))]);
  }
}

/** The many together: their statistics, with empty labels for port and interface. */
export function writeSum(out: SampleWriter, { bridge, type, totals }: Sum): void {
  for (const [key, value] of Object.entries(totals)) {
    const metric = STATISTICS.get(key);
    if (metric !== undefined) write(out, metric, value, [bridge, '', '', type]);
  }
}

/** How many there are in each state. */
export function writeCounts(out: SampleWriter, interfaces: readonly Interface[]): void {
  const counts = new Map<string, { readonly labels: readonly string[]; count: number }>();
  for (const { bridge, type, row } of interfaces) {
    const labels = [bridge.name, type, textOf(row.get('link_state')) ?? 'unknown'];
    const key = labels.join('\0');
    const entry = counts.get(key) ?? { labels, count: 0 };
    entry.count += 1;
    counts.set(key, entry);
  }
  for (const { labels, count } of counts.values()) write(out, MANY, count, labels);
}

/** What does not work, which nobody may overlook among the many. */
export function writeBroken(out: SampleWriter, its: Interface): void {
  const error = textOf(its.row.get('error')) ?? (its.row.get('ofport') === -1 ? 'no OpenFlow port' : undefined);
  if (error !== undefined) write(out, BROKEN, 1, [...labelsOf(its), error]);
}

export function writeOwner(out: SampleWriter, its: Interface): void {
  const ids = mapOf(its.row.get('external_ids'));
  if (ids.size === 0 || !OWNER_KEYS.some((key) => ids.has(key))) return;
  const of = (...keys: readonly string[]): string => {
    for (const key of keys) {
      const value = ids.get(key);
      if (typeof value === 'string' && value !== '') return value;
    }
    return '';
  };
  write(out, OWNER, 1, [
    ...labelsOf(its),
    of('iface-id'),
    of('attached-mac'),
    of('vm-id'),
    of('pod_name', 'pod-name', 'k8s_pod_name'),
    of('pod_namespace', 'pod-namespace', 'k8s_pod_namespace'),
    of('container_id', 'container-id'),
  ]);
}
