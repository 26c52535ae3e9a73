// What each CPU does with received packets before a protocol sees them, from /proc/net/softnet_stat.
import type { Collector, Metric } from '../collector.ts';
import { eachLine, hexadecimal, unexpected, words } from './text.ts';
import { openWidenings } from './widening.ts';

const FILE = '/proc/net/softnet_stat';

/** By column (net/core/net-procfs.c); those between are 0 since Linux 2.6.37. */
const COUNTERS: readonly (readonly [column: number, name: string, unit: string, help: string])[] = [
  [0, 'processed', 'packets', 'Number of processed packets'],
  [1, 'dropped', 'packets', 'Number of dropped packets'],
  [2, 'times_squeezed', 'times', 'Number of times processing packets ran out of quota'],
  [8, 'cpu_collision', 'times', 'Number of collision occur while obtaining device lock while transmitting'],
  [9, 'received_rps', 'times', 'Number of times cpu woken up received_rps'],
  [10, 'flow_limit_count', 'packets', 'Number of times flow limit has been reached'],
];
const GAUGES: readonly (readonly [column: number, name: string, help: string])[] = [
  [11, 'node_softnet_backlog_len', 'Softnet backlog status'],
  [13, 'jdos_softnet_input_queue_length', 'Packets that wait to be taken from the queue of the CPU.'],
  [
    14,
    'jdos_softnet_process_queue_length',
    'Packets that were taken from the queue of the CPU and are being worked off.',
  ],
];
const CPU_COLUMN = 12;
const LEAST_COLUMNS = 3;

const METRICS: readonly Metric[] = [
  ...COUNTERS.map(([column, name, unit, help]): Metric => ({
    name: `node_softnet_${name}_total`,
    help,
    type: 'counter',
    source: `${FILE} column ${column + 1}, over wraps of its 32 bits`,
    unit,
    labels: ['cpu'],
  })),
  ...GAUGES.map(([column, name, help]): Metric => ({
    name,
    help,
    type: 'gauge',
    source: `${FILE} column ${column + 1}`,
    unit: 'packets',
    labels: ['cpu'],
  })),
];

/** The columns of each CPU; older kernels have fewer, and do not say which CPU a line is of: the lines are in order. */
export function parseSoftnet(text: string): ReadonlyMap<string, readonly number[]> {
  const rows = new Map<string, readonly number[]>();
  eachLine(text, (line) => {
    const row = words(line).map((word) => {
      const value = hexadecimal(word);
      if (value === undefined) throw unexpected(FILE, line);
      return value;
    });
    if (row.length < LEAST_COLUMNS) throw unexpected(FILE, line);
    rows.set(String(row[CPU_COLUMN] ?? rows.size), row);
  });
  if (rows.size === 0) throw unexpected(FILE, text);
  return rows;
}

/** The file is of the whole host, whatever network namespace it is read in. */
export const softnet: Collector = {
  name: 'softnet',
  view: 'node',
  periodSeconds: 15,
  metrics: METRICS,
  open({ host, saved }) {
    const widenings = openWidenings(saved);
    return {
      collect(out) {
        for (const [cpu, row] of parseSoftnet(host.text(FILE))) {
          const totals = widenings.of(cpu).advance([COUNTERS.map(([column]) => row[column])]);
          for (const [i, [, name]] of COUNTERS.entries()) {
            const total = totals[i];
            if (total !== undefined) out.add(`node_softnet_${name}_total`, total, cpu);
          }
          for (const [column, name] of GAUGES) {
            const value = row[column];
            if (value !== undefined) out.add(name, value, cpu);
          }
        }
      },
      save: widenings.state,
    };
  },
};
