// Out of memory: who was killed, in which cgroup, and for whose limit (mm/oom_kill.c, mm/memcontrol.c).
import type { Rule } from '../rule.ts';

export const oomRules: readonly Rule[] = [
  {
    within: 'oom',
    opens: true,
    literals: [' invoked oom-killer: '],
    patterns: [
      String.raw`^(?P<invoker>.{1,64}?) invoked oom-killer: gfp_mask=\S+,? (?:nodemask=\S+, )?order=(?P<order>-?\d+)`,
    ],
  },
  {
    // Linux 4.19 and later
    within: 'oom',
    opens: true,
    literals: ['oom-kill:constraint='],
    patterns: [
      String.raw`^oom-kill:constraint=CONSTRAINT_(?P<constraint>\w+),.*,(?:oom_memcg=(?P<limited>[^,]*)|global_oom),task_memcg=(?P<cgroup>[^,]*),task=(?P<comm>.*),pid=(?P<pid>\d+),uid=(?P<uid>\d+)`,
    ],
  },
  {
    // before Linux 4.19
    within: 'oom',
    opens: true,
    literals: [' killed as a result of limit of '],
    patterns: [String.raw`^Task in (?P<cgroup>\S+) killed as a result of limit of (?P<limited>\S+)`],
  },
  {
    within: 'oom',
    literals: ['memory: usage '],
    patterns: [String.raw`^memory: usage (?P<usage_kb>\d+)kB, limit (?P<limit_kb>\d+)kB`],
  },
  {
    within: 'oom',
    opens: true,
    literals: [' are going to be killed due to memory.oom.group set'],
    patterns: [String.raw`^Tasks in (?P<cgroup>\S+) are going to be killed due to memory\.oom\.group set`],
  },
  {
    reason: 'OOMKilling',
    npd: true,
    concludes: 'oom',
    literals: ['Killed process '],
    patterns: [
      String.raw`Killed process (?P<pid>\d+) \((?P<comm>.{0,64}?)\)(?:, UID (?P<uid>\d+),)? total-vm:(?P<total_vm_kb>\d+)kB, anon-rss:(?P<anon_rss_kb>\d+)kB, file-rss:(?P<file_rss_kb>\d+)kB(?:, shmem-rss:(?P<shmem_rss_kb>\d+)kB)?(?:, UID:(?P<victim_uid>\d+) pgtables:\d+kB)?(?: oom_score_adj:(?P<oom_score_adj>-?\d+))?`,
      String.raw`Killed process (?P<pid>\d+) (.+) total-vm:(?P<total_vm_kb>\d+)kB, anon-rss:(?P<anon_rss_kb>\d+)kB, file-rss:(?P<file_rss_kb>\d+)kB`,
    ],
  },
  {
    reason: 'OOMReaped',
    literals: ['oom_reaper: reaped process '],
    patterns: [String.raw`oom_reaper: reaped process (?P<pid>\d+) \((?P<comm>.{0,64}?)\), now anon-rss:`],
  },
];
