// NEIGHBOURS: how full the tables of neighbours (ARP, NDP) are, which all network namespaces of the host share.
import { above, type Check, type Facts } from '../check.ts';
import type { Observation } from '../model.ts';
import { absent, both, percent } from '../wording.ts';

const ENTRIES = 'jdos_neighbour_entries';
const LIMIT = 'jdos_neighbour_entries_limit';
const FAMILIES = ['ipv4', 'ipv6'] as const;
/** Beyond it nobody new can be reached. */
const LAST = 'gc_thresh3';

function family(facts: Facts, target: string): Observation {
  const entries = facts.samples(ENTRIES)?.find(({ labels }) => labels['family'] === target)?.value;
  const limit = facts
    .samples(LIMIT)
    ?.find(({ labels }) => labels['family'] === target && labels['threshold'] === LAST)?.value;
  if (entries === undefined) return absent(facts, ENTRIES, target);
  if (limit === undefined || limit <= 0) return absent(facts, LIMIT, target);
  return {
    target,
    value: entries / limit,
    evidence: [`entries=${entries}`, `${LAST}=${limit}`],
    facts: { entries, last: limit },
  };
}

export const neighbours: Check = {
  code: 'NEIGHBOURS',
  area: 'network',
  unit: 'ratio',
  needs: [ENTRIES, LIMIT],
  limits: above(0.8, 0.95, 0.75, 0.9),
  source: 'our own; the kernel refuses new neighbours at gc_thresh3 (Documentation/networking/ip-sysctl.rst)',
  text: {
    title: both('邻居表', 'tables of neighbours'),
    meaning: both(
      'ARP/NDP 条目占 gc_thresh3 的比例,各网络命名空间共用一张表。表满后无法访问新的同网段地址 (neighbour table overflow)。',
      'Entries of ARP and NDP as a share of gc_thresh3; all network namespaces share one table. When it is full, addresses of the same network that are new cannot be reached (neighbour table overflow).',
    ),
    remedy: both(
      '调大 net.ipv4/ipv6.neigh.default.gc_thresh1..3;条目异常增多时查是否有扫描或网段过大。',
      'Raise net.ipv4 and net.ipv6.neigh.default.gc_thresh1 to 3; where entries grow beyond reason, look for a scan or a network that is too large.',
    ),
  },
  evaluate: (facts) => ({ observations: FAMILIES.map((target) => family(facts, target)) }),
  line({ target, facts }, value, _verdict, limit) {
    const [entries, last] = [facts?.['entries'] ?? '?', facts?.['last'] ?? '?'];
    return both(
      `${target} 邻居表已用 ${percent(value)}(限 ${percent(limit)}),${entries} / ${last}`,
      `${target} neighbours: ${percent(value)} of the table (limit ${percent(limit)}), ${entries} of ${last}`,
    );
  },
  command: ({ target }) => `cat /proc/net/stat/${target === 'ipv6' ? 'ndisc' : 'arp'}_cache`,
  samples: [
    written('a small host', 12, 3, { ipv4: 'ok', ipv6: 'ok' }),
    written('a large network', 900, 3, { ipv4: 'warn', ipv6: 'ok' }),
    written('full, and IPv6 nearly', 1024, 880, { ipv4: 'crit', ipv6: 'warn' }),
    {
      name: 'written: not there',
      metrics: { [ENTRIES]: [], [LIMIT]: [] },
      expect: { ipv4: 'skipped', ipv6: 'skipped' },
    },
  ],
};

function written(name: string, ipv4: number, ipv6: number, expect: Check['samples'][number]['expect']) {
  return {
    name: `written: ${name}`,
    metrics: {
      [ENTRIES]: [
        { labels: { family: 'ipv4' }, value: ipv4 },
        { labels: { family: 'ipv6' }, value: ipv6 },
      ],
      [LIMIT]: FAMILIES.map((of) => ({ labels: { family: of, threshold: LAST }, value: 1024 })),
    },
    expect,
  };
}
