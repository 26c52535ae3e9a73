// DAEMON: whether the daemon itself works: its collectors answer, no read hangs, no part fails.
import { formatSeconds } from '../../base/units.ts';
import type { CollectorStatus } from '../../probes/index.ts';
import { above, HOST, SAMPLE_NOW, type Check, type Facts } from '../check.ts';
import type { Localized, Observation } from '../model.ts';
import { both, plain } from '../wording.ts';

/** A read that hung for so long is no hiccup: whatever uses the target hangs too. */
const HUNG_CRIT_SECONDS = 600;
const MOST = 100;

const finding = (target: string, value: 1 | 2, text: Localized, evidence: readonly string[]): Observation => ({
  target: plain(target),
  value,
  evidence,
  facts: { zh: text['zh-CN'], en: text.en },
});

const HARMLESS = new Set(['absent', 'permission']);

function collectorFinding(collector: CollectorStatus, now: number): readonly Observation[] {
  const { name, state, error, lastSuccessAt } = collector;
  if (state !== 'failed' && state !== 'stale') return [];
  // What the kernel or the rights do not give is a lack that `status` shows, not a fault.
  if (state === 'failed' && error !== undefined && HARMLESS.has(error.reason)) return [];
  const age = lastSuccessAt === undefined ? undefined : formatSeconds(Math.max(0, (now - lastSuccessAt) / 1000));
  const why = error === undefined ? '' : plain(error.message);
  const text =
    state === 'stale'
      ? both(
          `采集器 ${name} 数据过期 ${age ?? '(从未成功)'}`,
          `collector ${name} is stale, last success ${age ?? 'never'}`,
        )
      : both(`采集器 ${name} 失败:${why}`, `collector ${name} fails: ${why}`);
  return [finding(`collector:${name}`, 1, text, [`state=${state}`, `last_success=${age ?? 'never'}`, `error=${why}`])];
}

function hungReads(collector: CollectorStatus, now: number): readonly Observation[] {
  return collector.quarantined.map(({ target, since, until }) => {
    const what = target === '' ? `collector:${collector.name}` : target;
    const seconds = Math.max(0, (now - since) / 1000);
    const text = both(
      `读取 ${plain(what)} 无响应 ${formatSeconds(seconds)}`,
      `reading ${plain(what)} has not answered for ${formatSeconds(seconds)}`,
    );
    return finding(`read:${what}`, seconds >= HUNG_CRIT_SECONDS ? 2 : 1, text, [
      `collector=${collector.name}`,
      `hung_since=${new Date(since).toISOString()}`,
      `tried_again=${new Date(until).toISOString()}`,
    ]);
  });
}

const failingParts = (facts: Facts): readonly Observation[] =>
  [...facts.parts()]
    .filter(([, health]) => health.state === 'failing')
    .map(([name, health]) => {
      const why = plain(health.reason ?? '?');
      const text = both(`守护进程部件 ${name} 故障:${why}`, `part ${name} of the daemon fails: ${why}`);
      return finding(`part:${name}`, 2, text, [`reason=${why}`, `remedy=${health.remedy ?? '-'}`]);
    });

export const daemon: Check = {
  code: 'DAEMON',
  area: 'daemon',
  unit: 'none',
  needs: [],
  limits: above(1, 2, 1, 2),
  source: 'our own: 1 is degraded, 2 is broken; a read that hangs for 10 minutes is broken',
  text: {
    title: both('守护进程自身', 'the daemon itself'),
    meaning: both(
      '采集器失败或数据过期、对某目标的读取无响应(已隔离)、某部件故障。出现时,其他检查项看不全。',
      'A collector fails or is stale, reading a target hangs (it is quarantined), or a part fails. While this lasts the other checks do not see everything.',
    ),
    remedy: both(
      '读取无响应:查对应的挂载或进程(NFS/FUSE 服务端、D 状态)。部件故障:看 jdos status 给出的处置建议与守护进程日志。',
      'A hung read: look at the mount or process (an NFS or FUSE server, state D). A failing part: follow the remedy in `jdos status` and the daemon’s log.',
    ),
  },
  evaluate(facts) {
    const collectors = facts.collectors();
    const found = [
      ...failingParts(facts),
      ...collectors.flatMap((collector) => hungReads(collector, facts.now)),
      ...collectors.flatMap((collector) => collectorFinding(collector, facts.now)),
    ];
    const unique = [...new Map(found.map((observation) => [observation.target, observation])).values()];
    const counts = [`collectors=${collectors.length}`, `parts=${facts.parts().size}`];
    const all: Observation = {
      target: HOST,
      value: 0,
      evidence: counts,
      facts: {
        zh: `${collectors.length} 个采集器、${facts.parts().size} 个部件`,
        en: `collectors: ${collectors.length}, parts: ${facts.parts().size}`,
      },
    };
    return { observations: unique.length === 0 ? [all] : unique.slice(0, MOST) };
  },
  line({ target, facts }, _value, verdict) {
    const zh = String(facts?.['zh'] ?? target);
    const en = String(facts?.['en'] ?? target);
    return verdict === 'ok' && target === HOST ? both(`${zh},均正常`, `${en}, all work`) : both(zh, en);
  },
  command: () => 'jdos status',
  samples: [
    {
      name: 'written: all well',
      collectors: [collector('meminfo', 'ok')],
      parts: { probes: { state: 'available' } },
      expect: { host: 'ok' },
    },
    {
      name: 'written: a failing part, a failed collector, a hung mount, one that is not permitted',
      collectors: [
        collector('meminfo', 'failed', { reason: 'failed', message: 'unexpected line' }),
        collector('processes', 'failed', { reason: 'permission', message: 'EACCES' }),
        {
          ...collector('filesystem', 'ok'),
          quarantined: [{ target: '/nfs', since: SAMPLE_NOW - 7_200_000, until: SAMPLE_NOW + 300_000 }],
        },
      ],
      parts: { report: { state: 'failing', reason: 'disk full' }, docker: { state: 'missing', reason: 'no socket' } },
      expect: { 'part:report': 'crit', 'read:/nfs': 'crit', 'collector:meminfo': 'warn' },
    },
  ],
};

function collector(name: string, state: CollectorStatus['state'], error?: CollectorStatus['error']): CollectorStatus {
  return {
    name,
    state,
    error,
    lastSuccessAt: SAMPLE_NOW,
    quarantined: [],
    series: 1,
    durationSeconds: 0,
    periodSeconds: 15,
    stretched: undefined,
    leftOut: [],
  };
}
