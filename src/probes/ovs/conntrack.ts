// dpctl/ct-get-limits and ct-get-nconns: connections that Open vSwitch tracks, by zone where a zone has a limit.
import type { Metric } from '../collector.ts';
import type { Datapath } from './datapath.ts';
import { gauge, linesOf, whole, type Reading } from './readings.ts';

const LIMITS = 'ovs-vswitchd: dpctl/ct-get-limits';
const labels = ['type', 'name'];
const ofZone = { labels: [...labels, 'zone'], unit: 'connections' };

const DEFAULT = gauge(
  'jdos_ovs_conntrack_zone_default_limit',
  LIMITS,
  'Connections allowed in a zone that has no limit of its own; 0 is without limit.',
  { labels, unit: 'connections' },
);
const LIMIT = gauge('jdos_ovs_conntrack_zone_limit', LIMITS, 'Connections allowed in the zone.', ofZone);
const COUNT = gauge('jdos_ovs_conntrack_zone_entries', LIMITS, 'Connections in the zone.', ofZone);
const ENTRIES = gauge(
  'jdos_ovs_conntrack_entries',
  'ovs-vswitchd: dpctl/ct-get-nconns',
  'Connections that the datapath in user space tracks.',
  { labels, unit: 'connections' },
);
const MOST = gauge(
  'jdos_ovs_conntrack_entries_limit',
  'ovs-vswitchd: dpctl/ct-get-maxconns',
  'Connections that the datapath in user space can track.',
  { labels, unit: 'connections' },
);

export const CONNTRACK_METRICS: readonly Metric[] = [DEFAULT, LIMIT, COUNT, ENTRIES, MOST];

/** Zones are numbers of 16 bits. */
const ZONE = /^zone=(\d{1,5}),limit=(\d+),count=(\d+)$/;
const ALL = /^default limit=(\d+)$/;

export function readLimits(text: string, { type, name }: Datapath): readonly Reading[] {
  return linesOf(text).flatMap((line): Reading[] => {
    const all = whole(ALL.exec(line)?.[1]);
    if (all !== undefined) return [{ metric: DEFAULT, value: all, labels: [type, name] }];
    const [, zone, limit, count] = ZONE.exec(line) ?? [];
    if (zone === undefined) return [];
    const at = [type, name, zone];
    return [
      { metric: LIMIT, value: Number(limit), labels: at },
      { metric: COUNT, value: Number(count), labels: at },
    ];
  });
}

const readNumber =
  (metric: Metric) =>
  (text: string, { type, name }: Datapath): readonly Reading[] => {
    const value = whole(text.trim());
    return value === undefined ? [] : [{ metric, value, labels: [type, name] }];
  };

export const readConnections = readNumber(ENTRIES);
export const readMostConnections = readNumber(MOST);
