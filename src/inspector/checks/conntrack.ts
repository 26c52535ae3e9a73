// CONNTRACK: how full the host's table of tracked connections is.
import { above, HOST, scalar, type Check } from '../check.ts';
import { absent, both, percent } from '../wording.ts';

const ENTRIES = 'node_nf_conntrack_entries';
const LIMIT = 'node_nf_conntrack_entries_limit';

export const conntrack: Check = {
  code: 'CONNTRACK',
  area: 'network',
  unit: 'ratio',
  needs: [ENTRIES, LIMIT],
  limits: above(0.75, 0.9, 0.7, 0.85),
  source: 'node-mixin NodeHighNumberConntrackEntriesUsed (75 %), node-problem-detector conntrack (90 %)',
  text: {
    title: both('连接跟踪表', 'tracked connections'),
    meaning: both(
      '主机网络命名空间中连接跟踪条目占 nf_conntrack_max 的比例。表满后新连接的包被丢弃。',
      'Entries of connection tracking in the host’s network namespace as a share of nf_conntrack_max. When the table is full, packets of new connections are dropped.',
    ),
    remedy: both(
      '找出连接最多的地址与端口;必要时调大 nf_conntrack_max (及 nf_conntrack_buckets),缩短超时,或对其 NOTRACK。',
      'Find who holds most of the connections; raise nf_conntrack_max (and nf_conntrack_buckets), shorten the timeouts, or do not track that traffic.',
    ),
  },
  evaluate(facts) {
    const entries = scalar(facts, ENTRIES);
    const limit = scalar(facts, LIMIT);
    if (entries === undefined) return { observations: [absent(facts, ENTRIES, HOST)] };
    if (limit === undefined || limit <= 0) return { observations: [absent(facts, LIMIT, HOST)] };
    const evidence = [`entries=${entries}`, `nf_conntrack_max=${limit}`];
    return { observations: [{ target: HOST, value: entries / limit, evidence, facts: { entries } }] };
  },
  line({ facts }, value, _verdict, limit) {
    const entries = facts?.['entries'] ?? '?';
    return both(
      `连接跟踪表已用 ${percent(value)}(限 ${percent(limit)}),${entries} 条`,
      `tracked connections: ${percent(value)} of the table (limit ${percent(limit)}), ${entries} entries`,
    );
  },
  command: () => 'cat /proc/sys/net/netfilter/nf_conntrack_count /proc/sys/net/netfilter/nf_conntrack_max',
  samples: [
    written(100_000, 'ok'),
    written(200_000, 'warn'),
    written(260_000, 'crit'),
    {
      name: 'written: a kernel without connection tracking',
      metrics: { [ENTRIES]: [], [LIMIT]: [] },
      expect: { host: 'skipped' },
    },
  ],
};

function written(entries: number, verdict: 'ok' | 'warn' | 'crit'): Check['samples'][number] {
  return {
    name: `written: ${entries} of 262144`,
    metrics: { [ENTRIES]: [{ labels: {}, value: entries }], [LIMIT]: [{ labels: {}, value: 262_144 }] },
    expect: { host: verdict },
  };
}
