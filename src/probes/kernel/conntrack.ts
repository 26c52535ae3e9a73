// Connections that netfilter tracks in the host's network, their limit, and what became of packets there.
import type { Collector, Metric } from '../collector.ts';
import { readFailure, type HostFiles } from '../host-files.ts';
import { eachLine, hexadecimal, unexpected, unsigned, words } from './text.ts';
import { openWidening } from './widening.ts';

const LARGEST = 1024 * 1024; // some 160 bytes for each CPU that the machine could have

interface ConntrackTable {
  /** Entries in the whole table of the namespace. */
  readonly entries: number;
  /** The statistics that were asked for, by CPU; 32 bits each. Undefined: this kernel has no such column. */
  readonly rows: readonly (readonly (number | undefined)[])[];
}

/**
 * Parses /proc/PID/net/stat/nf_conntrack (net/netfilter/nf_conntrack_standalone.c): a head that names the columns, which
 * differ between kernels, and a row of hexadecimal numbers for each CPU, each of them with the number of all entries.
 */
export function parseConntrack(text: string, statistics: readonly string[]): ConntrackTable {
  let columns: readonly number[] | undefined;
  let width = 0;
  let entries: number | undefined;
  const rows: (number | undefined)[][] = [];
  eachLine(text, (line) => {
    const cells = words(line);
    if (columns === undefined) {
      if (cells[0] !== 'entries') throw unexpected('nf_conntrack', line);
      columns = statistics.map((statistic) => cells.indexOf(statistic));
      width = cells.length;
      return;
    }
    if (cells.length !== width) throw unexpected('nf_conntrack', line);
    entries ??= hex(line, cells[0]);
    rows.push(columns.map((column) => (column === -1 ? undefined : hex(line, cells[column]))));
  });
  if (entries === undefined) throw unexpected('nf_conntrack', text);
  return { entries, rows };
}

function hex(line: string, cell: string | undefined): number {
  const value = hexadecimal(cell);
  if (value === undefined) throw unexpected('nf_conntrack', line);
  return value;
}

/**
 * The table of the network namespace of a process; undefined where the kernel tracks no connections or shows no statistics
 * of it (CONFIG_NF_CONNTRACK_PROCFS). Throws for a process that is gone, too.
 */
export function readConntrack(
  host: HostFiles,
  pid: number | 'self',
  statistics: readonly string[],
): ConntrackTable | undefined {
  try {
    return parseConntrack(host.text(`/proc/${pid}/net/stat/nf_conntrack`, LARGEST), statistics);
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
function readHost(host: HostFiles): ConntrackTable | undefined {
  let table: ConntrackTable | undefined;
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
