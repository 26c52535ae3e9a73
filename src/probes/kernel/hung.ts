// Tasks found hanging, from /proc/sys/kernel/hung_task_detect_count: the truth when reports of them are suppressed or lost.
import { stateless, type Collector } from '../collector.ts';
import { readFailure } from '../host-files.ts';
import { unexpected, unsigned } from './text.ts';

const FILE = '/proc/sys/kernel/hung_task_detect_count';

/** Parses the count (Documentation/admin-guide/sysctl/kernel.rst). */
export function parseHungTasks(text: string): number {
  const count = unsigned(text.trim());
  if (count === undefined) throw unexpected(FILE, text);
  return count;
}

const source = `${FILE}, where the kernel has it`;

export const kernelHung: Collector = {
  name: 'kernel_hung',
  view: 'node',
  periodSeconds: 15,
  // In OpenMetrics a counter of the first name would be a family of the second: so the first has no type there.
  metrics: [
    {
      name: 'node_kernel_hung_tasks_total',
      help: 'Total number of tasks that have been detected as hung since the system booted.',
      type: 'untyped',
      source,
      unit: 'tasks',
    },
    {
      name: 'node_kernel_hung_tasks',
      help: 'The same as node_kernel_hung_tasks_total, as dashboards spell it.',
      type: 'counter',
      source,
      unit: 'tasks',
    },
  ],
  open: stateless((host, out) => {
    let count: number;
    try {
      count = parseHungTasks(host.text(FILE));
    } catch (error) {
      if (readFailure(error) === 'absent') return; // an older kernel, or one without the detector
      throw error;
    }
    out.add('node_kernel_hung_tasks_total', count);
    out.add('node_kernel_hung_tasks', count);
  }),
};
