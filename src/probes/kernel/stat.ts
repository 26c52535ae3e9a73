// CPU time per mode, interrupts, context switches, forks, boot time and runnable processes, from /proc/stat.
import type { Collector, Metric } from '../collector.ts';
import { openRatchet } from './ratchet.ts';
import { allUnsigned, eachLine, unexpected, unsigned, words } from './text.ts';

/** The kernel shows ticks of 1/100 s (USER_HZ) on every architecture the daemon runs on. */
const TICKS_PER_SECOND = 100;
const LARGEST = 16 * 1024 * 1024; // the `intr` line of a large host alone can pass 100 kB

const MODES = ['user', 'nice', 'system', 'idle', 'iowait', 'irq', 'softirq', 'steal'] as const;
/** Already contained in `user` and `nice`; in columns of their own after `steal`. */
const GUEST_MODES = ['user', 'nice'] as const;

const SINGLE: readonly (Metric & { readonly key: string })[] = [
  { key: 'intr', name: 'node_intr_total', help: 'Total number of interrupts serviced.', type: 'counter' },
  { key: 'ctxt', name: 'node_context_switches_total', help: 'Total number of context switches.', type: 'counter' },
  { key: 'processes', name: 'node_forks_total', help: 'Total number of forks.', type: 'counter' },
  { key: 'btime', name: 'node_boot_time_seconds', help: 'Node boot time, in unixtime.', type: 'gauge' },
  { key: 'procs_running', name: 'node_procs_running', help: 'Number of processes in runnable state.', type: 'gauge' },
  {
    key: 'procs_blocked',
    name: 'node_procs_blocked',
    help: 'Number of processes blocked waiting for I/O to complete.',
    type: 'gauge',
  },
];
const NAMES = new Map(SINGLE.map(({ key, name }) => [key, name]));

interface KernelStat {
  /** Ticks per CPU (`0`, `1`, …), in the kernel's order of columns: at least four. */
  readonly cpus: ReadonlyMap<string, readonly number[]>;
  /** The other numbers by metric name. */
  readonly single: ReadonlyMap<string, number>;
}

/** Parses /proc/stat (Documentation/filesystems/proc.rst); lines it does not know are left out. */
export function parseStat(text: string): KernelStat {
  const cpus = new Map<string, readonly number[]>();
  const single = new Map<string, number>();
  eachLine(text, (line) => {
    const space = line.indexOf(' ');
    const key = space === -1 ? line : line.slice(0, space);
    const metric = NAMES.get(key);
    if (metric !== undefined) {
      const end = line.indexOf(' ', space + 1);
      const value = unsigned(line.slice(space + 1, end === -1 ? line.length : end));
      if (space === -1 || value === undefined) throw unexpected('/proc/stat', line);
      single.set(metric, value);
    } else if (key.startsWith('cpu') && key !== 'cpu') {
      const ticks = allUnsigned('/proc/stat', line, words(line.slice(key.length)));
      if (unsigned(key.slice(3)) === undefined || ticks.length < 4) throw unexpected('/proc/stat', line);
      cpus.set(key.slice(3), ticks);
    }
  });
  if (cpus.size === 0) throw unexpected('/proc/stat', text);
  return { cpus, single };
}

export const stat: Collector = {
  name: 'stat',
  view: 'node',
  periodSeconds: 15,
  metrics: [
    {
      name: 'node_cpu_seconds_total',
      help: 'Seconds the CPUs spent in each mode.',
      type: 'counter',
      labels: ['cpu', 'mode'],
    },
    {
      name: 'node_cpu_guest_seconds_total',
      help: 'Seconds the CPUs spent in guests (VMs) for each mode.',
      type: 'counter',
      labels: ['cpu', 'mode'],
    },
    ...SINGLE.map(({ name, help, type }) => ({ name, help, type })),
  ],
  open({ host, saved }) {
    const ratchet = openRatchet(saved);
    return {
      collect(out) {
        const { cpus, single } = parseStat(host.text('/proc/stat', LARGEST));
        for (const [cpu, raw] of cpus) {
          ratchet.advance(cpu, raw).forEach((ticks, column) => {
            const mode = MODES[column];
            const guest = GUEST_MODES[column - MODES.length];
            if (mode !== undefined) out.add('node_cpu_seconds_total', ticks / TICKS_PER_SECOND, cpu, mode);
            if (guest !== undefined) out.add('node_cpu_guest_seconds_total', ticks / TICKS_PER_SECOND, cpu, guest);
          });
        }
        for (const [metric, value] of single) out.add(metric, value);
      },
      save: () => ratchet.state(),
    };
  },
};
