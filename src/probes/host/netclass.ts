// State and properties of each network interface, from /sys/class/net (Documentation/ABI/testing/sysfs-class-net).
import type { Collector, Metric, SampleWriter } from '../collector.ts';
import type { HostFiles } from '../host-files.ts';
import { isExcludedDevice } from '../kernel/netdev.ts';
import { hexadecimal, unsigned } from '../kernel/text.ts';
import { openSeries, type Series } from '../series.ts';

const NET = '/sys/class/net';
const MEGABITS = 1_000_000 / 8;

/** Name, file, what it counts, and where that is not the file's number its factor. */
const PROPERTIES = [
  ['address_assign_type', 'addr_assign_type', 'type'],
  ['carrier', 'carrier', '0 or 1'],
  ['carrier_changes_total', 'carrier_changes', 'changes'],
  ['carrier_down_changes_total', 'carrier_down_count', 'changes'],
  ['carrier_up_changes_total', 'carrier_up_count', 'changes'],
  ['device_id', 'dev_id', 'id'],
  ['dormant', 'dormant', '0 or 1'],
  ['flags', 'flags', 'bits'],
  ['iface_id', 'ifindex', 'id'],
  ['iface_link', 'iflink', 'id'],
  ['iface_link_mode', 'link_mode', 'mode'],
  ['mtu_bytes', 'mtu', 'bytes'],
  ['name_assign_type', 'name_assign_type', 'type'],
  ['net_dev_group', 'netdev_group', 'id'],
  ['protocol_type', 'type', 'ARPHRD type'],
  ['speed_bytes', 'speed', 'bytes per second', MEGABITS],
  ['transmit_queue_length', 'tx_queue_len', 'packets'],
] as const;

const INFO: Metric = {
  name: 'node_network_info',
  help: 'Non-numeric data from /sys/class/net/<iface>, value is always 1.',
  type: 'gauge',
  source: `${NET}/IF/address, broadcast, duplex, ifalias, operstate`,
  unit: 'constant 1',
  labels: ['device', 'address', 'broadcast', 'duplex', 'ifalias', 'operstate'],
};
const UP: Metric = {
  name: 'node_network_up',
  help: "Value is 1 if operstate is 'up', 0 otherwise.",
  type: 'gauge',
  source: `${NET}/IF/operstate`,
  unit: '0 or 1',
  labels: ['device'],
};
const NUMBERS = PROPERTIES.map(([name, file, unit, factor = 1]) => ({
  metric: {
    name: `node_network_${name}`,
    help: `Network device property: ${name}`,
    type: name.endsWith('_total') ? 'counter' : 'gauge',
    source: `${NET}/IF/${file}`,
    unit,
    labels: ['device'],
  } satisfies Metric,
  file,
  factor,
}));

/** Those that are no hardware are read once in so many collections, each time another part of them: hosts have hundreds of veths. */
const OTHERS_EVERY = 4;

interface Link {
  /** Hardware or a bond. */
  readonly main: boolean;
  /** Which of the {@link OTHERS_EVERY} collections reads it. */
  readonly turn: number;
  readonly up: Series;
  readonly numbers: readonly Series[];
  info: Series;
  values: { readonly up: number; readonly numbers: readonly (number | undefined)[] };
}

/** Undefined where the interface has no such attribute or cannot say: EINVAL of most while it is down. */
function attribute(host: HostFiles, device: string, name: string): string | undefined {
  try {
    return host.text(`${NET}/${device}/${name}`, 4096).trim();
  } catch {
    return undefined;
  }
}

function isMain(host: HostFiles, device: string): boolean {
  try {
    host.link(`${NET}/${device}/device`);
    return true;
  } catch {
    return attribute(host, device, 'bonding/mode') !== undefined;
  }
}

/** Negative is not known (`speed` of a virtual link). */
const parseNumber = (text: string | undefined): number | undefined =>
  text?.startsWith('0x') === true ? hexadecimal(text.slice(2)) : unsigned(text);

/** Undefined when the interface is gone. */
function readLink(host: HostFiles, device: string, turn: number, before: Link | undefined): Link | undefined {
  const state = attribute(host, device, 'operstate');
  if (state === undefined) return undefined;
  const words = ['address', 'broadcast', 'duplex', 'ifalias'].map((name) => attribute(host, device, name) ?? '');
  const numbers = NUMBERS.map(({ file, factor }) => {
    const value = parseNumber(attribute(host, device, file));
    return value === undefined ? undefined : value * factor;
  });
  const link: Link = before ?? {
    main: isMain(host, device),
    turn,
    up: openSeries(UP, device),
    numbers: NUMBERS.map(({ metric }) => openSeries(metric, device)),
    info: openSeries(INFO, device, ...words, state),
    values: { up: 0, numbers },
  };
  const labels = [device, ...words, state];
  if (labels.some((label, index) => label !== link.info.labelValues[index])) link.info = openSeries(INFO, ...labels);
  link.values = { up: state === 'up' ? 1 : 0, numbers };
  return link;
}

function write(out: SampleWriter, { up, info, numbers, values }: Link): void {
  out.set(info, 1);
  out.set(up, values.up);
  for (const [index, value] of values.numbers.entries()) {
    const series = numbers[index];
    if (series !== undefined && value !== undefined) out.set(series, value);
  }
}

export const netclass: Collector = {
  name: 'netclass',
  view: 'node',
  periodSeconds: 15,
  metrics: [UP, INFO, ...NUMBERS.map(({ metric }) => metric)],
  open({ host, config }) {
    const links = new Map<string, Link>();
    let round = 0;
    /** A driver that hangs (`speed` and `duplex` ask it) hides its own interfaces alone. */
    const read = (device: string, risky: <T>(target: string, read: () => T) => T): void => {
      const before = links.get(device);
      if (before !== undefined && !before.main && before.turn !== round % OTHERS_EVERY) return;
      try {
        const link = risky(`interface ${device}`, () => readLink(host, device, links.size % OTHERS_EVERY, before));
        if (link === undefined) links.delete(device);
        else links.set(device, link);
      } catch {
        links.delete(device);
      }
    };
    return {
      collect(out) {
        round += 1;
        const devices = host.list(NET).filter((device) => !isExcludedDevice(device, config.network.excludeDevices));
        const there = new Set(devices);
        for (const device of links.keys()) if (!there.has(device)) links.delete(device);
        host.riskyEach('netclass', (risky) => {
          for (const device of devices) read(device, risky);
        });
        const known = [...links.values()];
        for (const link of known) if (link.main) write(out, link);
        for (const link of known) if (!link.main) write(out, link);
      },
    };
  },
};
