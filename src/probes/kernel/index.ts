// The collectors of the kernel's own counters.
import type { Collector } from '../collector.ts';
import { arp } from './arp.ts';
import { bonding } from './bonding.ts';
import { cgroups } from './cgroups.ts';
import { conntrack } from './conntrack.ts';
import { diskstats } from './diskstats.ts';
import { entropy } from './entropy.ts';
import { filefd } from './filefd.ts';
import { kernelHung } from './hung.ts';
import { interrupts } from './interrupts.ts';
import { loadavg } from './loadavg.ts';
import { meminfo } from './meminfo.ts';
import { neighbours } from './neighbours.ts';
import { netdev } from './netdev.ts';
import { netstat } from './netstat.ts';
import { pressure } from './pressure.ts';
import { processCounts } from './processes.ts';
import { schedstat } from './schedstat.ts';
import { sockstat } from './sockstat.ts';
import { softirqs } from './softirqs.ts';
import { softnet } from './softnet.ts';
import { stat } from './stat.ts';
import { time } from './time.ts';
import { timex } from './timex.ts';
import { udpQueues } from './udp-queues.ts';
import { uname } from './uname.ts';
import { vmstat } from './vmstat.ts';

export const kernelCollectors = [
  arp,
  bonding,
  cgroups,
  conntrack,
  diskstats,
  entropy,
  filefd,
  kernelHung,
  interrupts,
  loadavg,
  meminfo,
  neighbours,
  netdev,
  netstat,
  pressure,
  processCounts,
  schedstat,
  sockstat,
  softirqs,
  softnet,
  stat,
  time,
  timex,
  udpQueues,
  uname,
  vmstat,
] as const satisfies readonly Collector[];
