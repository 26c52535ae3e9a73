// CPU time per mode, interrupts, context switches, forks, boot time and runnable processes, from /proc/stat.
import { z } from '../../base/schema.ts';
import type { Collector } from '../collector.ts';
import { openRatchet } from './ratchet.ts';
import { allUnsigned, eachLine, unexpected, unsigned, words } from './text.ts';
import { openWidening } from './widening.ts';

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

/** As `softirq` lists them behind its sum, in node_exporter's names (include/linux/interrupt.h). */
const VECTORS = [
  'hi',
  'timer',
  'net_tx',
  'net_rx',
  'block',
  'block_iopoll',
  'tasklet',
  'sched',
  'hrtimer',
  'rcu',
] as const;

interface KernelStat {
  /** Ticks per CPU (`0`, `1`, …), in the kernel's order of columns: at least four. */
  readonly cpus: ReadonlyMap<string, readonly number[]>;
  /** The other numbers by metric name. */
  readonly single: ReadonlyMap<string, number>;
  /** Counts of 32 bits in the order of {@link VECTORS}; empty on a kernel that does not say. */
  readonly softirqs: readonly number[];
}

/** Parses /proc/stat (Documentation/filesystems/proc.rst); lines it does not know are left out. */
export function parseStat(text: string): KernelStat {
  const cpus = new Map<string, readonly number[]>();
  const single = new Map<string, number>();
  let softirqs: readonly number[] = [];
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
    } else if (key === 'softirq') {
      softirqs = allUnsigned('/proc/stat', line, words(line.slice(key.length)).slice(1, VECTORS.length + 1));
    }
  });
  if (cpus.size === 0) throw unexpected('/proc/stat', text);
  return { cpus, single, softirqs };
}

const Saved = z.object({ cpus: z.unknown().optional(), softirqs: z.unknown().optional() });

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
    {
      name: 'node_softirqs_total',
      help: 'Number of softirq calls.',
      type: 'counter',
      source: '/proc/stat softirq, over wraps of its 32 bits',
      unit: 'softirqs',
      labels: ['vector'],
    },
  ],
  open({ host, saved }) {
    const before = Saved.safeParse(saved).data;
    const ratchet = openRatchet(before?.cpus);
    const widening = openWidening(before?.softirqs);
    return {
      collect(out) {
        const { cpus, single, softirqs } = parseStat(host.text('/proc/stat', LARGEST));
        for (const [cpu, raw] of cpus) {
          ratchet.advance(cpu, raw).forEach((ticks, column) => {
            const mode = MODES[column];
            const guest = GUEST_MODES[column - MODES.length];
            if (mode !== undefined) out.add('node_cpu_seconds_total', ticks / TICKS_PER_SECOND, cpu, mode);
            if (guest !== undefined) out.add('node_cpu_guest_seconds_total', ticks / TICKS_PER_SECOND, cpu, guest);
          });
        }
        for (const [metric, value] of single) out.add(metric, value);
        const totals = widening.advance([softirqs]);
        for (const [i, vector] of VECTORS.entries()) {
          const total = totals[i];
          if (total !== undefined) out.add('node_softirqs_total', total, vector);
        }
      },
      save: () => ({ cpus: ratchet.state(), softirqs: widening.state() }),
    };
  },
};
