// Bugs of the kernel itself: oopses, panics, warnings, damaged memory (arch/*/mm/fault.c, kernel/panic.c, lib/list_debug.c).
import type { Rule } from '../rule.ts';

export const oopsRules: readonly Rule[] = [
  {
    reason: 'KernelOops',
    npd: true,
    report: 'oops',
    literals: [
      'BUG: unable to handle ',
      'BUG: kernel NULL pointer dereference',
      'general protection fault',
      'kernel BUG at ',
      'divide error: ',
      'invalid opcode: ',
      'Oops: ',
      'Oops - ',
      'Unable to handle kernel ',
      'stack guard page was hit',
    ],
    patterns: [
      String.raw`BUG: unable to handle (?P<fault>kernel NULL pointer dereference|kernel paging request|page fault)(?: for address| at)?:? ?(?P<address>\S*)`,
      String.raw`BUG: (?P<fault>kernel NULL pointer dereference), address: (?P<address>\S+)`,
      String.raw`^(?:Oops: )?(?P<fault>general protection fault)(?:, (?:probably|maybe) for (?:non-canonical )?address (?P<address>[^:\s]+))?: [0-9a-f]{4} `,
      String.raw`^kernel (?P<fault>BUG) at (?P<where>\S+)!`,
      String.raw`(?P<fault>divide error): [0-9a-f]{4} \[#\d+\]`,
      String.raw`^(?:Oops: )?(?P<fault>invalid opcode|int3|stack segment|divide error|alignment check): [0-9a-f]{4} \[#\d+\]`,
      String.raw`^Unable to handle kernel (?P<fault>.{1,80}?) at (?:virtual )?address (?P<address>\S+)`,
      String.raw`^(?:Internal error: )?(?P<fault>Oops)(?: -)?(?: \w+)?: [0-9a-f]+ \[#\d+\]`,
      String.raw`^BUG: (?P<fault>\w+ stack guard page was hit) at (?P<address>\S+)`,
    ],
  },
  {
    reason: 'KernelPanic',
    report: 'oops',
    literals: ['Kernel panic - not syncing'],
    patterns: [String.raw`Kernel panic - not syncing: (?P<cause>.*)`],
  },
  {
    reason: 'KernelWarning',
    report: 'warning',
    literals: ['WARNING: '],
    patterns: [
      String.raw`^WARNING: CPU: (?P<cpu>\d+) PID: (?P<pid>\d+) at (?P<where>\S+:\d+)(?: (?P<function>\S+))?`,
      String.raw`^WARNING: CPU: (?P<cpu>\d+) PID: (?P<pid>\d+) at (?P<function>\S+)`,
      // Linux 6.19 and later
      String.raw`^WARNING: (?P<where>\S+:\d+) at (?P<function>\S+)(?: \[\S+\])?, CPU#(?P<cpu>\d+): (?P<comm>.{0,64})/(?P<pid>\d+)`,
      String.raw`^WARNING: at (?P<function>\S+)(?: \[\S+\])?, CPU#(?P<cpu>\d+): (?P<comm>.{0,64})/(?P<pid>\d+)`,
    ],
  },
  {
    reason: 'KernelMemoryCorruption',
    report: 'warning',
    literals: [
      'list_add corruption',
      'list_del corruption',
      'BUG: Bad page state',
      'BUG: Bad page map',
      'BUG: Bad rss-counter state',
      'BUG: KASAN: ',
      'BUG: KFENCE: ',
    ],
    patterns: [
      String.raw`(?P<kind>list_(?:add|del) corruption)`,
      String.raw`BUG: (?P<kind>Bad page state) in process (?P<comm>.{0,64}?) +pfn:`,
      String.raw`BUG: (?P<kind>Bad page map|Bad rss-counter state)`,
      String.raw`BUG: (?P<kind>(?:KASAN|KFENCE): .+) in (?P<function>\S+)`,
    ],
  },
  ...(['oops', 'warning'] as const).map((within): Rule => ({
    within,
    literals: ['RIP: ', ' Comm: ', 'pc : '],
    patterns: [
      String.raw`^RIP: [0-9a-f]+:(?P<function>\S+)`,
      String.raw`^pc : (?P<function>\S+)`,
      String.raw`CPU: (?P<cpu>\d+) (?:UID: \d+ )?PID: (?P<pid>\d+) Comm: (?P<comm>.{0,64}?) (?P<taint>Not tainted|Tainted: [^0-9]*)`,
    ],
  })),
];
