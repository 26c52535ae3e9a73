// CLOCK_SYNC: whether something keeps the clock right, and since when it was not set.
import { formatSeconds } from '../../base/units.ts';
import { above, DAY_SECONDS, HOST, SAMPLE_NOW, scalar, type Check } from '../check.ts';
import { absent, both } from '../wording.ts';

const SYNCHRONIZED = 'jdos_clock_synchronized';
const LAST = 'jdos_clock_last_synchronized_timestamp_seconds';

export const clockSync: Check = {
  code: 'CLOCK_SYNC',
  area: 'clock',
  unit: 'seconds',
  needs: [SYNCHRONIZED, LAST],
  limits: above(32_000, DAY_SECONDS, 32_000, DAY_SECONDS),
  variants: { never: { limits: above(1, 2, 1, 2), unit: 'none' } },
  source:
    'adjtimex(2): STA_UNSYNC comes 32 000 s after the clock was last set (maxerror reaches 16 s at 500 ppm); a day our own',
  text: {
    title: both('时钟同步', 'clock synchronisation'),
    meaning: both(
      '距上次与时间源同步的时间。时钟不准会使 etcd、TLS 与链路时间失真。只有 systemd-timesyncd 留下可读的状态,其他来源记为不适用。',
      'How long ago a source last set the clock. A wrong clock breaks etcd, TLS and the times in traces. Only systemd-timesyncd leaves a readable state; with other sources this does not apply.',
    ),
    remedy: both(
      '查时间服务是否运行、时间源是否可达(UDP 123);虚拟机再查宿主机的时钟。',
      'Check that the time service runs and reaches its sources (UDP 123); in a virtual machine, look at the host’s clock too.',
    ),
  },
  evaluate(facts) {
    const synchronized = scalar(facts, SYNCHRONIZED);
    if (synchronized === undefined) {
      const nothing = absent(facts, SYNCHRONIZED, HOST);
      if (facts.samples(SYNCHRONIZED) === undefined) return { observations: [nothing] };
      const reason = both(
        '没有可读的同步状态(chrony、ntpd、PTP 与虚拟机平台不留下状态文件)',
        'no readable state (chrony, ntpd, PTP and hypervisors leave no file that says)',
      );
      return { observations: [{ ...nothing, missing: { verdict: 'skipped', reason } }] };
    }
    const last = scalar(facts, LAST);
    const evidence = [
      `synchronized=${synchronized}`,
      `source=${facts.samples(SYNCHRONIZED)?.[0]?.labels['source'] ?? '?'}`,
    ];
    if (last === undefined) {
      const value = synchronized === 1 ? 0 : 1;
      return { observations: [{ target: HOST, value, evidence, variant: 'never' }] };
    }
    const value = Math.max(0, Math.round(facts.now / 1000 - last));
    return { observations: [{ target: HOST, value, evidence }] };
  },
  line({ variant }, value, verdict, limit) {
    if (variant === 'never') {
      return value === 0
        ? both('时钟已同步', 'the clock is synchronised')
        : both('时钟未同步:启动以来从未同步', 'the clock is not synchronised: not once since the service started');
    }
    const age = formatSeconds(value);
    return both(
      `${verdict === 'ok' ? '时钟同步于' : '时钟未同步,上次同步在'} ${age} 前(限 ${formatSeconds(limit)})`,
      `${verdict === 'ok' ? 'clock' : 'the clock is not synchronised, it was'} last set ${age} ago (limit ${formatSeconds(limit)})`,
    );
  },
  command: () => 'timedatectl timesync-status',
  samples: [
    written('set ten minutes ago', 1, 600, 'ok'),
    written('not set for ten hours', 0, 36_000, 'warn'),
    written('not set for two days', 0, 2 * DAY_SECONDS, 'crit'),
    written('never set', 0, undefined, 'warn'),
    {
      name: 'written: chrony, no readable state',
      metrics: { [SYNCHRONIZED]: [], [LAST]: [] },
      expect: { host: 'skipped' },
    },
    {
      name: 'written: the collector failed',
      collectors: [
        {
          name: 'timex',
          state: 'failed',
          error: { reason: 'failed', message: 'EIO' },
          lastSuccessAt: undefined,
          quarantined: [],
          series: 0,
          durationSeconds: 0,
          periodSeconds: 30,
          stretched: undefined,
          leftOut: [],
        },
      ],
      sources: { [SYNCHRONIZED]: 'timex' },
      expect: { host: 'unknown' },
    },
  ],
};

function written(
  name: string,
  synchronized: 0 | 1,
  ageSeconds: number | undefined,
  verdict: 'ok' | 'warn' | 'crit',
): Check['samples'][number] {
  const last = ageSeconds === undefined ? [] : [{ labels: {}, value: SAMPLE_NOW / 1000 - ageSeconds }];
  return {
    name: `written: ${name}`,
    metrics: { [SYNCHRONIZED]: [{ labels: { source: 'systemd-timesyncd' }, value: synchronized }], [LAST]: last },
    expect: { host: verdict },
  };
}
