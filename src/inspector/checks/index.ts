// All checks; a new one is a file and a line here.
import type { Check } from '../check.ts';
import { clockSync } from './clock-sync.ts';
import { conntrack } from './conntrack.ts';
import { daemon } from './daemon.ts';
import { diskInodes } from './disk-inodes.ts';
import { diskSmart } from './disk-smart.ts';
import { diskSpace } from './disk-space.ts';
import { fdHost } from './fd-host.ts';
import { fdProcess } from './fd-process.ts';
import { kernelEvents } from './kernel-events.ts';
import { load } from './load.ts';
import { memoryAvailable } from './memory-available.ts';
import { mountReadonly } from './mount-readonly.ts';
import { oomKills } from './oom-kills.ts';
import { neighbours } from './neighbours.ts';
import { ovsAlive } from './ovs-alive.ts';
import { ovsBonds } from './ovs-bonds.ts';
import { ovsLost } from './ovs-lost.ts';
import { ovsPorts } from './ovs-ports.ts';
import { pressure } from './pressure.ts';
import { processStates } from './process-states.ts';
import { reboot } from './reboot.ts';

export const checks: readonly Check[] = [
  diskSpace,
  diskInodes,
  diskSmart,
  memoryAvailable,
  pressure,
  load,
  oomKills,
  fdHost,
  fdProcess,
  processStates,
  mountReadonly,
  conntrack,
  neighbours,
  ovsAlive,
  ovsPorts,
  ovsBonds,
  ovsLost,
  clockSync,
  reboot,
  kernelEvents,
  daemon,
];
