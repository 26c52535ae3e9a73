// Load averages of the last 1, 5 and 15 minutes, from /proc/loadavg.
import { stateless, type Collector } from '../collector.ts';
import { decimal, unexpected, words } from './text.ts';

/** Parses the three averages of /proc/loadavg; what follows them is not read. */
export function parseLoadavg(text: string): readonly [number, number, number] {
  const fields = words(text.trimEnd());
  const one = decimal(fields[0]);
  const five = decimal(fields[1]);
  const fifteen = decimal(fields[2]);
  if (one === undefined || five === undefined || fifteen === undefined) throw unexpected('/proc/loadavg', text);
  return [one, five, fifteen];
}

export const loadavg: Collector = {
  name: 'loadavg',
  view: 'node',
  periodSeconds: 15,
  metrics: [
    { name: 'node_load1', help: '1m load average.', type: 'gauge', source: '/proc/loadavg field 1', unit: 'tasks' },
    { name: 'node_load5', help: '5m load average.', type: 'gauge', source: '/proc/loadavg field 2', unit: 'tasks' },
    { name: 'node_load15', help: '15m load average.', type: 'gauge', source: '/proc/loadavg field 3', unit: 'tasks' },
  ],
  open: stateless((host, out) => {
    const [one, five, fifteen] = parseLoadavg(host.text('/proc/loadavg'));
    out.add('node_load1', one);
    out.add('node_load5', five);
    out.add('node_load15', fifteen);
  }),
};
