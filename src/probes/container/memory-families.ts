// The families of the containers' memory: cAdvisor's names.
import { counter, counting, from, gauge, limit, type Scalar } from './family.ts';
import type { Tracked } from './table.ts';

export const OOM_EVENTS = 'container_oom_events_total';

/** Of all lives of a container: what killed it may restart it before anyone has looked. */
export const killsOf = ({ reading, killsBefore }: Tracked): number | undefined =>
  reading.oomKills === undefined ? undefined : killsBefore + reading.oomKills;

/** As cAdvisor and the kubelet define it: what cannot be taken from the group without paging. */
function workingSet({ reading: { memory, memoryStat } }: Tracked): number | undefined {
  if (memory?.usage === undefined || memoryStat?.inactiveFile === undefined) return undefined;
  return Math.max(0, memory.usage - memoryStat.inactiveFile);
}

/** Docker's `--memory-reservation` is memory.low on v2; cAdvisor asks memory.min there. */
function reservation({ reading: { memoryLimits } }: Tracked): number | undefined {
  const { low, min } = memoryLimits ?? {};
  return limit(low === undefined ? undefined : Math.max(low, min ?? 0));
}

export const MEMORY: readonly Scalar[] = [
  gauge(
    'container_memory_usage_bytes',
    from('memory.current', 'memory.usage_in_bytes'),
    'Current memory usage, with caches.',
    (t) => t.reading.memory?.usage,
  ),
  gauge(
    'container_memory_working_set_bytes',
    from('memory.current less memory.stat inactive_file', 'memory.usage_in_bytes less total_inactive_file'),
    'Current working set: usage without inactive file caches.',
    workingSet,
  ),
  gauge(
    'container_memory_max_usage_bytes',
    from('memory.peak', 'memory.max_usage_in_bytes'),
    'Maximum memory usage recorded.',
    (t) => t.reading.memory?.peak,
  ),
  gauge(
    'container_memory_rss',
    counting('bytes', 'memory.stat anon', 'total_rss'),
    'Anonymous memory, in bytes.',
    (t) => t.reading.memoryStat?.anon,
  ),
  gauge(
    'container_memory_cache',
    counting('bytes', 'memory.stat file', 'total_cache'),
    'Page cache memory, in bytes.',
    (t) => t.reading.memoryStat?.file,
  ),
  gauge(
    'container_memory_mapped_file',
    counting('bytes', 'memory.stat file_mapped', 'total_mapped_file'),
    'Size of memory mapped files, in bytes.',
    (t) => t.reading.memoryStat?.mapped,
  ),
  gauge(
    'container_memory_kernel_usage',
    counting('bytes', 'memory.stat kernel', 'memory.kmem.usage_in_bytes'),
    'Kernel memory, in bytes.',
    (t) => t.reading.memoryStat?.kernel,
  ),
  gauge(
    'container_memory_swap',
    counting('bytes', 'memory.swap.current', 'memory.stat total_swap'),
    'Swap usage, in bytes.',
    (t) => t.reading.memory?.swap ?? t.reading.memoryStat?.swap,
  ),
  gauge(
    'container_memory_total_active_file_bytes',
    from('memory.stat active_file', 'total_active_file'),
    'Active file caches.',
    (t) => t.reading.memoryStat?.activeFile,
  ),
  gauge(
    'container_memory_total_inactive_file_bytes',
    from('memory.stat inactive_file', 'total_inactive_file'),
    'Inactive file caches.',
    (t) => t.reading.memoryStat?.inactiveFile,
  ),
  gauge(
    'container_memory_file_dirty_bytes',
    from('memory.stat file_dirty', 'total_dirty'),
    'File caches to be written back.',
    (t) => t.reading.memoryStat?.dirty,
  ),
  gauge(
    'container_memory_file_writeback_bytes',
    from('memory.stat file_writeback', 'total_writeback'),
    'File caches being written back.',
    (t) => t.reading.memoryStat?.writeback,
  ),
  counter(
    'container_memory_failcnt',
    counting('hits', 'memory.events max', 'memory.failcnt'),
    'Number of memory usage hits of the limit.',
    (t) => t.reading.memory?.failures,
  ),
  counter(
    'container_memory_events_high_total',
    counting('times', 'memory.events high'),
    'Times the container was throttled for being over memory.high.',
    (t) => t.reading.memory?.events?.high,
  ),
  counter(
    'container_memory_events_max_total',
    counting('times', 'memory.events max'),
    'Times the container was about to go over memory.max.',
    (t) => t.reading.memory?.events?.max,
  ),
  counter(
    'container_memory_pgscan_total',
    counting('pages', 'memory.stat pgscan', 'total_pgscan'),
    'Pages scanned by reclaim.',
    (t) => t.reading.memoryStat?.scanned,
  ),
  counter(
    'container_memory_pgsteal_total',
    counting('pages', 'memory.stat pgsteal', 'total_pgsteal'),
    'Pages reclaimed.',
    (t) => t.reading.memoryStat?.reclaimed,
  ),
  counter(
    'container_memory_workingset_refault_file_total',
    counting('pages', 'memory.stat workingset_refault_file', 'total_workingset_refault_file'),
    'Reclaimed file pages that were needed again.',
    (t) => t.reading.memoryStat?.refaultedFile,
  ),
  counter(
    'container_memory_workingset_refault_anon_total',
    counting('pages', 'memory.stat workingset_refault_anon', 'total_workingset_refault_anon'),
    'Swapped pages that were needed again.',
    (t) => t.reading.memoryStat?.refaultedAnon,
  ),
  counter(
    OOM_EVENTS,
    counting('kills', 'memory.events oom_kill', 'memory.oom_control oom_kill, with the groups below'),
    'Processes killed for want of memory in the container, over its restarts; kept for five minutes after its end.',
    killsOf,
  ),
  gauge(
    'container_spec_memory_limit_bytes',
    from('memory.max', 'memory.limit_in_bytes'),
    'Memory limit; 0 is none.',
    (t) => limit(t.reading.memoryLimits?.max),
  ),
  gauge(
    'container_spec_memory_swap_limit_bytes',
    from('memory.swap.max', 'memory.memsw.limit_in_bytes'),
    'Swap limit; 0 is none. On cgroup v1 with memory, on v2 of swap alone.',
    (t) => limit(t.reading.memoryLimits?.swap),
  ),
  gauge(
    'container_spec_memory_reservation_limit_bytes',
    from('the larger of memory.low and memory.min', 'memory.soft_limit_in_bytes'),
    'Memory reservation limit.',
    reservation,
  ),
];
