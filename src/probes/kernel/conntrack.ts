// Connections that netfilter tracks in the host's network, their limit, and what became of packets there.
import type { Collector, Metric } from '../collector.ts';
import { readFailure, type HostFiles } from '../host-files.ts';
import { parseNetStat, type NetStat } from './net-stat.ts';
import { unsigned } from './text.ts';
import { openWidening } from './widening.ts';

const LARGEST = 1024 * 1024; // some 160 bytes for each CPU that the machine could have

/**
 * The table of the network namespace of a process; undefined where the kernel tracks no connections or shows no statistics
 * of it (CONFIG_NF_CONNTRACK_PROCFS). Throws for a process that is gone, too.
 */
export function readConntrack(
  host: HostFiles,
  pid: number | 'self',
  statistics: readonly string[],
): NetStat | undefined {
  try {
    return parseNetStat('nf_conntrack', host.text(`/proc/${pid}/net/stat/nf_conntrack`, LARGEST), statistics);
  } catch (error) {
    if (readFailure(error) === 'absent') return undefined;
    throw error;
  }
}

/** As node_exporter names them, which says gauge of what only grows. */
const STATISTICS: readonly (readonly [name: string, unit: string, help: string])[] = [
  ['found', 'lookups', 'Number of searched entries which were successful.'],
  ['invalid', 'packets', 'Number of packets seen which can not be tracked.'],
  ['ignore', 'packets', 'Number of packets seen which are already connected to a conntrack entry.'],
  ['insert', 'entries', 'Number of entries inserted into the list.'],
  ['insert_failed', 'entries', 'Number of entries for which list insertion was attempted but failed.'],
  ['drop', 'packets', 'Number of packets dropped due to conntrack failure.'],
  [
    'early_drop',
    'entries',
    'Number of dropped conntrack entries to make room for new ones, if maximum table size was reached.',
  ],
  [
    'search_restart',
    'lookups',
    'Number of conntrack table lookups which had to be restarted due to hashtable resizes.',
  ],
];
const NAMES = STATISTICS.map(([name]) => name);

const ENTRIES: Metric = {
  name: 'node_nf_conntrack_entries',
  help: 'Number of currently allocated flow entries for connection tracking.',
  type: 'gauge',
  source: '/proc/1/net/stat/nf_conntrack entries',
  unit: 'entries',
};
const LIMIT: Metric = {
  name: 'node_nf_conntrack_entries_limit',
  help: 'Maximum size of connection tracking table; every network namespace may have as many.',
  type: 'gauge',
  source: '/proc/sys/net/netfilter/nf_conntrack_max',
  unit: 'entries',
};
const statisticName = (name: string): string => `node_nf_conntrack_stat_${name}`;

/** The first process is in the host's network, as for /proc/1/net/dev; else this one is, or sees no host at all. */
function readHost(host: HostFiles): NetStat | undefined {
  let table: NetStat | undefined;
  try {
    table = readConntrack(host, 1, NAMES);
  } catch (error) {
    if (readFailure(error) === 'failed') throw error;
  }
  return table ?? readConntrack(host, 'self', NAMES);
}

/** One number of /proc/sys; undefined where there is none. */
function setting(host: HostFiles, name: string): number | undefined {
  try {
    return unsigned(host.text(`/proc/sys/net/netfilter/${name}`).trim());
  } catch (error) {
    if (readFailure(error) === 'absent') return undefined;
    throw error;
  }
}

/** Where the kernel tracks no connections there are no series, and that is no failure. */
export const conntrack: Collector = {
  name: 'conntrack',
  view: 'node',
  periodSeconds: 15,
  metrics: [
    ENTRIES,
    LIMIT,
    ...STATISTICS.map(([name, unit, help]): Metric => ({
      name: statisticName(name),
      help,
      type: 'gauge',
      source: `/proc/1/net/stat/nf_conntrack ${name}, summed over CPUs`,
      unit,
    })),
  ],
  open({ host, saved }) {
    const widening = openWidening(saved);
    return {
      collect(out) {
        const table = readHost(host);
        // Without the statistics there is still the number, that of this process' own network.
        const entries = table?.entries ?? setting(host, 'nf_conntrack_count');
        const limit = setting(host, 'nf_conntrack_max');
        if (entries !== undefined) out.add(ENTRIES.name, entries);
        if (limit !== undefined) out.add(LIMIT.name, limit);
        for (const [column, value] of widening.advance(table?.rows ?? []).entries()) {
          if (value !== undefined) out.add(statisticName(NAMES[column] ?? ''), value);
        }
      },
      save: () => widening.state(),
    };
  },
};
