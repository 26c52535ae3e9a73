// Randomness that the kernel has, from /proc/sys/kernel/random.
import { stateless, type Collector } from '../collector.ts';
import type { HostFiles } from '../host-files.ts';
import { unexpected, unsigned } from './text.ts';

const DIRECTORY = '/proc/sys/kernel/random';

function bits(host: HostFiles, name: string): number {
  const text = host.text(`${DIRECTORY}/${name}`);
  const value = unsigned(text.trim());
  if (value === undefined) throw unexpected(`${DIRECTORY}/${name}`, text);
  return value;
}

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
    out.add('node_entropy_available_bits', bits(host, 'entropy_avail'));
    out.add('node_entropy_pool_size_bits', bits(host, 'poolsize'));
  }),
};
