// OVS_ALIVE: whether the two servers of Open vSwitch answer.
import { formatSeconds } from '../../base/units.ts';
import { above, HOST, scalar, type Check, type Facts, type Sample } from '../check.ts';
import type { Localized, Observation } from '../model.ts';
import { absent, both, decimal } from '../wording.ts';
import { noSwitch, PRESENT, VSWITCHD } from './ovs-presence.ts';

const OVSDB = 'jdos_ovs_ovsdb_up';
const WAITING = 'jdos_ovs_unixctl_waiting_seconds';
const ROUND_TRIP = 'jdos_ovs_unixctl_round_trip_seconds';
const SERVERS = [
  ['ovs-vswitchd', VSWITCHD],
  ['ovsdb-server', OVSDB],
] as const;
/** ovs-vswitchd complains itself of rounds of its main loop that take so long (lib/timeval.c). */
const SLOW_SECONDS = 1;

const WHY: Readonly<Record<string, Localized>> = {
  missing: both('没有套接字', 'has no socket'),
  down: both('未运行', 'does not run'),
  hung: both('不应答', 'does not answer'),
  garbled: both('应答无法理解', 'answers what makes no sense'),
};

function server(facts: Facts, target: string, metric: string): Observation {
  const sample = facts.samples(metric)?.[0];
  if (sample === undefined) return absent(facts, metric, target);
  const why = sample.labels['reason'] ?? '';
  if (why === 'forbidden') {
    const reason = both('没有打开其套接字的权限', 'the daemon may not open its socket');
    return { target, value: undefined, missing: { verdict: 'unknown', reason }, evidence: ['reason=forbidden'] };
  }
  const isSwitch = metric === VSWITCHD;
  const waiting = isSwitch ? (scalar(facts, WAITING) ?? 0) : 0;
  const roundTrip = isSwitch ? scalar(facts, ROUND_TRIP) : undefined;
  const slow = roundTrip !== undefined && roundTrip > SLOW_SECONDS;
  const known = WHY[why] ?? both(why, why);
  const since = waiting > 0 ? formatSeconds(waiting) : '';
  return {
    target,
    value: sample.value !== 1 ? 2 : slow ? 1 : 0,
    evidence: [
      `up=${sample.value}`,
      ...(why === '' ? [] : [`reason=${why}`]),
      ...(since === '' ? [] : [`waiting=${since}`]),
      ...(roundTrip === undefined ? [] : [`round_trip_ms=${decimal(roundTrip * 1000)}`]),
    ],
    facts: { zh: known['zh-CN'], en: known.en, since, roundTrip: decimal(roundTrip ?? 0) },
  };
}

export const ovsAlive: Check = {
  code: 'OVS_ALIVE',
  area: 'network',
  unit: 'none',
  needs: [PRESENT, VSWITCHD, OVSDB, WAITING, ROUND_TRIP],
  limits: above(1, 2, 1, 2),
  source:
    'hotsos (service restarts, "Unreasonably long" poll intervals of 1 s): 1 is slower than a second, 2 does not answer',
  text: {
    title: both('Open vSwitch 服务', 'Open vSwitch answers'),
    meaning: both(
      'ovs-vswitchd 与 ovsdb-server 是否应答。vswitchd 停止后:已有流表继续转发,新连接、端口变更、LACP 全部失效。',
      'Whether ovs-vswitchd and ovsdb-server answer. Without ovs-vswitchd, flows that are known go on; new ones, changes of ports and LACP do not.',
    ),
    remedy: both(
      '未运行:看其日志后重启服务。不应答:看进程是否 D/T 状态、CPU 是否被 cgroup 限制、是否在换页。',
      'Not running: read its log, then start the service. Not answering: see whether it is stopped or in state D, starved of CPU by a cgroup, or paging.',
    ),
  },
  evaluate(facts) {
    const none = noSwitch(facts);
    return {
      observations: none !== undefined ? [none] : SERVERS.map(([target, metric]) => server(facts, target, metric)),
    };
  },
  line({ target, facts }, value) {
    if (value === 0) return both(`${target} 正常`, `${target} answers`);
    const roundTrip = facts?.['roundTrip'] ?? '?';
    if (value === 1) {
      return both(
        `${target} 应答缓慢:${roundTrip} s(限 ${SLOW_SECONDS} s)`,
        `${target} answers slowly: ${roundTrip} s (limit ${SLOW_SECONDS} s)`,
      );
    }
    const since = facts?.['since'] ?? '';
    return both(
      `${target} ${facts?.['zh'] ?? ''}${since === '' ? '' : `,已 ${since}`}`,
      `${target} ${facts?.['en'] ?? ''}${since === '' ? '' : `, for ${since}`}`,
    );
  },
  command: ({ target }) => (target === HOST ? undefined : `ps -C ${target} -o pid,stat,etime,pcpu,wchan:32,args`),
  samples: [
    written('both answer', ['', 1], ['', 1], { round: 0.002 }, { 'ovs-vswitchd': 'ok', 'ovsdb-server': 'ok' }),
    written(
      'ovs-vswitchd was stopped, its socket accepts',
      ['hung', 0],
      ['', 1],
      { waiting: 95 },
      { 'ovs-vswitchd': 'crit', 'ovsdb-server': 'ok' },
    ),
    written(
      'ovs-vswitchd is slow, the database is down',
      ['', 1],
      ['down', 0],
      { round: 2.5 },
      { 'ovs-vswitchd': 'warn', 'ovsdb-server': 'crit' },
    ),
    written(
      'not permitted',
      ['forbidden', 0],
      ['forbidden', 0],
      {},
      { 'ovs-vswitchd': 'unknown', 'ovsdb-server': 'unknown' },
    ),
    {
      name: 'written: a host without Open vSwitch',
      metrics: { [PRESENT]: [{ labels: {}, value: 0 }] },
      expect: { host: 'skipped' },
    },
  ],
};

function written(
  name: string,
  vswitchd: readonly [string, number],
  ovsdb: readonly [string, number],
  { waiting = 0, round }: { readonly waiting?: number; readonly round?: number },
  expect: Sample['expect'],
): Sample {
  const one = ([reason, value]: readonly [string, number]) => [{ labels: { reason }, value }];
  return {
    name: `written: ${name}`,
    metrics: {
      [PRESENT]: [{ labels: {}, value: 1 }],
      [VSWITCHD]: one(vswitchd),
      [OVSDB]: one(ovsdb),
      [WAITING]: [{ labels: {}, value: waiting }],
      ...(round === undefined ? {} : { [ROUND_TRIP]: [{ labels: {}, value: round }] }),
    },
    expect,
  };
}
