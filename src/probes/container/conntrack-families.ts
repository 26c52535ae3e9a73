// The families of the connections that netfilter tracks in the network of a container.
import { counter, counting, gauge, type Scalar } from './family.ts';
import { REFUSALS } from './network.ts';

const TABLE = '/proc/PID/net/stat/nf_conntrack';
const REFUSED: Readonly<Record<(typeof REFUSALS)[number], { readonly unit: string; readonly help: string }>> = {
  drop: {
    unit: 'packets',
    help: 'Packets dropped in the network of the container because their connection could not be tracked.',
  },
  insert_failed: {
    unit: 'connections',
    help: 'Connections that could not be entered in the table of the network of the container.',
  },
  early_drop: {
    unit: 'connections',
    help: 'Connections dropped from the table of the network of the container to make room, because it was full.',
  },
};

export const CONNTRACK: readonly Scalar[] = [
  gauge(
    'jdos_container_conntrack_entries',
    counting('connections', `${TABLE} entries`),
    'Connections that netfilter tracks in the network of the container; node_nf_conntrack_entries_limit is its limit too.',
    (t) => t.reading.conntrack?.entries,
  ),
  ...REFUSALS.map((name, index) =>
    counter(
      `jdos_container_conntrack_${name}_total`,
      counting(REFUSED[name].unit, `${TABLE} ${name}, summed over CPUs`),
      REFUSED[name].help,
      (t) => t.reading.conntrack?.refused[index],
    ),
  ),
];
