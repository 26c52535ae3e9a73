// The collectors of the kernel's own counters.
import type { Collector } from '../collector.ts';
import { conntrack } from './conntrack.ts';
import { diskstats } from './diskstats.ts';
import { filefd } from './filefd.ts';
import { loadavg } from './loadavg.ts';
import { meminfo } from './meminfo.ts';
import { netdev } from './netdev.ts';
import { pressure } from './pressure.ts';
import { stat } from './stat.ts';
import { time } from './time.ts';
import { timex } from './timex.ts';
import { uname } from './uname.ts';
import { vmstat } from './vmstat.ts';

export const kernelCollectors = [
  conntrack,
  diskstats,
  filefd,
  loadavg,
  meminfo,
  netdev,
  pressure,
  stat,
  time,
  timex,
  uname,
  vmstat,
] as const satisfies readonly Collector[];
