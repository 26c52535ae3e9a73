// Paging, faults and OOM kills of the host, from /proc/vmstat.
import { stateless, type Collector } from '../collector.ts';
import { eachLine, unexpected, unsigned } from './text.ts';

/** What node_exporter's default, `^(oom_kill|pgpg|pswp|pg.*fault).*`, selects among the fields the kernel has. */
const VMSTAT_FIELDS = [
  'oom_kill',
  'pgfault',
  'pgmajfault',
  'pgpgin',
  'pgpgout',
  'pgpgoutclean',
  'pswpin',
  'pswpout',
] as const;

const UNITS: Readonly<Record<(typeof VMSTAT_FIELDS)[number], string>> = {
  oom_kill: 'kills',
  pgfault: 'faults',
  pgmajfault: 'faults',
  pgpgin: 'KiB',
  pgpgout: 'KiB',
  pgpgoutclean: 'pages',
  pswpin: 'pages',
  pswpout: 'pages',
};

const SELECTED = new Map<string, string>(VMSTAT_FIELDS.map((field) => [field, `node_vmstat_${field}`]));

/** The selected fields of /proc/vmstat by metric name; what the kernel lacks is not in it. */
export function parseVmstat(text: string): Map<string, number> {
  const values = new Map<string, number>();
  eachLine(text, (line) => {
    const space = line.indexOf(' ');
    if (space === -1) throw unexpected('/proc/vmstat', line);
    const metric = SELECTED.get(line.slice(0, space));
    if (metric === undefined) return;
    const value = unsigned(line.slice(space + 1));
    if (value === undefined) throw unexpected('/proc/vmstat', line);
    values.set(metric, value);
  });
  if (values.size === 0) throw unexpected('/proc/vmstat', text);
  return values;
}

export const vmstat: Collector = {
  name: 'vmstat',
  view: 'node',
  periodSeconds: 15,
  metrics: VMSTAT_FIELDS.map((field) => ({
    name: `node_vmstat_${field}`,
    help: `/proc/vmstat information field ${field}.`,
    type: 'untyped',
    source: `/proc/vmstat ${field}`,
    unit: UNITS[field],
  })),
  open: stateless((host, out) => {
    for (const [metric, value] of parseVmstat(host.text('/proc/vmstat'))) out.add(metric, value);
  }),
};
