// What a process of the daemon costs: CPU time and resident memory, from /proc (proc_pid_stat(5)).
import { readFile } from 'node:fs/promises';

interface ProcessCost {
  readonly cpuSeconds: number;
  readonly residentBytes: number;
}

const USER_HZ = 100;
const PAGE_BYTES = 4096;

/** From the text of /proc/PID/stat; undefined when it is not one. */
export function parseCost(stat: string): ProcessCost | undefined {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [utime, stime, pages] = [fields[11], fields[12], fields[21]].map(Number);
  if (utime === undefined || stime === undefined || pages === undefined || !Number.isFinite(utime + stime + pages))
    return undefined;
  return { cpuSeconds: (utime + stime) / USER_HZ, residentBytes: pages * PAGE_BYTES };
}

/** The cost of a live process, or undefined when it is gone. */
export const costOf = (pid: number): Promise<ProcessCost | undefined> =>
  readFile(`/proc/${pid}/stat`, 'utf8').then(parseCost, () => undefined);
