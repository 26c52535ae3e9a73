// OVS_LOST: packets that datapaths of Open vSwitch dropped within a day because ovs-vswitchd did not keep up.
import { formatSeconds } from '../../base/units.ts';
import type { MetricSample } from '../../probes/index.ts';
import { above, DAY_SECONDS, HOST, readAt, type Check, type Evaluation, type Facts, type Sample } from '../check.ts';
import type { Observation } from '../model.ts';
import { absent, both, plain } from '../wording.ts';
import { noAnswer, PRESENT, VSWITCHD } from './ovs-presence.ts';

const LOST = 'ovs_datapath_lookup_lost_total';
const MOST = 100;

const seriesOf = ({ labels }: MetricSample): string => `${LOST}{${labels['type'] ?? ''}@${labels['name'] ?? ''}}`;

function datapath(facts: Facts, sample: MetricSample, at: number): Observation | undefined {
  const series = seriesOf(sample);
  const from = facts.past(series, DAY_SECONDS) ?? facts.oldest(series);
  if (from === undefined) return undefined;
  // A datapath of the user space begins at 0 with a new ovs-vswitchd.
  const lost = sample.value < from.value ? sample.value : sample.value - from.value;
  const { type = '', name = '' } = sample.labels;
  return {
    target: plain(`${type}@${name}`),
    value: lost,
    evidence: [`lost=${sample.value}`, `before=${from.value}`, `since=${new Date(from.at).toISOString()}`],
    facts: { over: formatSeconds(Math.max(0, Math.round((at - from.at) / 1000))) },
  };
}

function evaluate(facts: Facts): Evaluation {
  const none = noAnswer(facts);
  if (none !== undefined) return { observations: [none] };
  const samples = facts.samples(LOST)?.slice(0, MOST);
  if (samples === undefined || samples.length === 0) return { observations: [absent(facts, LOST, HOST)] };
  const at = readAt(facts, LOST);
  const remember = samples.map((sample) => ({ series: seriesOf(sample), at, value: sample.value }));
  const observations = samples.flatMap((sample) => datapath(facts, sample, at) ?? []);
  const oldest = Math.min(at, ...samples.map((sample) => facts.oldest(seriesOf(sample))?.at ?? at));
  const until = oldest + DAY_SECONDS * 1000;
  const reason = both('丢包增量需要 24 小时的观测', 'the growth of lost packets needs 24 hours of observations');
  return { observations, remember, ...(until > at ? { waiting: { until, reason } } : {}) };
}

const UP = {
  [PRESENT]: [{ labels: {}, value: 1 }],
  [VSWITCHD]: [{ labels: { reason: '' }, value: 1 }],
};

export const ovsLost: Check = {
  code: 'OVS_LOST',
  area: 'network',
  unit: 'count',
  needs: [PRESENT, VSWITCHD, LOST],
  lookBack: [DAY_SECONDS],
  limits: above(6, 1000, 6, 1000),
  source: 'hotsos (more than 5 lost within a day); 1000 is our own',
  text: {
    title: both('Open vSwitch 丢失的上送', 'lost upcalls of Open vSwitch'),
    meaning: both(
      '24 小时内数据面因 ovs-vswitchd 处理不及而丢弃的包 (dpctl/show lost)。常见原因:扫描、广播风暴、vswitchd 缺 CPU。',
      'Packets that the datapath dropped within 24 hours because ovs-vswitchd did not keep up (lost in dpctl/show): a scan, a storm of broadcasts, or too little CPU for it.',
    ),
    remedy: both(
      '找出新流量最多的端口;保证 vswitchd 的 CPU;必要时增加 n-handler-threads。',
      'Find the port that brings most new flows, see that ovs-vswitchd has the CPU it needs, and only then raise n-handler-threads.',
    ),
  },
  evaluate,
  line({ target, facts }, value, _verdict, limit) {
    const over = facts?.['over'] ?? '?';
    return both(
      `数据面 ${target} 近 ${over} 丢失 ${value} 个包(限 ${limit})`,
      `datapath ${target}: ${value} packets lost in the last ${over} (limit ${limit})`,
    );
  },
  command: () => 'ovs-appctl dpctl/show',
  samples: [
    written('none', 7, 7, 'ok'),
    written('a hundred in a day', 107, 7, 'warn'),
    written('thousands in a day', 9007, 7, 'crit'),
    written('it began again with ovs-vswitchd, and lost ten', 10, 500, 'warn'),
    {
      name: 'written: the first observation',
      metrics: { ...UP, [LOST]: [lost(7)] },
      expect: {},
      waiting: true,
    },
    {
      name: 'written: a host without Open vSwitch',
      metrics: { [PRESENT]: [{ labels: {}, value: 0 }] },
      expect: { host: 'skipped' },
    },
  ],
};

function lost(value: number): MetricSample {
  return { labels: { type: 'system', name: 'ovs-system' }, value };
}

function written(name: string, now: number, before: number, verdict: 'ok' | 'warn' | 'crit'): Sample {
  return {
    name: `written: ${name}`,
    metrics: { ...UP, [LOST]: [lost(now)] },
    past: { [seriesOf(lost(now))]: [{ ageSeconds: DAY_SECONDS, value: before }] },
    expect: { 'system@ovs-system': verdict },
  };
}
