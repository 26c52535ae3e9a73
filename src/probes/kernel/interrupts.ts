// Interrupts by CPU and line, from /proc/interrupts.
import type { Collector } from '../collector.ts';
import { openCpuCounts, parseCpus } from './per-cpu.ts';
import { allUnsigned, eachLine, unexpected, unsigned, words } from './text.ts';

const FILE = '/proc/interrupts';
const LARGEST = 64 * 1024 * 1024; // some hundred CPUs with a thousand lines each are some megabytes

interface Line {
  /** A number, or a name such as `NMI`. */
  readonly type: string;
  /** The controller of a number; what a name means. */
  readonly info: string;
  /** The rest of a number's line: how it is triggered, and the names of the drivers. */
  readonly devices: string;
  readonly counts: readonly number[];
}

interface Interrupts {
  readonly cpus: readonly number[];
  readonly lines: readonly Line[];
}

/**
 * Parses /proc/interrupts (Documentation/filesystems/proc.rst). Lines with a single number for all CPUs (`ERR`, `MIS`) are left
 * out, as node_exporter does it.
 */
export function parseInterrupts(text: string): Interrupts {
  let cpus: readonly number[] | undefined;
  const lines: Line[] = [];
  eachLine(text, (line) => {
    if (cpus === undefined) return void (cpus = parseCpus(FILE, line));
    const colon = line.indexOf(':');
    const type = line.slice(0, Math.max(colon, 0)).trim();
    if (type === '' || /\s/.test(type)) throw unexpected(FILE, line);
    const cells = words(line.slice(colon + 1));
    if (cells.length <= cpus.length) return;
    const counts = allUnsigned(FILE, line, cells.slice(0, cpus.length));
    const rest = cells.slice(cpus.length);
    const numbered = unsigned(type) !== undefined;
    const [info = '', ...devices] = numbered ? rest : [rest.join(' ')];
    lines.push({ type, info, devices: devices.join(' '), counts });
  });
  if (cpus === undefined) throw unexpected(FILE, text);
  return { cpus, lines };
}

/**
 * A series for each CPU and line, of which large machines have a hundred thousand: it is read last, and what is beyond
 * `probes.maxSeries` is left out.
 */
export const interrupts: Collector = {
  name: 'interrupts',
  view: 'node',
  periodSeconds: 15,
  off: true,
  metrics: [
    {
      name: 'node_interrupts_total',
      help: 'Interrupt details.',
      type: 'counter',
      source: `${FILE}, over wraps of its 32 bits`,
      unit: 'interrupts',
      labels: ['cpu', 'type', 'info', 'devices'],
    },
  ],
  open({ host, saved }) {
    const counts = openCpuCounts(saved);
    return {
      collect(out) {
        const { cpus, lines } = parseInterrupts(host.text(FILE, LARGEST));
        for (const { type, info, devices, counts: row } of lines) {
          for (const [at, total] of counts.advance(type, cpus, row).entries()) {
            if (total !== undefined) out.add('node_interrupts_total', total, String(cpus[at]), type, info, devices);
          }
        }
        counts.forget();
      },
      save: () => counts.state(),
    };
  },
};
