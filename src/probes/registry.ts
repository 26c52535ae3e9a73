// Every collector of the probe process, and which of them the configuration leaves on.
import type { Collector } from './collector.ts';
import type { ProbesConfig } from './config.ts';
import { containerCollectors } from './container/index.ts';
import { execCollectors } from './exec/index.ts';
import { hostCollectors } from './host/index.ts';
import { kernelCollectors } from './kernel/index.ts';
import { kmsgCollectors } from './kmsg/index.ts';
import { ovsCollectors } from './ovs/index.ts';
import { processCollectors } from './process/index.ts';

export const collectors: readonly Collector[] = [
  ...kernelCollectors.map((collector) => ({ ...collector, steady: true })),
  ...hostCollectors,
  ...containerCollectors,
  ...execCollectors, // after those of containers, which know the names
  ...kmsgCollectors, // as well
  ...processCollectors, // so are these
  ...ovsCollectors,
];

/** The collectors that the configuration leaves on. */
export const enabledCollectors = (config: ProbesConfig): readonly Collector[] =>
  collectors.filter(({ name }) => !config.disable.includes(name));

/** The names in `probes.disable` that no collector has. */
export const unknownDisabled = (config: ProbesConfig): readonly string[] =>
  config.disable.filter((name) => !collectors.some((collector) => collector.name === name));
