// The host's clock at the time of the collection.
import { stateless, type Collector } from '../collector.ts';

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
  ],
  open: stateless((_host, out) => {
    out.add('node_time_seconds', Date.now() / 1000);
  }),
};
