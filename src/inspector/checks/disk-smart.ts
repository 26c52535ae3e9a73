// DISK_SMART: what disks say of their own health.
import { above, HOST, type Check, type Facts, type Sample } from '../check.ts';
import type { Localized, Observation } from '../model.ts';
import { absent, both, plain, shellWord } from '../wording.ts';

const INFO = 'jdos_disk_smart_info';
const STATUS = 'smartctl_device_smart_status';
const WARNING = 'smartctl_device_critical_warning';
const MEDIA = 'smartctl_device_media_errors';
const READ_ERRORS = 'smartctl_read_total_uncorrected_errors';
const WRITE_ERRORS = 'smartctl_write_total_uncorrected_errors';
const SPARE = 'smartctl_device_available_spare';
const SPARE_LIMIT = 'smartctl_device_available_spare_threshold';
const USED = 'smartctl_device_percentage_used';
const TEMPERATURE = 'smartctl_device_temperature';
const MOST = 100;
const WORN_PERCENT = 90;
const [WARM, HOT] = [60, 70];
/** The disk was asked and did not answer as it should; all other states are those of a disk that has nothing to say. */
const BROKEN = new Set(['failed', 'hung']);
/** Then it is not known of any disk. */
const NO_PERMISSION = 'no_permission';

interface Sign {
  readonly grade: 1 | 2;
  readonly text: Localized;
}

function signsOf(value: (metric: string) => number | undefined): readonly Sign[] {
  const signs: Sign[] = [];
  const say = (grade: 1 | 2, zh: string, en: string): void => void signs.push({ grade, text: both(zh, en) });
  const [spare, least] = [value(SPARE), value(SPARE_LIMIT)];
  const [used, celsius] = [value(USED), value(TEMPERATURE)];
  const errors = (value(MEDIA) ?? 0) + (value(READ_ERRORS) ?? 0) + (value(WRITE_ERRORS) ?? 0);
  if (value(STATUS) === 0) say(2, '自检判定即将失效', 'says that it is failing');
  if ((value(WARNING) ?? 0) !== 0) say(2, `严重警告位 ${value(WARNING)}`, `critical warning bits ${value(WARNING)}`);
  if (spare !== undefined && least !== undefined && spare < least)
    say(2, `备用块 ${spare}%(限 ${least}%)`, `spare blocks ${spare}% (limit ${least}%)`);
  if (errors > 0) say(2, `不可纠正错误 ${errors} 个`, `uncorrected errors: ${errors}`);
  if (used !== undefined && used >= WORN_PERCENT)
    say(1, `寿命已用 ${used}%(限 ${WORN_PERCENT}%)`, `worn to ${used}% (limit ${WORN_PERCENT}%)`);
  if (celsius !== undefined && celsius >= WARM) {
    const limit = celsius >= HOT ? HOT : WARM;
    say(celsius >= HOT ? 2 : 1, `温度 ${celsius} °C(限 ${limit})`, `${celsius} °C (limit ${limit})`);
  }
  return signs;
}

function disk(facts: Facts, device: string, state: string): Observation | undefined {
  const value = (metric: string): number | undefined =>
    facts
      .samples(metric)
      ?.find(
        ({ labels }) =>
          labels['device'] === device &&
          (labels['temperature_type'] === undefined || labels['temperature_type'] === 'current'),
      )?.value;
  const target = plain(device);
  if (value(STATUS) === undefined && value(TEMPERATURE) === undefined) {
    if (!BROKEN.has(state)) return undefined;
    const reason = both(`无法读取 SMART (${state})`, `its SMART values cannot be read (${state})`);
    return { target, value: undefined, missing: { verdict: 'unknown', reason }, evidence: [`state=${state}`] };
  }
  const signs = signsOf(value);
  return {
    target,
    value: signs.reduce((worst, { grade }) => Math.max(worst, grade), 0),
    evidence: [`state=${state}`, ...signs.map(({ text }) => text.en)],
    facts: { zh: signs.map(({ text }) => text['zh-CN']).join(','), en: signs.map(({ text }) => text.en).join(', ') },
  };
}

export const diskSmart: Check = {
  code: 'DISK_SMART',
  area: 'storage',
  unit: 'none',
  needs: [INFO, STATUS, WARNING, MEDIA, READ_ERRORS, WRITE_ERRORS, SPARE, SPARE_LIMIT, USED, TEMPERATURE],
  limits: above(1, 2, 1, 2),
  source:
    'awesome-prometheus-alerts (SMART: status, media errors, spare, wear, temperature): 1 is wearing out or warm, 2 is failing or hot',
  text: {
    title: both('磁盘健康 (SMART)', 'health of disks (SMART)'),
    meaning: both(
      '磁盘自身的健康判定、不可纠正错误、备用块、寿命与温度 (smartctl,每小时一次,不唤醒休眠盘)。',
      'What a disk says of itself: its own verdict, uncorrected errors, spare blocks, wear and temperature (smartctl, once an hour, without waking a disk that sleeps).',
    ),
    remedy: both(
      '判定失效或有不可纠正错误:备份数据并更换磁盘。温度高:查风道与风扇。',
      'A disk that says it is failing, or has uncorrected errors: save the data and replace it. A hot one: look at the fans and the air flow.',
    ),
  },
  evaluate(facts) {
    const disks = facts.samples(INFO);
    if (disks === undefined || disks.length === 0) return { observations: [absent(facts, INFO, HOST)] };
    const observations = disks
      .slice(0, MOST)
      .flatMap(({ labels }) => disk(facts, labels['device'] ?? '', labels['state'] ?? '') ?? []);
    return {
      observations: observations.length > 0 ? observations : [silent(disks.map(({ labels }) => labels['state']))],
    };
  },
  line({ target, facts }, value) {
    if (value === 0) return both(`磁盘 ${target} 健康`, `disk ${target} is healthy`);
    return both(`磁盘 ${target}:${facts?.['zh'] ?? ''}`, `disk ${target}: ${facts?.['en'] ?? ''}`);
  },
  command: ({ target }) =>
    target === HOST ? undefined : `smartctl -a -n standby ${shellWord(`/dev/${target}`) ?? ''}`.trim(),
  samples: [
    written('healthy', { [STATUS]: 1, [TEMPERATURE]: 38, [MEDIA]: 0, [USED]: 3 }, 'ok'),
    written('worn and warm', { [STATUS]: 1, [TEMPERATURE]: 63, [MEDIA]: 0, [USED]: 97 }, 'warn'),
    written('says that it is failing', { [STATUS]: 0, [TEMPERATURE]: 38 }, 'crit'),
    written('has lost data', { [STATUS]: 1, [TEMPERATURE]: 38, [MEDIA]: 2 }, 'crit'),
    written('few spare blocks', { [STATUS]: 1, [SPARE]: 4, [SPARE_LIMIT]: 10, [WARNING]: 1 }, 'crit'),
    written('its numbers of a moment ago, now it sleeps', { [STATUS]: 1, [TEMPERATURE]: 38 }, 'ok', 'standby'),
    written('it does not answer', {}, 'unknown', 'hung'),
    {
      name: 'written: without root',
      metrics: { [INFO]: [{ labels: { device: 'sda', state: NO_PERMISSION }, value: 1 }] },
      expect: { host: 'unknown' },
    },
    {
      name: 'written: without smartctl',
      metrics: { [INFO]: [{ labels: { device: 'sda', state: 'no_smartctl' }, value: 1 }] },
      expect: { host: 'skipped' },
    },
  ],
};

/** No disk has anything to say, and why. */
function silent(states: readonly (string | undefined)[]): Observation {
  const why = [...new Set(states)].join(', ');
  const verdict = states.includes(NO_PERMISSION) ? 'unknown' : 'skipped';
  const reason = both(`没有磁盘提供 SMART (${why})`, `no disk tells SMART values (${why})`);
  return { target: HOST, value: undefined, missing: { verdict, reason }, evidence: [`states=${why}`] };
}

function written(
  name: string,
  values: Readonly<Record<string, number>>,
  verdict: 'ok' | 'warn' | 'crit' | 'unknown',
  state = 'read',
): Sample {
  const labels = { device: 'sda' };
  return {
    name: `written: ${name}`,
    metrics: {
      [INFO]: [{ labels: { ...labels, state }, value: 1 }],
      ...Object.fromEntries(
        Object.entries(values).map(([metric, value]) => [
          metric,
          [{ labels: metric === TEMPERATURE ? { ...labels, temperature_type: 'current' } : labels, value }],
        ]),
      ),
    },
    expect: { sda: verdict },
  };
}
