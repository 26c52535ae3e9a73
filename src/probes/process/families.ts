// The families of processes: process-exporter's names, and ours.
import type { Metric } from '../collector.ts';
import { GROUP_LABELS } from './groups.ts';

export const GROUP = 'namedprocess_namegroup';
export const UNSEEN_CHILDREN = 'jdos_process_unseen_children_cpu_seconds_total';
export const HEADROOM = 'jdos_process_group_fds_headroom';
const group = GROUP_LABELS;

/** Every family of processes that this collector writes. */
export const PROCESS_METRICS: readonly Metric[] = [
  {
    name: `${GROUP}_num_procs`,
    help: 'Live processes of the group.',
    type: 'gauge',
    source: '/proc/PID',
    unit: 'processes',
    labels: group,
  },
  {
    name: `${GROUP}_cpu_seconds_total`,
    help: 'CPU time used by the group since it was first seen.',
    type: 'counter',
    source: '/proc/PID/stat fields 14, 15 (proc_pid_stat(5))',
    labels: [...group, 'mode'],
  },
  {
    name: `${GROUP}_read_bytes_total`,
    help: 'Bytes the group made block devices read.',
    type: 'counter',
    source: '/proc/PID/io read_bytes',
    labels: group,
  },
  {
    name: `${GROUP}_write_bytes_total`,
    help: 'Bytes the group made block devices write.',
    type: 'counter',
    source: '/proc/PID/io write_bytes',
    labels: group,
  },
  {
    name: `${GROUP}_major_page_faults_total`,
    help: 'Page faults of the group that needed the disk.',
    type: 'counter',
    source: '/proc/PID/stat field 12',
    labels: group,
  },
  {
    name: `${GROUP}_minor_page_faults_total`,
    help: 'Page faults of the group that needed no disk.',
    type: 'counter',
    source: '/proc/PID/stat field 10',
    labels: group,
  },
  {
    name: `${GROUP}_context_switches_total`,
    help: 'Context switches of the group: of all threads where they are followed (probes.processes.threads), else of the main threads.',
    type: 'counter',
    source: '/proc/PID/status, task/TID/status voluntary_ctxt_switches, nonvoluntary_ctxt_switches',
    labels: [...group, 'ctxswitchtype'],
  },
  {
    name: `${GROUP}_memory_bytes`,
    help: 'Memory of the group; proportional counts shared pages by their share and is sampled.',
    type: 'gauge',
    source: '/proc/PID/stat fields 23, 24; status VmSwap; smaps_rollup Pss, SwapPss',
    labels: [...group, 'memtype'],
  },
  {
    name: `${GROUP}_open_filedesc`,
    help: 'Open file descriptors of the group.',
    type: 'gauge',
    source: '/proc/PID/fd',
    unit: 'descriptors',
    labels: group,
  },
  {
    name: `${GROUP}_worst_fd_ratio`,
    help: 'Open file descriptors by the soft limit, of the process of the group nearest to it.',
    type: 'gauge',
    source: '/proc/PID/fd, /proc/PID/limits Max open files',
    labels: group,
  },
  {
    name: HEADROOM,
    help: 'File descriptors that may still be opened by the process of the group that is nearest to its soft limit.',
    type: 'gauge',
    source: '/proc/PID/fd, /proc/PID/limits Max open files',
    unit: 'descriptors',
    labels: group,
  },
  {
    name: `${GROUP}_oldest_start_time_seconds`,
    help: 'Unix time at which the oldest live process of the group started.',
    type: 'gauge',
    source: '/proc/PID/stat field 22, /proc/stat btime',
    labels: group,
  },
  {
    name: `${GROUP}_num_threads`,
    help: 'Threads of the group.',
    type: 'gauge',
    source: '/proc/PID/stat field 20',
    labels: group,
  },
  {
    name: `${GROUP}_states`,
    help: 'Processes of the group by the state of their main thread.',
    type: 'gauge',
    source: '/proc/PID/stat field 3',
    unit: 'processes',
    labels: [...group, 'state'],
  },
  {
    name: 'namedprocess_scrape_errors',
    help: 'Collections in which no process could be read.',
    type: 'counter',
    source: 'failed collections',
    unit: 'collections',
  },
  {
    name: 'namedprocess_scrape_procread_errors',
    help: 'Processes that could not be read, summed over the collections.',
    type: 'counter',
    source: 'failed reads of /proc/PID/stat',
    unit: 'processes',
  },
  {
    name: 'namedprocess_scrape_partial_errors',
    help: 'Processes of which something could not be read, summed over the collections.',
    type: 'counter',
    source: 'failed reads below /proc/PID',
    unit: 'processes',
  },
  {
    name: UNSEEN_CHILDREN,
    help: 'CPU time of children that came and went between two looks at the processes, at least: in no group is anything of it.',
    type: 'counter',
    source: '/proc/PID/stat fields 14 to 17, over collections',
  },
  {
    name: 'jdos_processes',
    help: 'Processes of the host, kernel threads too, by the state of their main thread.',
    type: 'gauge',
    source: '/proc/PID/stat field 3',
    labels: ['state'],
  },
  {
    name: 'jdos_process_dstate_oldest_seconds',
    help: 'Longest time a process has been seen in uninterruptible sleep without using CPU; 0 when there is none.',
    type: 'gauge',
    source: '/proc/PID/stat fields 3, 14, 15, over collections',
  },
  {
    name: 'jdos_processes_unreadable',
    help: 'Processes of which a file cannot be read now, by file and reason.',
    type: 'gauge',
    source: 'failed reads below /proc/PID',
    unit: 'processes',
    labels: ['what', 'reason'],
  },
  {
    name: 'jdos_process_groups_dropped',
    help: 'Groups with live processes that are beyond the limit of groups and counted in the group "other".',
    type: 'gauge',
    source: 'probes.processes.maxGroups',
    unit: 'groups',
  },
];
