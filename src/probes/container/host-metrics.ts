// What the collector of containers says of the host and of itself.
import type { CgroupLayout } from '../cgroup/layout.ts';
import type { Metric, SampleWriter } from '../collector.ts';
import type { HostFiles } from '../host-files.ts';
import { parseMeminfo } from '../kernel/meminfo.ts';
import { parseStat } from '../kernel/stat.ts';
import type { Discovery } from './discovery.ts';
import { isComplete } from './identity.ts';

const gauge = (name: string, source: string, help: string, more: Partial<Metric> = {}): Metric => ({
  name,
  help,
  type: 'gauge',
  source,
  ...more,
});

const WALK = 'a walk of the tree of cgroups';

export const HOST_METRICS: readonly Metric[] = [
  gauge(
    'container_scrape_error',
    'the files of the cgroups',
    '1 if a file of a container is there and could not be read, else 0.',
    { unit: '0 or 1' },
  ),
  gauge('machine_cpu_cores', '/proc/stat, lines cpuN', 'Number of logical CPU cores.'),
  gauge('machine_memory_bytes', '/proc/meminfo MemTotal', 'Amount of memory installed on the machine.'),
  gauge('machine_swap_bytes', '/proc/meminfo SwapTotal', 'Amount of swap memory available on the machine.'),
  gauge('jdos_containers', WALK, 'Live containers by runtime.', { labels: ['runtime'] }),
  gauge(
    'jdos_containers_unnamed',
    'Docker Engine, files of the runtimes',
    'Live containers and pods of which a name or the image is not known.',
    { unit: 'containers' },
  ),
  gauge('jdos_containers_ended', WALK, 'Ended containers of which the counters are still shown.', {
    unit: 'containers',
  }),
  gauge('jdos_containers_dropped', WALK, 'Containers and pods beyond the limit of containers, which are not shown.', {
    unit: 'containers',
  }),
  gauge('jdos_slices_dropped', WALK, 'Slices beyond the fifty that are shown as sums.', { unit: 'slices' }),
  gauge(
    'jdos_cgroup_walk_complete',
    WALK,
    'Whether the last walk saw every group: 0 when there are too many, or some may not be looked into.',
    { unit: '0 or 1' },
  ),
  gauge('jdos_cgroups', WALK, 'Groups in the tree of cgroups.'),
  gauge('jdos_cgroup_walk_seconds', 'the probe process', 'Time that the last walk of the tree of cgroups took.'),
  gauge(
    'jdos_cgroup_info',
    '/proc/1/mountinfo',
    'Which versions of cgroups the host has, constant 1: v1, v2 or hybrid.',
    { labels: ['mode'] },
  ),
];

const LARGEST = 16 * 1024 * 1024;

/** Families of cAdvisor about the machine. */
export function writeMachine(out: SampleWriter, host: HostFiles): void {
  const info = parseMeminfo(host.text('/proc/meminfo'));
  const [memory, swap] = [info.get('node_memory_MemTotal_bytes'), info.get('node_memory_SwapTotal_bytes')];
  out.add('machine_cpu_cores', parseStat(host.text('/proc/stat', LARGEST)).cpus.size);
  if (memory !== undefined) out.add('machine_memory_bytes', memory);
  if (swap !== undefined) out.add('machine_swap_bytes', swap);
}

/** How the collector fares. */
export function writeSelf(out: SampleWriter, discovery: Discovery, { mode }: CgroupLayout): void {
  const runtimes = new Map<string, number>();
  let unnamed = 0;
  let failures = 0;
  for (const { place, facts, group } of discovery.table.live.values()) {
    if (place.kind === 'container') runtimes.set(place.runtime, (runtimes.get(place.runtime) ?? 0) + 1);
    if (!isComplete(place, facts)) unnamed += 1;
    failures += group.failures;
  }
  out.add('container_scrape_error', failures > 0 ? 1 : 0);
  for (const [runtime, count] of runtimes) out.add('jdos_containers', count, runtime);
  out.add('jdos_containers_unnamed', unnamed);
  out.add('jdos_containers_ended', discovery.table.ended.size);
  out.add('jdos_containers_dropped', discovery.dropped);
  out.add('jdos_slices_dropped', discovery.droppedSlices);
  out.add('jdos_cgroup_walk_complete', discovery.truncated ? 0 : 1);
  out.add('jdos_cgroups', discovery.groups);
  out.add('jdos_cgroup_walk_seconds', discovery.walkSeconds);
  out.add('jdos_cgroup_info', 1, mode);
}
