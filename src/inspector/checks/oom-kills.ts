// OOM_KILLS: how many processes the kernel killed for lack of memory within a day.
import { formatSeconds } from '../../base/units.ts';
import { above, DAY_SECONDS, HOST, readAt, SAMPLE_NOW, scalar, type Check } from '../check.ts';
import { absent, both } from '../wording.ts';

const KILLS = 'node_vmstat_oom_kill';
const BOOT = 'node_boot_time_seconds';

export const oomKills: Check = {
  code: 'OOM_KILLS',
  area: 'memory',
  unit: 'count',
  needs: [KILLS, BOOT],
  lookBack: [DAY_SECONDS],
  limits: above(1, 5, 1, 5),
  source: 'awesome-prometheus-alerts HostOomKillDetected, netdata oom_kill',
  text: {
    title: both('OOM 杀进程', 'OOM kills'),
    meaning: both(
      '24 小时内 oom_kill 计数 (/proc/vmstat) 的增量,含容器超限被杀。被杀的进程可能已丢失数据。',
      'How much oom_kill (/proc/vmstat) grew within 24 hours, kills within a container limit included. What was killed may have lost data.',
    ),
    remedy: both(
      '在内核日志中找被杀的进程、cgroup 与限额;限额过小则上调,持续增长则是泄漏。',
      'Find the victim, its cgroup and limit in the kernel log; raise a limit that is too small, fix a leak that keeps growing.',
    ),
  },
  evaluate(facts) {
    const kills = scalar(facts, KILLS);
    if (kills === undefined) return { observations: [absent(facts, KILLS, HOST)] };
    const at = readAt(facts, KILLS);
    const remember = [{ series: KILLS, at, value: kills }];
    const dayAgo = facts.past(KILLS, DAY_SECONDS);
    const from = dayAgo ?? facts.oldest(KILLS);
    const boot = scalar(facts, BOOT);
    const bootedAt = boot === undefined ? undefined : boot * 1000;
    // The counter starts at 0 at boot: after one within the day, its value is all that happened.
    const fresh = bootedAt !== undefined && bootedAt > Math.min(from?.at ?? Infinity, at - DAY_SECONDS * 1000);
    const reason = both('OOM 增量需要 24 小时的观测', 'the growth of OOM kills needs 24 hours of observations');
    const until = (from?.at ?? at) + DAY_SECONDS * 1000;
    const waiting = fresh || dayAgo !== undefined ? {} : { waiting: { until, reason } };
    if (!fresh && from === undefined) return { observations: [], remember, ...waiting };
    const base = fresh || from === undefined || kills < from.value ? 0 : from.value;
    const start = fresh && bootedAt !== undefined ? bootedAt : (from?.at ?? at);
    const over = formatSeconds(Math.max(0, Math.round((at - start) / 1000)));
    return {
      observations: [
        {
          target: HOST,
          value: kills - base,
          evidence: [`oom_kill=${kills}`, `before=${base}`, `since=${new Date(start).toISOString()}`],
          facts: { over },
        },
      ],
      remember,
      ...waiting,
    };
  },
  line({ facts }, value, _verdict, limit) {
    const over = facts?.['over'] ?? '?';
    return both(
      value === 0 ? `近 ${over} 无 OOM 杀进程(限 ${limit})` : `OOM 杀进程 ${value} 次(限 ${limit}),近 ${over}`,
      `OOM kills: ${value} (limit ${limit}), last ${over}`,
    );
  },
  command: () => 'journalctl -k --since "24 hours ago" --grep "oom-kill|Killed process"',
  samples: [
    written('none in a day', 7, 7, 'ok'),
    written('two in a day', 9, 7, 'warn'),
    written('eight in a day', 15, 7, 'crit'),
    {
      name: 'written: the counter went back at a reboot an hour ago',
      metrics: { [KILLS]: [{ labels: {}, value: 1 }], [BOOT]: [{ labels: {}, value: SAMPLE_NOW / 1000 - 3600 }] },
      past: { [KILLS]: [{ ageSeconds: DAY_SECONDS, value: 40 }] },
      expect: { host: 'warn' },
    },
    {
      name: 'written: the first observation',
      metrics: { [KILLS]: [{ labels: {}, value: 3 }], [BOOT]: [{ labels: {}, value: 1 }] },
      expect: {},
      waiting: true,
    },
    { name: 'written: a kernel before 4.13', metrics: { [KILLS]: [] }, expect: { host: 'skipped' } },
  ],
};

function written(name: string, now: number, before: number, verdict: 'ok' | 'warn' | 'crit'): Check['samples'][number] {
  return {
    name: `written: ${name}`,
    metrics: { [KILLS]: [{ labels: {}, value: now }], [BOOT]: [{ labels: {}, value: 1 }] },
    past: { [KILLS]: [{ ageSeconds: DAY_SECONDS, value: before }] },
    expect: { host: verdict },
  };
}
