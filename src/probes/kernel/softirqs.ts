// Software interrupts by CPU and kind, from /proc/softirqs.
import type { Collector } from '../collector.ts';
import { openCpuCounts, parseCpus } from './per-cpu.ts';
import { allUnsigned, eachLine, unexpected, words } from './text.ts';

const FILE = '/proc/softirqs';
const LARGEST = 16 * 1024 * 1024; // a column for each CPU that the machine could have

interface Softirqs {
  readonly cpus: readonly number[];
  /** Counts in the order of the CPUs, by kind: `NET_RX`. */
  readonly kinds: ReadonlyMap<string, readonly number[]>;
}

/** Parses /proc/softirqs (Documentation/filesystems/proc.rst). */
export function parseSoftirqs(text: string): Softirqs {
  let cpus: readonly number[] | undefined;
  const kinds = new Map<string, readonly number[]>();
  eachLine(text, (line) => {
    if (cpus === undefined) return void (cpus = parseCpus(FILE, line));
    const [name = '', ...cells] = words(line);
    if (!name.endsWith(':') || cells.length !== cpus.length) throw unexpected(FILE, line);
    kinds.set(name.slice(0, -1), allUnsigned(FILE, line, cells));
  });
  if (cpus === undefined || kinds.size === 0) throw unexpected(FILE, text);
  return { cpus, kinds };
}

export const softirqs: Collector = {
  name: 'softirqs',
  view: 'node',
  periodSeconds: 15,
  off: true,
  metrics: [
    {
      name: 'node_softirqs_functions_total',
      help: 'Softirq counts per CPU.',
      type: 'counter',
      source: `${FILE}, over wraps of its 32 bits`,
      unit: 'softirqs',
      labels: ['cpu', 'type'],
    },
  ],
  open({ host, saved }) {
    const counts = openCpuCounts(saved);
    return {
      collect(out) {
        const { cpus, kinds } = parseSoftirqs(host.text(FILE, LARGEST));
        for (const [kind, row] of kinds) {
          for (const [at, total] of counts.advance(kind, cpus, row).entries()) {
            if (total !== undefined) out.add('node_softirqs_functions_total', total, String(cpus[at]), kind);
          }
        }
        counts.forget();
      },
      save: () => counts.state(),
    };
  },
};
