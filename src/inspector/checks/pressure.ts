// PRESSURE: the share of time in which work waited for memory or for I/O (PSI).
import { above, HOST, readAt, scalar, type Check, type Facts, type Remembered } from '../check.ts';
import type { Observation } from '../model.ts';
import { absent, both, percent } from '../wording.ts';

const MEMORY_SOME = 'node_pressure_memory_waiting_seconds_total';
const MEMORY_FULL = 'node_pressure_memory_stalled_seconds_total';
const IO_SOME = 'node_pressure_io_waiting_seconds_total';
const IO_FULL = 'node_pressure_io_stalled_seconds_total';
const SERIES = [MEMORY_SOME, MEMORY_FULL, IO_SOME, IO_FULL];

const LEAST_SECONDS = 60;
const MOST_SECONDS = 3600;

/**
 * The share of time spent waiting since the value remembered last, over one minute to one hour.
 * Undefined without such a value, and after a counter went back (reboot).
 */
function share(facts: Facts, metric: string): { readonly ratio: number; readonly seconds: number } | undefined {
  const now = scalar(facts, metric);
  const past = facts.past(metric, LEAST_SECONDS);
  if (now === undefined || past === undefined || now < past.value) return undefined;
  const seconds = (readAt(facts, metric) - past.at) / 1000;
  if (seconds <= 0 || seconds > MOST_SECONDS) return undefined;
  return { ratio: Math.min(1, (now - past.value) / seconds), seconds };
}

function observe(facts: Facts, target: 'memory' | 'io', some: string, full: string): Observation | undefined {
  if (scalar(facts, some) === undefined) return absent(facts, some, target);
  const waiting = share(facts, some);
  if (waiting === undefined) return undefined;
  const stalled = share(facts, full);
  const evidence = [
    `some=${percent(waiting.ratio)}`,
    ...(stalled === undefined ? [] : [`full=${percent(stalled.ratio)}`]),
    `over=${Math.round(waiting.seconds)} s`,
  ];
  const fullLimits = target === 'memory' ? pressure.variants?.['memory-full']?.limits : undefined;
  const seconds = Math.round(waiting.seconds);
  if (fullLimits !== undefined && stalled !== undefined && stalled.ratio >= fullLimits.crit) {
    return { target, value: stalled.ratio, evidence, variant: 'memory-full', facts: { seconds, kind: 'full' } };
  }
  return { target, value: waiting.ratio, evidence, variant: target, facts: { seconds, kind: 'some' } };
}

export const pressure: Check = {
  code: 'PRESSURE',
  area: 'memory',
  unit: 'ratio',
  needs: SERIES,
  lookBack: [LEAST_SECONDS],
  limits: above(0.1, 0.4, 0.08, 0.35),
  variants: {
    memory: { limits: above(0.1, 0.4, 0.08, 0.35) },
    'memory-full': { limits: above(0.05, 0.05, 0.04, 0.04) },
    io: { limits: above(0.4, 0.6, 0.35, 0.55), area: 'storage' },
  },
  source: 'our own; PSI: Documentation/accounting/psi.rst',
  text: {
    title: both('内存与 I/O 压力', 'memory and I/O pressure'),
    meaning: both(
      '上次观测以来,至少一个任务 (some) 或所有任务 (full) 等待内存或 I/O 的时间占比。它是资源不足最早的信号。',
      'The share of time since the last observation in which at least one task (some) or all of them (full) waited for memory or I/O. The earliest sign of a shortage.',
    ),
    remedy: both(
      '内存:找回收最频繁的 cgroup(memory.pressure),调限额或迁走。I/O:找读写最多的进程与慢盘。',
      'Memory: find the cgroup that reclaims most (memory.pressure), adjust limits or move it. I/O: find the heaviest readers and writers, and the slow disk.',
    ),
  },
  evaluate(facts) {
    const observations = [
      observe(facts, 'memory', MEMORY_SOME, MEMORY_FULL),
      observe(facts, 'io', IO_SOME, IO_FULL),
    ].filter((observation) => observation !== undefined);
    const remember = SERIES.flatMap((series): Remembered[] => {
      const value = scalar(facts, series);
      return value === undefined ? [] : [{ series, at: readAt(facts, series), value }];
    });
    if (observations.length === 2) return { observations, remember };
    const reason = both('压力需要间隔至少 1 分钟的两次观测', 'pressure needs two observations at least a minute apart');
    return { observations, remember, waiting: { until: facts.now + LEAST_SECONDS * 1000, reason } };
  },
  line({ target, facts }, value, verdict, limit) {
    const io = target === 'io';
    const full = facts?.['kind'] === 'full';
    const over = facts?.['seconds'] ?? '?';
    const zh = `${io ? 'I/O' : '内存'}压力${verdict === 'ok' ? '' : '过高'}`;
    const who = full ? ['所有任务同时等待', 'all tasks waited'] : ['有任务等待', 'some task waited'];
    return both(
      `${zh} ${percent(value)} 的时间${who[0]}(限 ${percent(limit)}),近 ${over} s`,
      `${verdict === 'ok' ? '' : 'high '}${io ? 'I/O' : 'memory'} pressure: ${who[1]} ${percent(value)} of the time (limit ${percent(limit)}), last ${over} s`,
    );
  },
  command: ({ target }) => (target === HOST ? undefined : `cat /proc/pressure/${target}`),
  samples: [
    sample('written: idle', { memory: [0, 0], io: [3, 1] }, { memory: 'ok', io: 'ok' }),
    sample('written: memory 15 %, I/O 50 %', { memory: [45, 3], io: [150, 90] }, { memory: 'warn', io: 'warn' }),
    sample('written: memory full 6 %, I/O 70 %', { memory: [30, 18], io: [210, 0] }, { memory: 'crit', io: 'crit' }),
    {
      name: 'written: the first observation',
      metrics: Object.fromEntries(SERIES.map((name) => [name, [{ labels: {}, value: 1 }]])),
      expect: {},
      waiting: true,
    },
    {
      name: 'written: a kernel without PSI',
      metrics: Object.fromEntries(SERIES.map((name) => [name, []])),
      expect: { memory: 'skipped', io: 'skipped' },
    },
  ],
};

/** Counters that grew by so many seconds (some, full) within 300 seconds. */
function sample(
  name: string,
  grew: Readonly<Record<'memory' | 'io', readonly [number, number]>>,
  expect: Check['samples'][number]['expect'],
): Check['samples'][number] {
  const growth = [...grew.memory, ...grew.io];
  return {
    name,
    metrics: Object.fromEntries(SERIES.map((series, i) => [series, [{ labels: {}, value: 100 + (growth[i] ?? 0) }]])),
    past: Object.fromEntries(SERIES.map((series) => [series, [{ ageSeconds: 300, value: 100 }]])),
    expect,
  };
}
