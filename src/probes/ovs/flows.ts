// How many OpenFlow rules each bridge has, asked over OpenFlow by table: which costs the same whatever their number.
import type { Metric } from '../collector.ts';
import { gauge } from './readings.ts';

export const FLOW_COUNT: Metric = gauge(
  'ovs_bridge_flow_count',
  'OpenFlow: OFPMP_TABLE, active_count of every table',
  'OpenFlow rules of the bridge, those that ovs-vswitchd adds by itself among them.',
  { labels: ['bridge', 'datapath_type'], unit: 'flows' },
);

/** Whom to ask, and what the answer is called. */
export interface FlowsOf {
  readonly bridge: string;
  readonly datapathType: string;
}

const MOST_BRIDGES = 32;
const AT_ONCE = 2;
const LEAST_EVERY = 8;

/** The name of a file in the directory of the sockets, and nowhere else. */
const isFileName = (name: string): boolean => /^[^./\0][^/\0]{0,63}$/.test(name);

/** The bridges of a collection, the first being 0: two at most at a time, each in every eighth or later. */
export function bridgesDue(
  cycle: number,
  bridges: readonly FlowsOf[],
): { readonly due: readonly FlowsOf[]; readonly every: number } {
  const all = bridges.filter(({ bridge }) => isFileName(bridge)).slice(0, MOST_BRIDGES);
  const every = Math.max(LEAST_EVERY, Math.ceil(all.length / AT_ONCE));
  return { due: all.filter((_, index) => index % every === cycle % every), every };
}
