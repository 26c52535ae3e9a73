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
import { smartCollectors } from './smart/index.ts';

export const collectors: readonly Collector[] = [
  ...kernelCollectors.map((collector) => ({ ...collector, steady: true })),
  ...hostCollectors,
  ...smartCollectors,
  ...containerCollectors,
  ...execCollectors, // after those of containers, which know the names
  ...kmsgCollectors, // as well
  ...processCollectors, // so are these
  ...ovsCollectors,
];

/** The collectors that the configuration leaves on; those that are off unless asked for come last, so that others have room before. */
export function enabledCollectors({ disable, enable }: ProbesConfig): readonly Collector[] {
  const on = collectors.filter(({ name, off }) => !disable.includes(name) && (off !== true || enable.includes(name)));
  return on.toSorted((a, b) => Number(a.off ?? false) - Number(b.off ?? false));
}

/** The names in `probes.disable` and `probes.enable` that no collector has. */
export const unknownCollectors = ({ disable, enable }: ProbesConfig): readonly string[] =>
  [...new Set([...disable, ...enable])].filter((name) => !collectors.some((collector) => collector.name === name));
