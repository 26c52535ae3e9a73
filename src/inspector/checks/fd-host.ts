// FD_HOST: open file handles of the whole host against fs.file-max.
import { above, HOST, scalar, type Check } from '../check.ts';
import { absent, both, percent } from '../wording.ts';

const ALLOCATED = 'node_filefd_allocated';
const MAXIMUM = 'node_filefd_maximum';

export const fdHost: Check = {
  code: 'FD_HOST',
  area: 'processes',
  unit: 'ratio',
  needs: [ALLOCATED, MAXIMUM],
  limits: above(0.7, 0.9, 0.65, 0.85),
  source: 'node-mixin NodeFileDescriptorLimit (70 %, 90 %)',
  text: {
    title: both('主机文件句柄', 'file handles of the host'),
    meaning: both(
      '/proc/sys/fs/file-nr:已分配句柄占 fs.file-max 的比例。用尽后全机打不开文件和连接 (ENFILE)。',
      '/proc/sys/fs/file-nr: allocated handles as a share of fs.file-max. When they run out, nothing on the host opens a file or a connection (ENFILE).',
    ),
    remedy: both(
      '先用 FD_PROCESS 找出泄漏的进程;确有需要再调大 fs.file-max。',
      'Find the leaking process with FD_PROCESS first; raise fs.file-max only where the need is real.',
    ),
  },
  evaluate(facts) {
    const allocated = scalar(facts, ALLOCATED);
    const maximum = scalar(facts, MAXIMUM);
    if (allocated === undefined) return { observations: [absent(facts, ALLOCATED, HOST)] };
    if (maximum === undefined || maximum <= 0) return { observations: [absent(facts, MAXIMUM, HOST)] };
    const evidence = [`allocated=${allocated}`, `file-max=${maximum}`];
    return {
      observations: [{ target: HOST, value: allocated / maximum, evidence, facts: { allocated } }],
    };
  },
  line({ facts }, value, verdict, limit) {
    const count = facts?.['allocated'] ?? '?';
    return both(
      `${verdict === 'ok' ? '主机文件句柄' : '主机文件句柄将用尽'} ${percent(value)}(限 ${percent(limit)}),已分配 ${count}`,
      `${verdict === 'ok' ? 'file handles of the host' : 'file handles of the host nearly used up:'} ${percent(value)} (limit ${percent(limit)}), ${count} allocated`,
    );
  },
  command: () => 'cat /proc/sys/fs/file-nr',
  samples: [written(1000, 'ok'), written(7500, 'warn'), written(9500, 'crit')],
};

function written(allocated: number, verdict: 'ok' | 'warn' | 'crit'): Check['samples'][number] {
  return {
    name: `written: ${allocated} of 10000`,
    metrics: { [ALLOCATED]: [{ labels: {}, value: allocated }], [MAXIMUM]: [{ labels: {}, value: 10_000 }] },
    expect: { host: verdict },
  };
}
