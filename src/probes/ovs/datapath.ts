// upcall/show and dpctl/show: the datapaths, their flows, and how packets found them.
import type { Metric } from '../collector.ts';
import { counter, gauge, linesOf, whole, type Reading } from './readings.ts';

const UPCALL = 'ovs-vswitchd: upcall/show';
const DPCTL = 'ovs-vswitchd: dpctl/show';
const labels = ['type', 'name'];
const FLOWS = { labels, unit: 'flows' };
const PACKETS = { labels, unit: 'packets' };

const UPCALL_FLOWS = {
  current: gauge('jdos_ovs_upcall_flows', UPCALL, 'Flows in the datapath now.', FLOWS),
  avg: gauge('jdos_ovs_upcall_flows_average', UPCALL, 'Flows in the datapath, as ovs-vswitchd averages them.', FLOWS),
  max: gauge(
    'jdos_ovs_upcall_flows_maximum',
    UPCALL,
    'Most flows in the datapath since ovs-vswitchd was started.',
    FLOWS,
  ),
  limit: gauge(
    'jdos_ovs_upcall_flow_limit',
    UPCALL,
    'Flows that ovs-vswitchd allows in the datapath: it lowers this when revalidating takes too long.',
    FLOWS,
  ),
} as const;
const OFFLOADED = gauge('jdos_ovs_upcall_offloaded_flows', UPCALL, 'Flows that the hardware has taken over.', FLOWS);
const DUMP = gauge(
  'jdos_ovs_upcall_dump_duration_seconds',
  UPCALL,
  'How long the last look at all flows of the datapath took; over a second is overload.',
  { labels },
);
const LOOKUPS = {
  hit: counter('ovs_datapath_lookup_hits_total', DPCTL, 'Packets that matched a flow of the datapath.', PACKETS),
  missed: counter(
    'ovs_datapath_lookup_missed_total',
    DPCTL,
    'Packets that matched none and went to ovs-vswitchd.',
    PACKETS,
  ),
  lost: counter(
    'ovs_datapath_lookup_lost_total',
    DPCTL,
    'Packets that should have gone to ovs-vswitchd and were dropped.',
    PACKETS,
  ),
} as const;
const DATAPATH_FLOWS = gauge('ovs_datapath_flows_total', DPCTL, 'Flows in the datapath.', FLOWS);
const MASKS = {
  hit: counter('jdos_ovs_datapath_mask_hits_total', DPCTL, 'Masks that were looked at for packets.', {
    labels,
    unit: 'masks',
  }),
  total: gauge('jdos_ovs_datapath_masks', DPCTL, 'Masks of the datapath: each packet may have to try all of them.', {
    labels,
  }),
} as const;
const CACHE = counter(
  'jdos_ovs_datapath_cache_hits_total',
  DPCTL,
  'Packets that found their mask in the cache.',
  PACKETS,
);
const PORTS = gauge('jdos_ovs_datapath_ports', DPCTL, 'Ports of the datapath.', { labels });

export const DATAPATH_METRICS: readonly Metric[] = [
  ...Object.values(UPCALL_FLOWS),
  OFFLOADED,
  DUMP,
  DATAPATH_FLOWS,
  ...Object.values(LOOKUPS),
  ...Object.values(MASKS),
  CACHE,
  PORTS,
];

export interface Datapath {
  /** `system` is the kernel's, `netdev` that in user space. */
  readonly type: string;
  readonly name: string;
}

const HEAD = /^([\w-]{1,32})@([\w.-]{1,64}):/;

/** The datapaths that an answer of either command tells of. */
export const datapathsOf = (text: string): readonly Datapath[] =>
  linesOf(text).flatMap((line) => {
    const [, type, name] = HEAD.exec(line) ?? [];
    return type === undefined || name === undefined ? [] : [{ type, name }];
  });

/** Readings of the lines below each head, in which `read` finds values by metric. */
function inSections(
  text: string,
  read: (line: string) => readonly (readonly [Metric, string | undefined])[],
): readonly Reading[] {
  let at: readonly string[] | undefined;
  return linesOf(text).flatMap((line): Reading[] => {
    const [, type, name] = HEAD.exec(line) ?? [];
    if (type !== undefined && name !== undefined) at = [type, name];
    const where = at;
    if (where === undefined) return [];
    return read(line).flatMap(([metric, digits]) => {
      const value = whole(digits);
      return value === undefined ? [] : [{ metric, value, labels: where }];
    });
  });
}

const named = <K extends string>(line: string, metrics: Readonly<Record<K, Metric>>, separator: string) =>
  (Object.entries(metrics) as [K, Metric][]).map(
    ([word, metric]) => [metric, new RegExp(`\\b${word}${separator}\\s*(\\d+)`).exec(line)?.[1]] as const,
  );

export const readUpcalls = (text: string): readonly Reading[] =>
  inSections(text, (line) => {
    if (line.startsWith('  flows ')) return named(line, UPCALL_FLOWS, ' ');
    return [
      [OFFLOADED, /^ {2}offloaded flows\s*:\s*(\d+)/.exec(line)?.[1]],
      [DUMP, /^ {2}dump duration\s*:\s*(\d+)ms/.exec(line)?.[1]],
    ];
  }).map((reading) => (reading.metric === DUMP ? { ...reading, value: reading.value / 1000 } : reading));

export function readDatapaths(text: string): readonly Reading[] {
  const ports = new Map<string, { labels: readonly string[]; value: number }>();
  let at: { labels: readonly string[]; value: number } | undefined;
  for (const line of linesOf(text)) {
    const [, type, name] = HEAD.exec(line) ?? [];
    if (type !== undefined && name !== undefined)
      ports.set(`${type}@${name}`, (at = { labels: [type, name], value: 0 }));
    else if (at !== undefined && /^ {2}port \d+: /.test(line)) at.value += 1;
  }
  const counted = inSections(text, (line) => {
    if (line.startsWith('  lookups:')) return named(line, LOOKUPS, ':');
    if (line.startsWith('  masks:')) return named(line, MASKS, ':');
    return [
      [DATAPATH_FLOWS, /^ {2}flows:\s*(\d+)/.exec(line)?.[1]],
      [CACHE, /^ {2}cache:\s*hit:\s*(\d+)/.exec(line)?.[1]],
    ];
  });
  return [...counted, ...[...ports.values()].map((port) => ({ metric: PORTS, ...port }))];
}
