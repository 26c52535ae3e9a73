// How many CPUs a cgroup may use, from cpuset.cpus.effective of v2 and cpuset.effective_cpus of v1.
import { unsigned } from '../kernel/text.ts';
import type { Cgroup } from './group.ts';

const MOST_CPUS = 8192; // NR_CPUS_RANGE_END

/** The number of CPUs in a list such as `0-3,8` (cpuset(7)); undefined for anything that is none. */
export function countCpus(list: string): number | undefined {
  const text = list.trim();
  if (text === '') return 0;
  let count = 0;
  for (const range of text.split(',')) {
    const dash = range.indexOf('-');
    const first = unsigned(dash === -1 ? range : range.slice(0, dash));
    const last = dash === -1 ? first : unsigned(range.slice(dash + 1));
    if (first === undefined || last === undefined || last < first || last >= MOST_CPUS) return undefined;
    count += last - first + 1;
  }
  return count;
}

export function readCpus(group: Cgroup): number | undefined {
  const bytes = group.bytes(group.isV1('cpuset') ? 'cpuset.effective_cpus' : 'cpuset.cpus.effective');
  return bytes === undefined ? undefined : countCpus(bytes.toString('latin1'));
}
