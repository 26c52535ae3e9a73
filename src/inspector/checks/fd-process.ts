// FD_PROCESS: the process groups nearest to their limit of open file descriptors.
import type { MetricSample } from '../../probes/index.ts';
import { above, HOST, type Check } from '../check.ts';
import { absent, both, percent, plain } from '../wording.ts';
import { worstByFds } from './process-details.ts';

const RATIO = 'namedprocess_namegroup_worst_fd_ratio';
/** Groups below this are listed only when they are the worst. */
const LISTED = 0.5;
const MOST = 50;

export const fdProcess: Check = {
  code: 'FD_PROCESS',
  area: 'processes',
  unit: 'ratio',
  needs: [RATIO],
  limits: above(0.8, 0.95, 0.78, 0.93),
  source: 'netdata app fds (95 %), 80 % our own',
  text: {
    title: both('进程文件描述符', 'file descriptors of processes'),
    meaning: both(
      '进程组中最差进程的 打开 fd 数 / 软限 (RLIMIT_NOFILE)。触限后 accept 与 open 失败 (EMFILE)。',
      'Open fds of the worst process of each group as a share of its soft limit (RLIMIT_NOFILE). At the limit, accept and open fail (EMFILE).',
    ),
    remedy: both(
      '看该进程打开了什么 (ls -l /proc/PID/fd):只增不减是泄漏,由应用修复;连接数合理则调高限额。',
      'See what the process holds open (ls -l /proc/PID/fd): if it only grows it is a leak for the application to fix; if it is needed, raise the limit.',
    ),
  },
  evaluate(facts) {
    const samples = facts.samples(RATIO);
    if (samples === undefined || samples.length === 0) return { observations: [absent(facts, RATIO, HOST)] };
    const groups = worstOfEach(samples);
    const ranked = [...groups].sort(([, a], [, b]) => b.value - a.value);
    const shown = ranked.filter(([, { value }], i) => i === 0 || value > LISTED).slice(0, MOST);
    return {
      observations: shown.map(([group, { labels, value }]) => {
        const worst = worstByFds(facts, group);
        const pid = worst[0]?.pid;
        return {
          target: plain(group),
          value,
          evidence: [`groups=${groups.size}`, ...whereOf(labels), ...worst.map((process) => process.text)],
          facts: pid === undefined ? {} : { pid },
        };
      }),
    };
  },
  line({ target }, value, verdict, limit) {
    return both(
      `${verdict === 'ok' ? 'fd 用量' : 'fd 将触限'} ${target} ${percent(value)}(限 ${percent(limit)})`,
      `${verdict === 'ok' ? 'fds of' : 'fds nearly at the limit:'} ${target} ${percent(value)} (limit ${percent(limit)})`,
    );
  },
  command: ({ facts }) => (facts?.['pid'] === undefined ? undefined : `ls -l /proc/${facts['pid']}/fd | tail -20`),
  samples: [
    {
      name: 'written: one group at ease beside three that are not',
      metrics: {
        [RATIO]: [group('sshd', 0.02), group('nginx', 0.6), group('order-api', 0.85), group('ad-log', 0.97)],
      },
      details: {
        process: {
          processes: [{ pid: 7, comm: 'ad-log', group: 'ad-log', fds: 993, fdLimit: 1024 }],
          dstate: [],
          zombies: [],
        },
      },
      expect: { nginx: 'ok', 'order-api': 'warn', 'ad-log': 'crit' },
    },
    {
      name: 'written: one name in two containers and on the host',
      metrics: {
        [RATIO]: [
          group('nginx', 0.2),
          group('nginx', 0.9, { container: 'web', pod: 'web-0', namespace: 'shop' }),
          group('nginx', 0.3, { container: 'proxy' }),
        ],
      },
      expect: { nginx: 'warn' },
    },
    {
      name: 'written: all at ease, the worst is listed',
      metrics: { [RATIO]: [group('sshd', 0.02), group('nginx', 0.1)] },
      expect: { nginx: 'ok' },
    },
  ],
};

/** By group: it is the same finding in whatever container the worst process runs. */
function worstOfEach(samples: readonly MetricSample[]): ReadonlyMap<string, MetricSample> {
  const worst = new Map<string, MetricSample>();
  for (const sample of samples) {
    const group = sample.labels['groupname'] ?? '?';
    if (sample.value > (worst.get(group)?.value ?? -1)) worst.set(group, sample);
  }
  return worst;
}

/** The container that the worst process runs in, if it does. */
const whereOf = ({ container, pod, namespace }: MetricSample['labels']): readonly string[] =>
  container === undefined
    ? []
    : [`container=${plain(container)}${pod === undefined ? '' : ` pod=${plain(namespace ?? '')}/${plain(pod)}`}`];

function group(groupname: string, value: number, more: Readonly<Record<string, string>> = {}): MetricSample {
  return { labels: { groupname, ...more }, value };
}
