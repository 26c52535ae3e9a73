// CPUs that do not get on: soft and hard lockups, RCU stalls, stuck workqueues (kernel/watchdog.c, kernel/rcu, kernel/workqueue.c).
import type { Rule } from '../rule.ts';

export const lockupRules: readonly Rule[] = [
  {
    reason: 'SoftLockup',
    report: 'lockup',
    literals: ['BUG: soft lockup - CPU#'],
    patterns: [
      String.raw`BUG: soft lockup - CPU#(?P<cpu>\d+) stuck for (?P<seconds>\d+)s! \[(?P<comm>.{0,64}):(?P<pid>\d+)\]`,
    ],
  },
  {
    reason: 'HardLockup',
    report: 'lockup',
    literals: ['atchdog detected hard LOCKUP on cpu'],
    patterns: [String.raw`^(?:NMI watchdog: |watchdog: |CPU\d+: )*Watchdog detected hard LOCKUP on cpu ?(?P<cpu>\d+)`],
  },
  {
    reason: 'RCUStall',
    report: 'lockup',
    literals: ['detected stall', 'detected expedited stall'],
    patterns: [String.raw`(?:INFO: )?(?P<flavour>rcu\w*) (?:self-)?detected (?:expedited )?stalls? on CPU`],
  },
  {
    reason: 'WorkqueueLockup',
    report: 'lockup',
    literals: ['BUG: workqueue lockup'],
    patterns: [String.raw`BUG: workqueue lockup - pool(?: cpus=(?P<cpu>\S+))?.* stuck for (?P<seconds>\d+)s!`],
  },
  {
    reason: 'RealtimeThrottled',
    literals: ['RT throttling activated'],
    patterns: [String.raw`sched: RT throttling activated`],
  },
  {
    reason: 'ClocksourceUnstable',
    literals: ['Marking clocksource '],
    patterns: [String.raw`Marking clocksource '(?P<clocksource>[^']+)' as unstable`],
  },
  {
    within: 'lockup',
    literals: ['RIP: ', ' Comm: '],
    patterns: [
      String.raw`^RIP: [0-9a-f]+:(?P<function>\S+)`,
      String.raw`CPU: (?P<cpu>\d+) (?:UID: \d+ )?PID: (?P<pid>\d+) Comm: (?P<comm>.{0,64}?) (?P<taint>Not tainted|Tainted: [^0-9]*)`,
    ],
  },
];
