// The fixed words of the report's model in both languages; the headings and labels stand in the templates.
import type { Area, Locale, Verdict } from '../inspector/index.ts';

export type Shown = Exclude<Verdict, 'skipped'>;

/** The sign that carries a verdict where colours do not. */
export const SYMBOL = { crit: '✖', warn: '▲', unknown: '?', ok: '●' } as const satisfies Record<Shown, string>;

/** How a problem differs from the last report. */
export type Trend = 'added' | 'worse' | 'better' | 'recovering' | 'unchanged';

export interface Words {
  readonly verdict: Readonly<Record<Shown, string>>;
  readonly area: Readonly<Record<Area, string>>;
  readonly trend: Readonly<Record<Trend, string>>;
  readonly listComma: string;
  readonly cpus: (count: string) => string;
  readonly conclusion: (counts: { crit: number; warn: number; unknown: number }, partial: boolean) => string;
  readonly lost: (areas: readonly { name: string; points: number }[]) => string;
  readonly formula: (score: number, areas: readonly { name: string; points: number }[]) => string;
  readonly scoreRange: (days: number, low: number, high: number) => string;
  readonly first: string;
  /** Findings by what they say, the problems they were folded into, and how many more are muted. */
  readonly folded: (abnormal: string, unknown: string, problems: string, muted: number) => string;
  readonly rest: (count: number, marks: string) => string;
  readonly also: (targets: string, more: number) => string;
  readonly limit: (text: string) => string;
  readonly since: (duration: string, moment: string) => string;
  readonly recovering: (runs: number) => string;
  readonly more: (count: number) => string;
  readonly until: (moment: string) => string;
  readonly coverage: (
    percent: string,
    counts: { checked: string; ok: string; abnormal: string; unknown: string; skipped: string },
  ) => string;
  readonly took: (duration: string) => string;
  readonly cost: (cpu: string, memory: string) => string;
  readonly notSeen: string;
  readonly zone: (zone: string, offset: string) => string;
  readonly none: string;
}

const zh: Words = {
  verdict: { crit: '严重', warn: '警告', unknown: '未知', ok: '正常' },
  area: {
    cpu: 'CPU',
    memory: '内存',
    storage: '存储',
    network: '网络',
    processes: '进程',
    clock: '时钟',
    system: '系统',
    daemon: '探针',
  },
  trend: { added: '新增', worse: '变差', better: '好转', recovering: '恢复中', unchanged: '不变' },
  listComma: '、',
  cpus: (count) => `${count} 核`,
  conclusion: ({ crit, warn, unknown }, partial) => {
    const parts = [
      ...(crit > 0 ? [`${crit} 项须立即处理`] : []),
      ...(warn > 0 ? [`${warn} 项本周处理`] : []),
      ...(unknown > 0 ? [`${unknown} 项未能看到`] : []),
      ...(partial ? ['本次巡检不完整'] : []),
    ];
    return parts.length === 0 ? '各项均在限值之内，今天无须处理。' : `${parts.join('，')}。`;
  },
  lost: (areas) => (areas.length === 0 ? '' : `扣分：${areas.map((a) => `${a.name} ${a.points}`).join(' ')}`),
  formula: (score, areas) => `评分 ${score} = 100${areas.map((a) => ` − ${a.name} ${a.points}`).join('')}`,
  scoreRange: (days, low, high) => `近 ${days} 次 最低 ${low} 最高 ${high}`,
  first: '这是第一份报告：没有昨日可比，变化与趋势自下一份起列出。',
  folded: (abnormal, unknown, problems, muted) =>
    `${abnormal} 条异常 + ${unknown} 条未知 归并为 ${problems} 个问题${muted > 0 ? `，另 ${muted} 条已静默` : ''}`,
  rest: (count, marks) => `其余 ${count} 项 ${marks} 见附件 report.html 与 findings.csv`,
  also: (targets, more) => `同因：${targets}${more > 0 ? ` 等，另 ${more} 处见附件` : ''}`,
  limit: (text) => `限 ${text}`,
  since: (duration, moment) => `已 ${duration}(${moment} 起)`,
  recovering: (runs) => `恢复中：连续 ${runs} 次回到限值之内`,
  more: (count) => `另 ${count} 项见附件`,
  until: (moment) => `等到 ${moment}`,
  coverage: (percent, c) =>
    `覆盖 ${percent}：${c.checked} 项 = 正常 ${c.ok} + 异常 ${c.abnormal} + 未知 ${c.unknown} + 不适用 ${c.skipped}`,
  took: (duration) => `用时 ${duration}`,
  cost: (cpu, memory) => `探针自身 CPU ${cpu} 内存 ${memory}`,
  notSeen: '未知',
  zone: (zone, offset) => `时区 ${zone} (${offset})`,
  none: '无',
};

const en: Words = {
  verdict: { crit: 'critical', warn: 'warning', unknown: 'unknown', ok: 'ok' },
  area: {
    cpu: 'CPU',
    memory: 'Memory',
    storage: 'Storage',
    network: 'Network',
    processes: 'Process',
    clock: 'Clock',
    system: 'System',
    daemon: 'Daemon',
  },
  trend: { added: 'new', worse: 'worse', better: 'better', recovering: 'recovering', unchanged: 'unchanged' },
  listComma: ', ',
  cpus: (count) => `${count} CPUs`,
  conclusion: ({ crit, warn, unknown }, partial) => {
    const parts = [
      ...(crit > 0 ? [`${crit} to fix now`] : []),
      ...(warn > 0 ? [`${warn} to fix this week`] : []),
      ...(unknown > 0 ? [`${unknown} could not be seen`] : []),
      ...(partial ? ['this inspection is not complete'] : []),
    ];
    return parts.length === 0 ? 'all within limits.' : `${parts.join(', ')}.`;
  },
  lost: (areas) => (areas.length === 0 ? '' : `Points lost: ${areas.map((a) => `${a.name} ${a.points}`).join(', ')}`),
  formula: (score, areas) => `Score ${score} = 100${areas.map((a) => ` − ${a.name} ${a.points}`).join('')}`,
  scoreRange: (days, low, high) => `last ${days} reports: lowest ${low}, highest ${high}`,
  first: 'This is the first report: there is no yesterday to compare with. Changes and trend begin with the next one.',
  folded: (abnormal, unknown, problems, muted) =>
    `${abnormal} abnormal + ${unknown} unknown, folded into ${problems} ${problems === '1' ? 'problem' : 'problems'}${muted > 0 ? `; ${muted} more muted` : ''}`,
  rest: (count, marks) => `${count} more, ${marks}, in the attached report.html and findings.csv`,
  also: (targets, more) => `Same cause: ${targets}${more > 0 ? ` and ${more} more in the attachment` : ''}`,
  limit: (text) => `limit ${text}`,
  since: (duration, moment) => `for ${duration} (since ${moment})`,
  recovering: (runs) => `recovering: back within the limit for ${runs} ${runs === 1 ? 'run' : 'runs'}`,
  more: (count) => `${count} more in the attachment`,
  until: (moment) => `until ${moment}`,
  coverage: (percent, c) =>
    `Coverage ${percent}: ${c.checked} checked = ${c.ok} ok + ${c.abnormal} abnormal + ${c.unknown} unknown + ${c.skipped} skipped`,
  took: (duration) => `took ${duration}`,
  cost: (cpu, memory) => `the daemon itself: CPU ${cpu}, memory ${memory}`,
  notSeen: 'unknown',
  zone: (zone, offset) => `time zone ${zone} (${offset})`,
  none: 'none',
};

export const WORDS: Readonly<Record<Locale, Words>> = { 'zh-CN': zh, en };
