// The collectors of the host's file systems and of what it is made of.
import type { Collector } from '../collector.ts';
import { dmi } from './dmi.ts';
import { filesystem } from './filesystem.ts';
import { inventory } from './inventory.ts';
import { os } from './os-release.ts';

export const hostCollectors = [dmi, filesystem, inventory, os] as const satisfies readonly Collector[];
