// Sockets of the host by protocol, and the memory they hold, from /proc/1/net/sockstat and sockstat6.
import type { Collector, Metric } from '../collector.ts';
import { readUnits } from '../process/boot.ts';
import { hostNet, hostNetIfThere } from './host-net.ts';
import { eachLine, unexpected, unsigned, words } from './text.ts';

const STATES: Readonly<Record<string, readonly string[]>> = {
  TCP: ['inuse', 'orphan', 'tw', 'alloc', 'mem'],
  UDP: ['inuse', 'mem'],
  UDPLITE: ['inuse'],
  RAW: ['inuse'],
  FRAG: ['inuse', 'memory'],
  TCP6: ['inuse'],
  UDP6: ['inuse'],
  UDPLITE6: ['inuse'],
  RAW6: ['inuse'],
  FRAG6: ['inuse', 'memory'],
};
const UNITS: Readonly<Record<string, string>> = { mem: 'pages', memory: 'bytes' };
/** Of these the pages stand in bytes as well. */
const IN_PAGES = ['TCP', 'UDP'];
const USED = 'node_sockstat_sockets_used';
const nameOf = (protocol: string, state: string): string => `node_sockstat_${protocol}_${state}`;

const gauge = (protocol: string, state: string, unit: string | undefined): Metric => ({
  name: nameOf(protocol, state),
  help: `Number of ${protocol} sockets in state ${state}.`,
  type: 'gauge',
  source: `/proc/1/net/sockstat${protocol.endsWith('6') ? '6' : ''} ${protocol} ${state.replace('_bytes', '')}`,
  unit,
});

const METRICS: readonly Metric[] = [
  {
    name: USED,
    help: 'Number of IPv4 sockets in use.',
    type: 'gauge',
    source: '/proc/1/net/sockstat sockets used',
    unit: 'sockets',
  },
  ...Object.entries(STATES).flatMap(([protocol, states]) =>
    states.map((state) => gauge(protocol, state, UNITS[state] ?? 'sockets')),
  ),
  ...IN_PAGES.map((protocol) => gauge(protocol, 'mem_bytes', undefined)),
];
const KNOWN = new Set(METRICS.map(({ name }) => name));

/** The known values of /proc/net/sockstat or sockstat6, `PROTOCOL: state value …`, by metric. */
export function parseSockstat(text: string): Map<string, number> {
  const values = new Map<string, number>();
  eachLine(text, (line) => {
    const [protocol = '', ...pairs] = words(line);
    if (!protocol.endsWith(':') || pairs.length % 2 !== 0) throw unexpected('/proc/net/sockstat', line);
    for (let i = 0; i < pairs.length; i += 2) {
      const value = unsigned(pairs[i + 1]);
      if (value === undefined) throw unexpected('/proc/net/sockstat', line);
      const name = nameOf(protocol.slice(0, -1), pairs[i] ?? '');
      if (KNOWN.has(name)) values.set(name, value);
    }
  });
  return values;
}

export const sockstat: Collector = {
  name: 'sockstat',
  view: 'node',
  periodSeconds: 15,
  metrics: METRICS,
  open({ host }) {
    const { pageBytes } = readUnits(host);
    return {
      collect(out) {
        const values = new Map([
          ...parseSockstat(hostNet(host, 'sockstat')),
          ...parseSockstat(hostNetIfThere(host, 'sockstat6') ?? ''),
        ]);
        for (const [metric, value] of values) out.add(metric, value);
        for (const protocol of IN_PAGES) {
          const pages = values.get(nameOf(protocol, 'mem'));
          if (pages !== undefined) out.add(nameOf(protocol, 'mem_bytes'), pages * pageBytes);
        }
      },
    };
  },
};
