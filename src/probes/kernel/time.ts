// The host's clock at the time of the collection, and what the kernel takes it from.
import { stateless, type Collector, type Metric } from '../collector.ts';
import { readFailure, type HostFiles } from '../host-files.ts';
import { words } from './text.ts';

const CLOCKSOURCES = '/sys/devices/system/clocksource';
const DEVICE = 'clocksource';

const info = (name: string, help: string): Metric => ({
  name: `node_time_clocksource_${name}_info`,
  help,
  type: 'gauge',
  source: `${CLOCKSOURCES}/clocksourceN/${name}_clocksource`,
  labels: ['device', 'clocksource'],
});
const AVAILABLE = info('available', `Available clocksources read from '${CLOCKSOURCES}'.`);
const CURRENT = info('current', `Current clocksource read from '${CLOCKSOURCES}'.`);

/** What is not there, on kernels without such sources, is an empty list. */
function ifThere<T>(read: () => readonly T[]): readonly T[] {
  try {
    return read();
  } catch (error) {
    if (readFailure(error) === 'absent') return [];
    throw error;
  }
}

const devices = (host: HostFiles): readonly string[] =>
  ifThere(() => host.list(CLOCKSOURCES)).filter((name) => name.startsWith(DEVICE));

export const time: Collector = {
  name: 'time',
  view: 'node',
  periodSeconds: 15,
  metrics: [
    {
      name: 'node_time_seconds',
      help: 'System time in seconds since epoch (1970).',
      type: 'gauge',
      source: 'clock_gettime(2) CLOCK_REALTIME',
    },
    AVAILABLE,
    CURRENT,
  ],
  open: stateless((host, out) => {
    out.add('node_time_seconds', Date.now() / 1000);
    for (const name of devices(host)) {
      const device = name.slice(DEVICE.length);
      for (const { name: metric } of [AVAILABLE, CURRENT]) {
        const file = metric === AVAILABLE.name ? 'available_clocksource' : 'current_clocksource';
        const sources = ifThere(() => words(host.text(`${CLOCKSOURCES}/${name}/${file}`).trim()));
        for (const source of sources) out.add(metric, 1, device, source);
      }
    }
  }),
};
