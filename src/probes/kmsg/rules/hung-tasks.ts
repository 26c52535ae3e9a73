// Tasks that sleep uninterruptibly for minutes, nearly always for storage or a lock (kernel/hung_task.c).
import type { Rule } from '../rule.ts';

const BLOCKED = [' blocked for more than ', ' blocked in I/O wait for more than '];
const HOUR_SECONDS = 3600;

export const hungTaskRules: readonly Rule[] = [
  {
    reason: 'TaskHung',
    npd: true,
    report: 'hung',
    literals: BLOCKED,
    patterns: [
      String.raw`task (?P<comm>[\S ]{1,64}):(?P<pid>\w+) blocked (?P<state>in I/O wait )?for more than (?P<seconds>\w+) seconds`,
    ],
    raises: { type: 'KernelTaskHung', subject: 'pid', recheck: 'task', ttlSeconds: HOUR_SECONDS },
  },
  {
    reason: 'DockerHung',
    npd: true,
    literals: BLOCKED,
    patterns: [
      String.raw`task (?P<comm>docker\w*|containerd[\w-]*|runc[\w:\[\]]*):(?P<pid>\w+) blocked (?:in I/O wait )?for more than (?P<seconds>\w+) seconds`,
    ],
    raises: { type: 'KernelDeadlock', subject: 'pid', recheck: 'task', ttlSeconds: HOUR_SECONDS },
  },
  {
    within: 'hung',
    literals: [' likely owned by task ', ' likely last held by task '],
    patterns: [
      String.raw`blocked on an? (?P<lock>[\w-]+),? .*likely (?:owned|last held) by task (?P<owner>.{1,64}):(?P<owner_pid>\d+)`,
    ],
  },
  {
    // after kernel.hung_task_warnings of them, ten unless set; hung_task_detect_count goes on
    reason: 'HungTaskReportsSuppressed',
    literals: ['Future hung task reports are suppressed'],
    patterns: [String.raw`Future hung task reports are suppressed`],
  },
];
