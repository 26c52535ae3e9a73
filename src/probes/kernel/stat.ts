// CPU time per mode, interrupts, context switches, forks, boot time and runnable processes, from /proc/stat.
import type { Collector } from '../collector.ts';
import { openRatchet } from './ratchet.ts';
import { allUnsigned, eachLine, unexpected, unsigned, words } from './text.ts';

/** The kernel shows ticks of 1/100 s (USER_HZ) on every architecture the daemon runs on. */
const TICKS_PER_SECOND = 100;
const LARGEST = 16 * 1024 * 1024; // the `intr` line of a large host alone can pass 100 kB

const MODES = ['user', 'nice', 'system', 'idle', 'iowait', 'irq', 'softirq', 'steal'] as const;
/** Already contained in `user` and `nice`; in columns of their own after `steal`. */
const GUEST_MODES = ['user', 'nice'] as const;

const SINGLE = [
  ['intr', 'node_intr_total', 'Total number of interrupts serviced.', 'counter', 'interrupts'],
  ['ctxt', 'node_context_switches_total', 'Total number of context switches.', 'counter', 'switches'],
  ['processes', 'node_forks_total', 'Total number of forks.', 'counter', 'forks'],
  ['btime', 'node_boot_time_seconds', 'Node boot time, in unixtime.', 'gauge', 'Unix seconds'],
  ['procs_running', 'node_procs_running', 'Number of processes in runnable state.', 'gauge', 'processes'],
  [
    'procs_blocked',
    'node_procs_blocked',
    'Number of processes blocked waiting for I/O to complete.',
    'gauge',
    'processes',
  ],
] as const;
const NAMES = new Map<string, string>(SINGLE.map(([key, name]) => [key, name]));

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
      source: '/proc/stat cpuN fields 1 to 8',
      labels: ['cpu', 'mode'],
    },
    {
      name: 'node_cpu_guest_seconds_total',
      help: 'Seconds the CPUs spent in guests (VMs) for each mode.',
      type: 'counter',
      source: '/proc/stat cpuN fields 9 and 10',
      labels: ['cpu', 'mode'],
    },
    ...SINGLE.map(([key, name, help, type, unit]) => ({ name, help, type, source: `/proc/stat ${key}`, unit })),
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
