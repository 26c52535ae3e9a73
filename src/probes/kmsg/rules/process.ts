// Programs that die of their own bugs, and forks that are refused (arch/x86/mm/fault.c, arch/x86/kernel/traps.c, kernel/cgroup/pids.c).
import type { Rule } from '../rule.ts';

export const processRules: readonly Rule[] = [
  {
    reason: 'Segfault',
    literals: [']: segfault at '],
    patterns: [
      String.raw`^(?P<comm>.{1,64}?)\[(?P<pid>\d+)\]: segfault at (?P<address>[0-9a-f]+) ip (?:0x)?(?P<ip>[0-9a-f]+) sp \S+ error (?P<error>[0-9a-f]+)(?: in (?P<object>[^\[\s]+))?`,
    ],
  },
  {
    reason: 'UserTrap',
    literals: ['traps: '],
    patterns: [
      String.raw`^traps: (?P<comm>.{1,64}?)\[(?P<pid>\d+)\] (?:trap )?(?P<trap>.{1,40}?) ip:(?P<ip>[0-9a-f]+) sp:\S+ error:(?P<error>[0-9a-f]+)(?: in (?P<object>[^\[\s]+))?`,
    ],
  },
  {
    reason: 'PidsLimitReached',
    literals: ['fork rejected by pids controller in '],
    patterns: [String.raw`^cgroup: fork rejected by pids controller in (?P<cgroup>\S+)`],
  },
];
