// How many processes and threads there are, and how many there may be.
import type { Collector } from '../collector.ts';
import { readNumber, unexpected, unsigned } from './text.ts';

const LOADAVG = '/proc/loadavg';

/** All threads of the host, the kernel's own as well, out of /proc/loadavg: `0.1 0.2 0.3 2/815 4711` (proc_loadavg(5)). */
export function parseThreads(text: string): number {
  const slash = text.indexOf('/');
  const end = text.indexOf(' ', slash);
  const threads = slash === -1 || end === -1 ? undefined : unsigned(text.slice(slash + 1, end));
  if (threads === undefined) throw unexpected(LOADAVG, text);
  return threads;
}

/**
 * node_exporter reads every process and every thread for these. Here the kernel says how many threads there are, and the
 * collector of processes how many processes, in which states; `node_processes_threads_state` is not written, as only a walk over
 * all threads would tell.
 */
export const processCounts: Collector = {
  name: 'processes',
  view: 'node',
  periodSeconds: 15,
  metrics: [
    {
      name: 'node_processes_threads',
      help: 'Allocated threads in system',
      type: 'gauge',
      source: `${LOADAVG} field 4`,
    },
    {
      name: 'node_processes_max_threads',
      help: 'Limit of threads in the system',
      type: 'gauge',
      source: '/proc/sys/kernel/threads-max',
      unit: 'threads',
    },
    {
      name: 'node_processes_pids',
      help: 'Number of PIDs',
      type: 'gauge',
      source: '/proc/PID, counted by the collector `process`',
      unit: 'processes',
    },
    {
      name: 'node_processes_max_processes',
      help: 'Number of max PIDs limit',
      type: 'gauge',
      source: '/proc/sys/kernel/pid_max',
      unit: 'processes',
    },
    {
      name: 'node_processes_state',
      help: 'Number of processes in each state.',
      type: 'gauge',
      source: '/proc/PID/stat, counted by the collector `process`',
      unit: 'processes',
      labels: ['state'],
    },
  ],
  open: ({ host, census }) => ({
    collect(out) {
      out.add('node_processes_threads', parseThreads(host.text(LOADAVG)));
      out.add('node_processes_max_threads', readNumber(host, '/proc/sys/kernel/threads-max'));
      out.add('node_processes_max_processes', readNumber(host, '/proc/sys/kernel/pid_max'));
      if (census?.states === undefined) return;
      let pids = 0;
      for (const [state, count] of census.states) {
        pids += count;
        out.add('node_processes_state', count, state);
      }
      out.add('node_processes_pids', pids);
    },
  }),
};
