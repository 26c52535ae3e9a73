// Which series have a history: an array to read, and to add a line to.

/**
 * A metric that is kept. `rate`: a counter, kept as its increase per second. `value`: a gauge, kept as it is.
 */
export interface KeptMetric {
  readonly metric: string;
  readonly as: 'rate' | 'value';
  /** Labels that are summed over, so that a host of 128 cores has as many series as one of 2. */
  readonly sum?: readonly string[];
  /** Labels over which the largest is taken. */
  readonly largest?: readonly string[];
  /** Only samples with these labels. */
  readonly where?: Readonly<Record<string, string>>;
}

/** Metrics about the same things: all series of the host, or those of the worst of many. */
export interface KeptFamily {
  readonly about: string;
  readonly metrics: readonly KeptMetric[];
  /** Where there may be any number of things, only the worst are kept. */
  readonly worst?: Worst;
}

export interface Worst {
  /** The label that names a thing. */
  readonly label: string;
  /** Of each of these metrics, the largest `keep` things. */
  readonly by: readonly string[];
  readonly keep: number;
  /** A thing of which this is 0 is no longer there. */
  readonly alive?: string;
}

const values = (...names: readonly string[]): readonly KeptMetric[] =>
  names.map((metric) => ({ metric, as: 'value' as const }));
const rates = (...names: readonly string[]): readonly KeptMetric[] =>
  names.map((metric) => ({ metric, as: 'rate' as const }));

/** Of a group in all containers and outside of them: who it is has a history in the families of the containers. */
const CONTAINER = ['container', 'pod', 'namespace'];
/** Its metrics, summed over the containers. */
const ofGroup = (as: KeptMetric['as'], ...names: readonly string[]): readonly KeptMetric[] =>
  names.map((metric) => ({ metric, as, sum: CONTAINER }));

/** The metric whose growth is followed. */
export const GROUP_FDS = 'namedprocess_namegroup_open_filedesc';

export const KEPT: readonly KeptFamily[] = [
  {
    about: 'load and CPU',
    metrics: [
      ...values('node_load1', 'node_load5', 'node_load15', 'node_procs_running', 'node_procs_blocked'),
      { metric: 'node_cpu_seconds_total', as: 'rate', sum: ['cpu'] },
      ...rates('node_context_switches_total', 'node_forks_total', 'node_intr_total'),
    ],
  },
  {
    about: 'memory',
    metrics: [
      ...values(
        'node_memory_MemTotal_bytes',
        'node_memory_MemAvailable_bytes',
        'node_memory_MemFree_bytes',
        'node_memory_Cached_bytes',
        'node_memory_Slab_bytes',
        'node_memory_Dirty_bytes',
        'node_memory_SwapTotal_bytes',
        'node_memory_SwapFree_bytes',
      ),
      ...rates('node_vmstat_oom_kill', 'node_vmstat_pgmajfault', 'node_vmstat_pswpin', 'node_vmstat_pswpout'),
    ],
  },
  {
    about: 'pressure',
    metrics: rates(
      'node_pressure_cpu_waiting_seconds_total',
      'node_pressure_io_waiting_seconds_total',
      'node_pressure_io_stalled_seconds_total',
      'node_pressure_memory_waiting_seconds_total',
      'node_pressure_memory_stalled_seconds_total',
      'node_pressure_irq_stalled_seconds_total',
    ),
  },
  { about: 'file descriptors', metrics: values('node_filefd_allocated', 'node_filefd_maximum') },
  { about: 'processes', metrics: values('jdos_processes', 'jdos_process_dstate_oldest_seconds') },
  {
    about: 'file systems',
    metrics: values(
      'node_filesystem_size_bytes',
      'node_filesystem_avail_bytes',
      'node_filesystem_files',
      'node_filesystem_files_free',
    ),
    worst: { label: 'mountpoint', by: ['node_filesystem_size_bytes'], keep: 50 },
  },
  {
    about: 'disks',
    metrics: rates(
      'node_disk_read_bytes_total',
      'node_disk_written_bytes_total',
      'node_disk_reads_completed_total',
      'node_disk_writes_completed_total',
      'node_disk_io_time_seconds_total',
      'node_disk_io_time_weighted_seconds_total',
    ),
    worst: { label: 'device', by: ['node_disk_io_time_seconds_total'], keep: 20 },
  },
  {
    about: 'network',
    metrics: rates(
      'node_network_receive_bytes_total',
      'node_network_transmit_bytes_total',
      'node_network_receive_packets_total',
      'node_network_transmit_packets_total',
      'node_network_receive_errs_total',
      'node_network_transmit_errs_total',
      'node_network_receive_drop_total',
      'node_network_transmit_drop_total',
    ),
    worst: {
      label: 'device',
      by: ['node_network_receive_bytes_total', 'node_network_transmit_bytes_total'],
      keep: 20,
    },
  },
  {
    about: 'groups of processes',
    metrics: [
      { metric: 'namedprocess_namegroup_cpu_seconds_total', as: 'rate', sum: ['mode', ...CONTAINER] },
      { metric: 'namedprocess_namegroup_memory_bytes', as: 'value', where: { memtype: 'resident' }, sum: CONTAINER },
      { metric: 'namedprocess_namegroup_worst_fd_ratio', as: 'value', largest: CONTAINER },
      ...ofGroup('value', GROUP_FDS, 'namedprocess_namegroup_num_procs', 'namedprocess_namegroup_num_threads'),
      ...ofGroup('rate', 'namedprocess_namegroup_read_bytes_total', 'namedprocess_namegroup_write_bytes_total'),
    ],
    worst: {
      label: 'groupname',
      by: [
        'namedprocess_namegroup_cpu_seconds_total',
        'namedprocess_namegroup_memory_bytes',
        'namedprocess_namegroup_open_filedesc',
      ],
      keep: 50,
      alive: 'namedprocess_namegroup_num_procs',
    },
  },
  {
    about: 'containers, pods and slices',
    metrics: [
      { metric: 'container_cpu_usage_seconds_total', as: 'rate', sum: ['cpu'] },
      ...rates('container_cpu_cfs_throttled_seconds_total', 'container_oom_events_total'),
      ...values('container_memory_working_set_bytes', 'container_file_descriptors', 'container_processes'),
      { metric: 'container_network_receive_bytes_total', as: 'rate', sum: ['interface'] },
      { metric: 'container_network_transmit_bytes_total', as: 'rate', sum: ['interface'] },
      { metric: 'container_fs_reads_bytes_total', as: 'rate', sum: ['device'] },
      { metric: 'container_fs_writes_bytes_total', as: 'rate', sum: ['device'] },
    ],
    worst: {
      label: 'id',
      by: ['container_cpu_usage_seconds_total', 'container_memory_working_set_bytes', 'container_file_descriptors'],
      keep: 50,
    },
  },
];

/** The names of all metrics that are kept. */
export const keptNames = (families: readonly KeptFamily[]): ReadonlySet<string> =>
  new Set(families.flatMap(({ metrics }) => metrics.map(({ metric }) => metric)));
