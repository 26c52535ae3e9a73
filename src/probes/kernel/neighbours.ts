// The kernel's tables of neighbours (ARP and NDP), which all network namespaces share, and their limits.
import type { Collector, Metric } from '../collector.ts';
import { readFailure, type HostFiles } from '../host-files.ts';
import { hostNetIfThere } from './host-net.ts';
import { parseNetStat, type NetStat } from './net-stat.ts';
import { readNumber } from './text.ts';
import { openWidenings } from './widening.ts';

/** By the address family: the table's name, which is that of its file in /proc/net/stat, and its directory of settings. */
const TABLES = [
  ['ipv4', 'arp_cache', '/proc/sys/net/ipv4/neigh/default'],
  ['ipv6', 'ndisc_cache', '/proc/sys/net/ipv6/neigh/default'],
] as const;

const ENTRIES: Metric = {
  name: 'jdos_neighbour_entries',
  help: 'Neighbours in the table of all network namespaces together, to which the limits apply.',
  type: 'gauge',
  source: '/proc/1/net/stat/arp_cache, ndisc_cache: entries',
  unit: 'entries',
  labels: ['family'],
};
/**
 * Documentation/networking/ip-sysctl.rst: below the first none is forgotten, beyond the second those of five seconds and older
 * are, and beyond the third no other is taken up.
 */
const LIMITS = ['gc_thresh1', 'gc_thresh2', 'gc_thresh3'] as const;
const LIMIT: Metric = {
  name: 'jdos_neighbour_entries_limit',
  help: 'Limits of the table: nobody beyond gc_thresh3 can be reached.',
  type: 'gauge',
  source: 'net.ipv4.neigh.default, net.ipv6.neigh.default: gc_thresh1 to gc_thresh3',
  unit: 'entries',
  labels: ['family', 'threshold'],
};
const COUNTERS: readonly (readonly [column: string, metric: Metric])[] = (
  [
    ['table_fulls', 'table_fulls', 'times', 'Neighbours that found no room in the table.'],
    [
      'unresolved_discards',
      'unresolved_discards',
      'packets',
      'Packets dropped because too many waited for a neighbour.',
    ],
    ['forced_gc_runs', 'forced_gc', 'times', 'How often room was made in the table because it was full.'],
  ] as const
).map(([column, name, unit, help]) => [
  column,
  {
    name: `jdos_neighbour_${name}_total`,
    help,
    type: 'counter',
    source: `/proc/1/net/stat/arp_cache, ndisc_cache: ${column}, over wraps of its 32 bits`,
    unit,
    labels: ['family'],
  },
]);
const COLUMNS = COUNTERS.map(([column]) => column);

/** Undefined where there is no such table (IPv6 is turned off), or it is not shown: only the first network namespace has it. */
function readTable(host: HostFiles, table: string): NetStat | undefined {
  const text = hostNetIfThere(host, `stat/${table}`);
  return text === undefined ? undefined : parseNetStat(table, text, COLUMNS);
}

/** Undefined in another namespace, which has no limits of its own. */
function setting(host: HostFiles, path: string): number | undefined {
  try {
    return readNumber(host, path);
  } catch (error) {
    if (readFailure(error) === 'absent') return undefined;
    throw error;
  }
}

/**
 * The limits count what the kernel may forget, the entries also what it may not (permanent ones): so a table can have more
 * entries than its limit.
 */
export const neighbours: Collector = {
  name: 'neighbours',
  view: 'node',
  periodSeconds: 15,
  metrics: [ENTRIES, LIMIT, ...COUNTERS.map(([, metric]) => metric)],
  open({ host, saved }) {
    const widenings = openWidenings(saved);
    return {
      collect(out) {
        for (const [family, table, settings] of TABLES) {
          const read = readTable(host, table);
          if (read === undefined) continue;
          out.add(ENTRIES.name, read.entries, family);
          for (const threshold of LIMITS) {
            const limit = setting(host, `${settings}/${threshold}`);
            if (limit !== undefined) out.add(LIMIT.name, limit, family, threshold);
          }
          const totals = widenings.of(family).advance(read.rows);
          for (const [i, [, { name }]] of COUNTERS.entries()) {
            const total = totals[i];
            if (total !== undefined) out.add(name, total, family);
          }
        }
      },
      save: widenings.state,
    };
  },
};
