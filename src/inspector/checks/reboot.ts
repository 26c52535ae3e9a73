// REBOOT: whether the host was booted anew since it was last seen.
import { formatSeconds } from '../../base/units.ts';
import { below, DAY_SECONDS, HOST, readAt, SAMPLE_NOW, scalar, type Check } from '../check.ts';
import type { Localized } from '../model.ts';
import { absent, both } from '../wording.ts';

const BOOT = 'node_boot_time_seconds';
const REASON = 'jdos_last_reboot_info';
/** The boot time is counted back from the clock: a step of the clock moves it a little. */
const SAME_BOOT_SECONDS = 60;

/** By the reason that the probes give; others are shown as they are. */
const WHY: Readonly<Record<string, Localized>> = {
  panic: both('内核 panic', 'a kernel panic'),
  watchdog: both('看门狗复位', 'a reset by the watchdog'),
  hardware: both('硬件故障', 'broken hardware'),
  overheating: both('过热', 'overheating'),
  oops: both('内核 oops', 'a kernel oops'),
  lockup: both('内核死锁', 'a lockup'),
  hang: both('任务挂死', 'hung tasks'),
  out_of_memory: both('内存耗尽', 'want of memory'),
};

export const reboot: Check = {
  code: 'REBOOT',
  area: 'system',
  unit: 'seconds',
  needs: [BOOT, REASON],
  lookBack: [DAY_SECONDS],
  limits: below(DAY_SECONDS, 0, DAY_SECONDS, 0),
  variants: { unplanned: { limits: below(DAY_SECONDS, DAY_SECONDS, DAY_SECONDS, DAY_SECONDS) } },
  source: 'our own: a reboot stands in one daily report, as critical where something tells of a failure before it',
  text: {
    title: both('主机重启', 'reboot'),
    meaning: both(
      '与此前观测相比启动时间是否变化。24 小时内有过重启即提示;首次巡检之前的重启不算。',
      'Whether the boot time differs from the one observed before. A reboot within 24 hours is shown; one before the first inspection is not.',
    ),
    remedy: both(
      '若非计划内,查上次启动的末尾日志、pstore 与硬件日志;确认容器均已恢复。',
      'If it was not planned, read the end of the previous boot’s log, pstore and the hardware log; make sure all containers are back.',
    ),
  },
  evaluate(facts) {
    const boot = scalar(facts, BOOT);
    if (boot === undefined) return { observations: [absent(facts, BOOT, HOST)] };
    const before = facts.past(BOOT, DAY_SECONDS) ?? facts.oldest(BOOT);
    const uptime = Math.max(0, Math.round(facts.now / 1000 - boot));
    const changed = before !== undefined && boot - before.value > SAME_BOOT_SECONDS;
    const { reason, source } = facts.samples(REASON)?.[0]?.labels ?? {};
    const why = reason === undefined ? undefined : (WHY[reason] ?? both(reason, reason));
    return {
      observations: [
        {
          target: HOST,
          value: uptime,
          evidence: [
            `booted=${iso(boot)}`,
            ...(changed && before !== undefined ? [`booted_before=${iso(before.value)}`] : []),
            ...(reason === undefined ? [] : [`reason=${reason}`, `told_by=${source ?? '?'}`]),
          ],
          ...(changed ? {} : { atMost: 'ok' as const }),
          ...(why === undefined ? {} : { variant: 'unplanned', facts: { zh: why['zh-CN'], en: why.en } }),
        },
      ],
      remember: [{ series: BOOT, at: readAt(facts, BOOT), value: boot }],
    };
  },
  line({ facts }, value, verdict) {
    const up = formatSeconds(value);
    const [zh, en] = facts === undefined ? ['', ''] : [`,此前:${facts['zh']}`, `, after ${facts['en']}`];
    return verdict === 'ok'
      ? both(`已运行 ${up}`, `up for ${up}`)
      : both(`主机重启过,已运行 ${up}(24 h 内)${zh}`, `the host was rebooted, up for ${up} (within 24 h)${en}`);
  },
  command: () => 'journalctl -b -1 -n 50 --no-pager',
  samples: [
    written('up for a month', 30 * DAY_SECONDS, 30 * DAY_SECONDS, 'ok'),
    written('booted an hour ago', 3600, 30 * DAY_SECONDS, 'warn'),
    written('booted an hour ago, seen for the first time', 3600, undefined, 'ok'),
    written('booted an hour ago after a panic', 3600, 30 * DAY_SECONDS, 'crit', 'panic'),
    written('a panic before it was booted a month ago', 30 * DAY_SECONDS, 30 * DAY_SECONDS, 'ok', 'panic'),
  ],
};

function iso(seconds: number): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? String(seconds) : date.toISOString();
}

function written(
  name: string,
  upSeconds: number,
  upBefore: number | undefined,
  verdict: 'ok' | 'warn' | 'crit',
  reason?: string,
): Check['samples'][number] {
  const now = SAMPLE_NOW / 1000;
  return {
    name: `written: ${name}`,
    metrics: {
      [BOOT]: [{ labels: {}, value: now - upSeconds }],
      [REASON]: reason === undefined ? [] : [{ labels: { reason, source: 'pstore' }, value: 1 }],
    },
    ...(upBefore === undefined ? {} : { past: { [BOOT]: [{ ageSeconds: DAY_SECONDS + 60, value: now - upBefore }] } }),
    expect: { host: verdict },
  };
}
