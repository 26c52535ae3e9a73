// The collectors of the host's file systems, of what it is made of, and of what other programs write about it.
import type { Collector } from '../collector.ts';
import { disks } from './disks.ts';
import { dmi } from './dmi.ts';
import { filesystem } from './filesystem.ts';
import { hwmon } from './hwmon.ts';
import { inventory } from './inventory.ts';
import { netclass } from './netclass.ts';
import { os } from './os-release.ts';
import { textfile } from './textfile.ts';

export const hostCollectors = [
  disks,
  dmi,
  filesystem,
  hwmon,
  inventory,
  netclass,
  os,
  textfile,
] as const satisfies readonly Collector[];
