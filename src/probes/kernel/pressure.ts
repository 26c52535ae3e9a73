// Pressure stall information: how long tasks waited for CPU, memory, I/O and interrupts.
import { systemCode } from '../../base/fault.ts';
import { stateless, type Collector } from '../collector.ts';
import { readFailure, type HostFiles } from '../host-files.ts';
import { eachLine, unexpected, unsigned } from './text.ts';

/** Microseconds since boot during which some tasks, or all of them, waited. */
interface Stalls {
  readonly some?: number;
  readonly full?: number;
}

/** Parses a file of /proc/pressure (Documentation/accounting/psi.rst); lines of a new kind are left out. */
export function parsePressure(text: string): Stalls {
  const stalls: { some?: number; full?: number } = {};
  eachLine(text, (line) => {
    const kind = line.slice(0, 5);
    if (kind !== 'some ' && kind !== 'full ') return;
    const at = line.lastIndexOf(' total=');
    const total = at === -1 ? undefined : unsigned(line.slice(at + ' total='.length));
    if (total === undefined) throw unexpected('/proc/pressure', line);
    stalls[kind === 'some ' ? 'some' : 'full'] = total;
  });
  if (stalls.some === undefined && stalls.full === undefined) throw unexpected('/proc/pressure', text);
  return stalls;
}

/** The same lines as node_exporter's: `cpu` has no `full` at the level of the host, `irq` has nothing else. */
const SERIES = [
  ['cpu', 'some', 'cpu_waiting', 'Total time in seconds that processes have waited for CPU time'],
  ['io', 'some', 'io_waiting', 'Total time in seconds that processes have waited due to IO congestion'],
  ['io', 'full', 'io_stalled', 'Total time in seconds no process could make progress due to IO congestion'],
  ['memory', 'some', 'memory_waiting', 'Total time in seconds that processes have waited for memory'],
  ['memory', 'full', 'memory_stalled', 'Total time in seconds no process could make progress due to memory congestion'],
  ['irq', 'full', 'irq_stalled', 'Total time in seconds no process could make progress due to IRQ congestion'],
] as const;

const metricName = (name: string): string => `node_pressure_${name}_seconds_total`;

/** Undefined where the kernel was built or booted without it (`psi=0` makes reading fail with EOPNOTSUPP). */
function read(host: HostFiles, resource: string): Stalls | undefined {
  let text: string;
  try {
    text = host.text(`/proc/pressure/${resource}`);
  } catch (error) {
    const code = systemCode(error);
    if (readFailure(error) === 'absent' || code === 'ENOTSUP' || code === 'EOPNOTSUPP') return undefined;
    throw error;
  }
  return parsePressure(text);
}

export const pressure: Collector = {
  name: 'pressure',
  view: 'node',
  periodSeconds: 15,
  metrics: SERIES.map(([resource, kind, name, help]) => ({
    name: metricName(name),
    help,
    type: 'counter',
    source: `/proc/pressure/${resource} ${kind} total`,
  })),
  open: stateless((host, out) => {
    const stalls = new Map<string, Stalls | undefined>();
    for (const [resource, kind, name] of SERIES) {
      if (!stalls.has(resource)) stalls.set(resource, read(host, resource));
      const total = stalls.get(resource)?.[kind];
      if (total !== undefined) out.add(metricName(name), total / 1e6);
    }
  }),
};
