// The collector of Open vSwitch.
import type { Collector } from '../collector.ts';
import { ovs } from './collector.ts';

export const ovsCollectors = [ovs] as const satisfies readonly Collector[];
