// MEMORY_AVAILABLE: the share of memory that can be had without swapping.
import { formatBytes } from '../../base/units.ts';
import { below, GIB, HOST, scalar, type Check } from '../check.ts';
import { absent, both, percent } from '../wording.ts';

const AVAILABLE = 'node_memory_MemAvailable_bytes';
const TOTAL = 'node_memory_MemTotal_bytes';

export const memoryAvailable: Check = {
  code: 'MEMORY_AVAILABLE',
  area: 'memory',
  unit: 'ratio',
  needs: [AVAILABLE, TOTAL],
  limits: below(0.1, 0.05, 0.12, 0.06),
  source: 'node-mixin NodeMemoryHighUtilization (90 % used), awesome-prometheus-alerts HostOutOfMemory',
  text: {
    title: both('可用内存', 'available memory'),
    meaning: both(
      'MemAvailable 占 MemTotal 的比例(proc_meminfo(5)):不换出就能分配的内存。过低时内核频繁回收,随后触发 OOM。',
      'MemAvailable as a share of MemTotal (proc_meminfo(5)): what can be allocated without swapping. When it is low the kernel reclaims all the time, then kills.',
    ),
    remedy: both(
      '按常驻内存列出最大的进程组,核对其 cgroup 限额;把容器迁走或为泄漏的应用设限。',
      'List the process groups with the most resident memory and check their cgroup limits; move containers away or limit the leaking one.',
    ),
  },
  evaluate(facts) {
    const available = scalar(facts, AVAILABLE);
    const total = scalar(facts, TOTAL);
    if (available === undefined) return { observations: [absent(facts, AVAILABLE, HOST)] };
    if (total === undefined || total <= 0) return { observations: [absent(facts, TOTAL, HOST)] };
    const left = formatBytes(available);
    const size = formatBytes(total);
    return {
      observations: [
        {
          target: HOST,
          value: available / total,
          evidence: [`available=${left}`, `total=${size}`],
          facts: { left, size },
        },
      ],
    };
  },
  line({ facts }, value, verdict, limit) {
    const left = `${facts?.['left'] ?? '?'} / ${facts?.['size'] ?? '?'}`;
    return both(
      `${verdict === 'ok' ? '可用内存' : '可用内存不足'} ${percent(value)}(低限 ${percent(limit)}),${left}`,
      `${verdict === 'ok' ? 'available memory' : 'memory is short: available'} ${percent(value)} (limit at least ${percent(limit)}), ${left}`,
    );
  },
  command: () => 'ps -eo pid,rss,comm --sort=-rss | head -15',
  samples: [
    {
      name: 'written: half available',
      metrics: { [AVAILABLE]: [{ labels: {}, value: 8 * GIB }], [TOTAL]: [{ labels: {}, value: 16 * GIB }] },
      expect: { host: 'ok' },
    },
    {
      name: 'written: 8 % available',
      metrics: { [AVAILABLE]: [{ labels: {}, value: 0.08 * GIB }], [TOTAL]: [{ labels: {}, value: GIB }] },
      expect: { host: 'warn' },
    },
    {
      name: 'written: 4 % available',
      metrics: { [AVAILABLE]: [{ labels: {}, value: 0.04 * GIB }], [TOTAL]: [{ labels: {}, value: GIB }] },
      expect: { host: 'crit' },
    },
    {
      name: 'written: a kernel before 3.14 has no MemAvailable',
      metrics: { [AVAILABLE]: [], [TOTAL]: [{ labels: {}, value: GIB }] },
      expect: { host: 'skipped' },
    },
  ],
};
