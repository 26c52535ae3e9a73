// Written inputs for report tests: a first report, a green day, a bad day, a recovering day, and random ones.
import {
  AREAS,
  isFinding,
  type Area,
  type Change,
  type CheckText,
  type ReportInput,
  type Result,
  type Run,
  type Unit,
  type Verdict,
} from '../../src/inspector/index.ts';
import { scoreOf } from '../../src/inspector/score.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** 2026-11-23 08:00:00 in Asia/Shanghai. */
export const MORNING = Date.UTC(2026, 10, 23, 0, 0, 0);
export const ZONE = 'Asia/Shanghai';

const check = (code: string, zh: string, en: string, remedyZh: string, remedyEn: string): CheckText => ({
  code,
  title: { 'zh-CN': zh, en },
  meaning: { 'zh-CN': `${zh}的含义。`, en: `What ${en} means.` },
  remedy: { 'zh-CN': remedyZh, en: remedyEn },
});

export const CHECKS: ReadonlyMap<string, CheckText> = new Map(
  [
    check(
      'DISK_FULL',
      '磁盘将满',
      'Disk nearly full',
      '找出增长最快的目录，清理或扩容',
      'Find what grows fastest; clean it up or extend the volume',
    ),
    check(
      'DISK_FILLING',
      '磁盘增长过快',
      'Disk filling up',
      '确认写入者,预计写满前扩容',
      'Find the writer and extend the volume before it is full',
    ),
    check(
      'FD_LEAK',
      'fd 泄漏',
      'File descriptor leak',
      '对比最近上线，重启前先留 lsof 结果',
      'Compare with the last release; keep the output of lsof before a restart',
    ),
    check('MEMORY_LOW', '可用内存不足', 'Memory low', '找出占用最大的进程组', 'Find the largest process group'),
    check('CLOCK_OFFSET', '时钟偏移', 'Clock offset', '检查 chrony 的时间源', 'Check the sources of chrony'),
    check('LOAD_HIGH', '负载过高', 'Load high', '看是 CPU 还是 I/O 等待', 'Tell CPU from I/O wait first'),
    check(
      'OOM_KILLED',
      '进程被 OOM 杀死',
      'Process killed for memory',
      '核对 cgroup 限额',
      'Check the limit of the cgroup',
    ),
    check(
      'REBOOTED',
      '主机重启过',
      'Host rebooted',
      '查看重启前最后的内核日志',
      'Read the last kernel messages before the reboot',
    ),
    check(
      'D_STATE',
      '不可中断进程',
      'Uninterruptible processes',
      '看其等待的内核函数',
      'See which kernel function they wait in',
    ),
    check('SELF_COST', '探针开销', 'Cost of the daemon', '调大 probes.periodSeconds', 'Raise probes.periodSeconds'),
    check('SMART_FAILING', '磁盘自检失败', 'Disk self-test failing', '备份并更换磁盘', 'Back up and replace the disk'),
  ].map((text) => [text.code, text]),
);

interface Draft {
  readonly code: string;
  readonly area: Area;
  readonly target: string;
  readonly verdict: Verdict;
  readonly zh: string;
  readonly en: string;
  readonly value?: number;
  readonly unit?: Unit;
  readonly limit?: number;
  readonly evidence?: readonly string[];
  readonly hours?: number;
  readonly streak?: number;
  readonly command?: string;
}

export const result = (draft: Draft): Result => ({
  code: draft.code,
  area: draft.area,
  target: draft.target,
  verdict: draft.verdict,
  value: draft.value,
  unit: draft.unit ?? 'none',
  limit: draft.limit,
  evidence: draft.evidence ?? [],
  line: { 'zh-CN': draft.zh, en: draft.en },
  since: MORNING - (draft.hours ?? 30) * HOUR,
  streak: draft.streak ?? 0,
  ...(draft.command === undefined ? {} : { command: draft.command }),
});

const fine = (code: string, area: Area, target: string): Result =>
  result({
    code,
    area,
    target,
    verdict: 'ok',
    zh: `${target} 正常`,
    en: `${target} is fine`,
    value: 0.2,
    unit: 'ratio',
    limit: 0.85,
  });
const absent = (code: string, area: Area, target: string): Result =>
  result({ code, area, target, verdict: 'skipped', zh: `${target}:本机没有`, en: `${target}: this host has none` });

const QUIET: readonly Result[] = [
  ...['/', '/boot', '/export', '/data1', '/data2', '/data3'].map((m) => fine('DISK_FULL', 'storage', m)),
  ...['order-api', 'cart-api', 'search-rank', 'nginx'].map((m) => fine('FD_LEAK', 'processes', m)),
  fine('MEMORY_LOW', 'memory', 'host'),
  fine('CLOCK_OFFSET', 'clock', 'host'),
  fine('LOAD_HIGH', 'cpu', 'host'),
  fine('OOM_KILLED', 'memory', 'host'),
  fine('REBOOTED', 'system', 'host'),
  fine('CONNTRACK', 'network', 'host'),
  fine('OVS_ALIVE', 'network', 'ovs-vswitchd'),
  fine('D_STATE', 'processes', 'host'),
  fine('SELF_COST', 'daemon', 'host'),
  absent('SMART_FAILING', 'storage', 'sda'),
];

const bad = {
  full: result({
    code: 'DISK_FULL',
    area: 'storage',
    target: '/export',
    verdict: 'crit',
    value: 0.967,
    unit: 'ratio',
    limit: 0.95,
    hours: 4.8,
    zh: '/export 已用 96.7 %(限 95 %),余 33 GiB,约 9.5 小时后写满',
    en: '/export is 96.7 % full (limit 95 %), 33 GiB left, full in about 9.5 h',
    evidence: ['avail=33 GiB', 'size=1.0 TiB', 'growth=+3.1 GiB/h', 'deleted-open=38 GiB (pid 3120)'],
    command: 'df -h /export',
  }),
  full2: result({
    code: 'DISK_FULL',
    area: 'storage',
    target: '/data1',
    verdict: 'warn',
    value: 0.91,
    unit: 'ratio',
    limit: 0.85,
    hours: 30,
    zh: '/data1 已用 91 %(限 85 %)',
    en: '/data1 is 91 % full (limit 85 %)',
  }),
  full3: result({
    code: 'DISK_FULL',
    area: 'storage',
    target: '/data2',
    verdict: 'warn',
    value: 0.88,
    unit: 'ratio',
    limit: 0.85,
    hours: 7,
    zh: '/data2 已用 88 %(限 85 %)',
    en: '/data2 is 88 % full (limit 85 %)',
  }),
  fds: ['order-api', 'cart-api', 'search-rank'].map((target, i) =>
    result({
      code: 'FD_LEAK',
      area: 'processes',
      target,
      verdict: 'warn',
      value: 52_000 - i * 900,
      unit: 'count',
      limit: 45_875,
      hours: 26 - i,
      zh: `${target} 打开 ${(52_000 - i * 900).toLocaleString('en')} 个 fd(限 45,875 个),+220 个/h,约 31 小时触及上限`,
      en: `${target} holds ${(52_000 - i * 900).toLocaleString('en')} fds (limit 45,875), +220 per hour, at its maximum in about 31 h`,
      evidence: ['pid=3120', 'max=65536', 'type=socket 91 %'],
      command: 'lsof -p 3120 | head -50',
    }),
  ),
  clock: result({
    code: 'CLOCK_OFFSET',
    area: 'clock',
    target: 'host',
    verdict: 'warn',
    value: -0.074,
    unit: 'seconds',
    limit: 0.05,
    hours: 60,
    zh: '时钟慢 74 ms(限 50 ms),时间源 2 个均不可达',
    en: 'the clock is 74 ms slow (limit 50 ms), both time sources are unreachable',
    evidence: ['source=ntp1.example (unreachable)', 'stratum=16'],
    command: 'chronyc sources -v',
  }),
  memory: result({
    code: 'MEMORY_LOW',
    area: 'memory',
    target: 'host',
    verdict: 'warn',
    value: 0.063,
    unit: 'ratio',
    limit: 0.1,
    hours: 2,
    zh: '可用内存 6.3 %(限 10 %),合 2.0 GiB',
    en: 'available memory is 6.3 % (limit 10 %), 2.0 GiB',
    evidence: ['MemAvailable=2.0 GiB', 'largest=java 19.4 GiB'],
    command: 'jdos top --by memory',
  }),
  load: result({
    code: 'LOAD_HIGH',
    area: 'cpu',
    target: 'host',
    verdict: 'warn',
    value: 2.31,
    unit: 'load',
    limit: 2,
    hours: 1.2,
    zh: '15 分钟负载为每核 2.31(限 2.00)',
    en: '15-minute load is 2.31 per CPU (limit 2.00)',
  }),
  oom: result({
    code: 'OOM_KILLED',
    area: 'memory',
    target: 'host',
    verdict: 'warn',
    value: 3,
    unit: 'count',
    limit: 0,
    hours: 5,
    zh: '24 小时内 OOM 杀死 3 个进程(限 0 个),最近 java (pid 20817)',
    en: '3 processes killed for memory in 24 h (limit 0), last java (pid 20817)',
    evidence: ['cgroup=/kubepods/burstable/pod7f21'],
    command: 'journalctl -k --grep oom-kill --since "24 hours ago"',
  }),
  dstate: result({
    code: 'D_STATE',
    area: 'processes',
    target: 'host',
    verdict: 'warn',
    value: 4,
    unit: 'count',
    limit: 2,
    hours: 0.4,
    zh: '4 个进程停在 D 状态超过 60 s(限 2 个)',
    en: '4 processes in state D for more than 60 s (limit 2)',
  }),
  cost: result({
    code: 'SELF_COST',
    area: 'daemon',
    target: 'host',
    verdict: 'warn',
    value: 0.031,
    unit: 'ratio',
    limit: 0.02,
    hours: 3,
    zh: '探针自身占 CPU 3.1 %(限 2 %)',
    en: 'the daemon itself uses 3.1 % of a CPU (limit 2 %)',
  }),
  smart: ['sda', 'sdb'].map((target) =>
    result({
      code: 'SMART_FAILING',
      area: 'storage',
      target,
      verdict: 'unknown',
      hours: 30,
      zh: `${target}:看不到自检结果(没有权限读 /dev/${target})`,
      en: `${target}: self-test not visible (no permission to read /dev/${target})`,
      evidence: ['errno=EACCES'],
    }),
  ),
};

const run = (results: readonly Result[], over: Partial<Run> = {}): Run => ({
  id: '20261123-080000-7f3a',
  host: 'hb1-h031.example.com',
  startedAt: MORNING,
  finishedAt: MORNING + 1240,
  state: 'complete',
  missing: [],
  results,
  waiting: [],
  ...scoreOf(results),
  ...over,
});

const input = (today: Run, over: Partial<ReportInput> = {}): ReportInput => ({
  run: today,
  previous: undefined,
  change: undefined,
  period: { from: MORNING - DAY, to: MORNING },
  host: {
    name: 'hb1-h031.example.com',
    os: 'Debian GNU/Linux 12',
    kernel: 'Linux 6.1.0-28-amd64',
    cpus: 32,
    memoryBytes: 32 * 1024 ** 3,
  },
  worst: [
    { label: { 'zh-CN': 'fd 占上限', en: 'fds of limit' }, text: 'order-api 79.3 %' },
    { label: { 'zh-CN': '内存', en: 'memory' }, text: 'java 19.4 GiB' },
    { label: { 'zh-CN': 'CPU', en: 'CPU' }, text: 'search-rank 11.2 / 32' },
    { label: { 'zh-CN': '磁盘', en: 'disk' }, text: '/export 96.7 %' },
    { label: { 'zh-CN': 'D 状态', en: 'state D' }, text: '0' },
  ],
  cost: { cpuRatio: 0.006, memoryBytes: 112 * 1024 ** 2 },
  checks: CHECKS,
  ...over,
  scores: [...(over.scores ?? []).slice(0, -1), today.score],
});

const yesterday = (score: number, results: readonly Result[]): Run =>
  run(results, { id: '20261122-080000-11c0', startedAt: MORNING - DAY, finishedAt: MORNING - DAY + 1300, score });

const without = (codes: readonly string[], targets?: readonly string[]): readonly Result[] =>
  QUIET.filter((r) => !(codes.includes(r.code) && (targets === undefined || targets.includes(r.target))));

const over = (found: readonly Result[]): readonly Result[] => [
  ...QUIET.filter((quiet) => !found.some((r) => r.code === quiet.code && r.target === quiet.target)),
  ...found,
];

const badResults = over([
  bad.full,
  bad.full2,
  bad.full3,
  ...bad.fds,
  bad.clock,
  bad.memory,
  bad.load,
  bad.oom,
  bad.dstate,
  { ...bad.cost, muted: { until: MORNING + 34 * HOUR, reason: 'OPS-1187' } },
  ...bad.smart,
]);

const badChange: Change = {
  added: [bad.full, bad.memory, bad.load, bad.oom],
  worse: [bad.clock, ...bad.fds.slice(0, 1)],
  better: [bad.full3],
  unchanged: [bad.full2, ...bad.fds.slice(1), bad.dstate, ...bad.smart],
  gone: [
    result({ code: 'REBOOTED', area: 'system', target: 'host', verdict: 'warn', zh: '主机重启过', en: 'rebooted' }),
    result({
      code: 'DISK_FULL',
      area: 'storage',
      target: '/data3',
      verdict: 'warn',
      zh: '/data3 已用 86 %',
      en: '/data3 86 %',
    }),
  ],
};

export const SAMPLES: Readonly<Record<'first' | 'green' | 'bad' | 'recovering', ReportInput>> = {
  first: input(
    run([...without(['DISK_FULL'], ['/data1']), bad.full2], {
      waiting: [
        {
          code: 'DISK_FILLING',
          until: MORNING + 6 * HOUR,
          reason: { 'zh-CN': '需要 6 小时的历史', en: 'needs 6 h of history' },
        },
        {
          code: 'FD_LEAK',
          until: MORNING + DAY,
          reason: { 'zh-CN': '需要 24 小时的历史', en: 'needs 24 h of history' },
        },
      ],
    }),
  ),
  green: input(run(QUIET), {
    previous: yesterday(100, QUIET),
    change: { added: [], worse: [], better: [], unchanged: [], gone: [] },
    scores: [100, 100, 98, 100, 100, 92, 96, 100, 100, 100, 100, 100, 100, 100],
  }),
  bad: input(
    run(badResults, {
      state: 'partial',
      missing: [{ 'zh-CN': 'OVS:没有可读的 db.sock', en: 'OVS: no readable db.sock' }],
      waiting: [
        {
          code: 'DISK_FILLING',
          until: MORNING + 6 * HOUR,
          reason: { 'zh-CN': '需要 6 小时的历史', en: 'needs 6 h of history' },
        },
      ],
    }),
    {
      previous: yesterday(87, QUIET),
      change: badChange,
      scores: [96, 96, 98, 100, 100, 92, 90, 91, 88, 92, 90, 85, 87, 58],
    },
  ),
  recovering: input(
    run(
      [
        ...without(['DISK_FULL'], ['/data1', '/export']),
        {
          ...bad.full2,
          value: 0.84,
          streak: 2,
          line: { 'zh-CN': '/data1 已用 84 %(限 85 %)', en: '/data1 is 84 % full (limit 85 %)' },
        },
        fine('DISK_FULL', 'storage', '/export'),
      ],
      {},
    ),
    {
      previous: yesterday(71, QUIET),
      change: { added: [], worse: [], better: [], unchanged: [bad.full2], gone: [bad.full, bad.memory, ...bad.fds] },
      scores: [71, 96],
    },
  ),
};

/** A report input of any kind; also hostile names. */
export function randomInput(next: () => number): ReportInput {
  const pick = <T>(items: readonly T[]): T => items[Math.floor(next() * items.length)] as T;
  const verdicts: readonly Verdict[] = ['ok', 'ok', 'ok', 'skipped', 'unknown', 'warn', 'crit'];
  const codes = [...CHECKS.keys(), 'UNLISTED'];
  const names = [
    '/',
    '/data',
    'host',
    'a\r\nBcc: x@y',
    '<script>',
    '=cmd()',
    '容器-订单',
    '\u202egnp',
    'x'.repeat(400),
  ];
  const results = Array.from({ length: Math.floor(next() * 60) }, (_, i): Result => {
    const verdict = pick(verdicts);
    const seen = verdict !== 'unknown' && verdict !== 'skipped';
    const target = `${pick(names)}${i}`;
    return {
      code: pick(codes),
      area: pick(AREAS),
      target,
      verdict,
      value: seen ? next() * 2 - 0.5 : undefined,
      unit: pick(['ratio', 'bytes', 'seconds', 'count', 'load', 'none'] as const),
      limit: seen ? next() : undefined,
      evidence: [`name=${target}`],
      line: { 'zh-CN': `${target} 为 1 %(限 2 %)`, en: `${target} is 1 % (limit 2 %)` },
      since: MORNING - next() * 30 * DAY,
      streak: Math.floor(next() * 3),
      ...(next() < 0.1 ? { muted: { until: MORNING + DAY, reason: `why ${target}` } } : {}),
      ...(next() < 0.5 ? { command: `ls ${target}` } : {}),
    };
  });
  const found = results.filter(isFinding);
  const first = next() < 0.2;
  return input(
    run(results, { state: next() < 0.2 ? 'partial' : 'complete' }),
    first
      ? {}
      : { previous: yesterday(90, []), change: { added: found, worse: [], better: [], unchanged: [], gone: [] } },
  );
}
