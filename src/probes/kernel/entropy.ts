// Randomness that the kernel has, from /proc/sys/kernel/random.
import { stateless, type Collector } from '../collector.ts';
import { readNumber } from './text.ts';

const DIRECTORY = '/proc/sys/kernel/random';

export const entropy: Collector = {
  name: 'entropy',
  view: 'node',
  periodSeconds: 15,
  metrics: [
    {
      name: 'node_entropy_available_bits',
      help: 'Bits of available entropy.',
      type: 'gauge',
      source: `${DIRECTORY}/entropy_avail`,
    },
    {
      name: 'node_entropy_pool_size_bits',
      help: 'Bits of entropy pool.',
      type: 'gauge',
      source: `${DIRECTORY}/poolsize`,
    },
  ],
  open: stateless((host, out) => {
    out.add('node_entropy_available_bits', readNumber(host, `${DIRECTORY}/entropy_avail`));
    out.add('node_entropy_pool_size_bits', readNumber(host, `${DIRECTORY}/poolsize`));
  }),
};
