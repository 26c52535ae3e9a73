// memory/show: how many of what ovs-vswitchd holds.
import type { Metric } from '../collector.ts';
import { gauge, whole, type Reading } from './readings.ts';

const SOURCE = 'ovs-vswitchd: memory/show';

/** Under openstack-network-exporter's names; they are gauges for all their `_total`. */
const own: ReadonlyMap<string, Metric> = new Map(
  (
    [
      ['handlers', 'Threads that handle upcalls.'],
      ['keys', 'Flows of the datapath that the revalidators know (udpif keys).'],
      ['ports', 'Ports over all bridges.'],
      ['revalidators', 'Threads that revalidate flows of the datapath.'],
      ['rules', 'OpenFlow rules over all bridges, hidden ones among them.'],
    ] as const
  ).map(([name, help]) => [name, gauge(`ovs_memory_${name}_total`, SOURCE, help)]),
);
const OTHER = gauge('ovs_memory_usage', SOURCE, 'What else ovs-vswitchd counts of what it holds, by facility.', {
  unit: 'as counted',
  labels: ['component', 'facility'],
});

export const MEMORY_METRICS: readonly Metric[] = [...own.values(), OTHER];

/** `handlers:1 idl-cells-Open_vSwitch:376 udpif keys:9`: names may hold spaces. */
const ENTRY = /([A-Za-z][\w -]{0,63}):(\d+)(?:\s|$)/g;

export const readMemory = (text: string): readonly Reading[] =>
  [...text.matchAll(ENTRY)].flatMap(([, name = '', digits]): Reading[] => {
    const value = whole(digits);
    const metric = own.get(name.replace(/^udpif /, ''));
    if (value === undefined) return [];
    return [
      metric === undefined ? { metric: OTHER, value, labels: ['ovs-vswitchd', name] } : { metric, value, labels: [] },
    ];
  });
