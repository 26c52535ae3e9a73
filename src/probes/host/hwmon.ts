// Temperatures and fans of the hardware, from /sys/class/hwmon (Documentation/hwmon/sysfs-interface.rst).
import type { Collector, Metric, SampleWriter } from '../collector.ts';
import { readFailure, type HostFiles } from '../host-files.ts';
import { chipName, clean } from './hwmon-chip.ts';

const HWMON = '/sys/class/hwmon';
const MOST_CHIPS = 256;
const MOST_SENSORS = 1024;

const metric = (name: string, help: string, source: string, unit: string, more: readonly string[] = []): Metric => ({
  name: `node_hwmon_${name}`,
  help,
  type: 'gauge',
  source: `${HWMON}/hwmonN/${source}`,
  unit,
  labels: ['chip', 'sensor', ...more],
});

const THOUSANDTH = 1e-3;
/** What a file of a sensor says: `temp1_crit` is `crit` of the kind `temp`. Flags have no unit, but for that of an alarm: see below. */
const TEMPERATURES = ['input', 'min', 'max', 'crit', 'lcrit', 'emergency', 'max_hyst', 'crit_hyst', 'min_hyst'];
/** node_exporter takes them for temperatures, and so do dashboards: an alarm is 0.001. */
const ALARMS = ['min_alarm', 'max_alarm', 'crit_alarm', 'lcrit_alarm', 'emergency_alarm'];
const FANS = ['input', 'min', 'max', 'target'];
const FLAGS = ['alarm', 'fault'];

interface Element {
  readonly metric: Metric;
  readonly factor: number;
}
const infix = (element: string): string => (element === 'input' ? '' : `_${element}`);
const ELEMENTS = new Map<string, Element>([
  ...[...TEMPERATURES, ...ALARMS].map((element): [string, Element] => [
    `temp ${element}`,
    {
      metric: metric(
        `temp${infix(element)}_celsius`,
        `Hardware monitor for temperature (${element})`,
        `tempN_${element}`,
        element.endsWith('alarm') ? '0 or 0.001' : 'degrees Celsius',
      ),
      factor: THOUSANDTH,
    },
  ]),
  ...FANS.map((element): [string, Element] => [
    `fan ${element}`,
    {
      metric: metric(
        `fan${infix(element)}_rpm`,
        `Hardware monitor for fan revolutions per minute (${element})`,
        `fanN_${element}`,
        'per minute',
      ),
      factor: 1,
    },
  ]),
  ...['temp', 'fan'].flatMap((kind) =>
    FLAGS.map((element): [string, Element] => [
      `${kind} ${element}`,
      {
        metric: metric(
          `${kind}_${element}`,
          `Hardware sensor ${element} status (${kind})`,
          `${kind}N_${element}`,
          '0 or 1',
        ),
        factor: 1,
      },
    ]),
  ),
]);

const LABEL = metric('sensor_label', 'Label for given chip and sensor', 'tempN_label, fanN_label', 'constant 1', [
  'label',
]);
const NAMES: Metric = {
  name: 'node_hwmon_chip_names',
  help: 'Annotation metric for human-readable chip names',
  type: 'gauge',
  source: `${HWMON}/hwmonN/name`,
  unit: 'constant 1',
  labels: ['chip', 'chip_name'],
};

const FILE = /^(temp|fan)([0-9]{1,4})_([a-z_]{1,32})$/;
const NUMBER = /^-?[0-9]{1,15}$/;

/** Undefined for what is not there or does not answer: a sensor whose driver says EAGAIN or EIO hides none of the others. */
function attribute(host: HostFiles, path: string): string | undefined {
  try {
    return host.text(path, 4096).trim();
  } catch {
    return undefined;
  }
}

function writeChip(host: HostFiles, out: SampleWriter, directory: string, chip: string): void {
  const name = clean(attribute(host, `${directory}/name`) ?? '');
  if (name !== '') out.add(NAMES.name, 1, chip, name);
  for (const file of host.list(directory).sort().slice(0, MOST_SENSORS)) {
    const [, kind, number, element = ''] = FILE.exec(file) ?? [];
    if (kind === undefined) continue;
    const known = ELEMENTS.get(`${kind} ${element}`);
    const text = known === undefined && element !== 'label' ? undefined : attribute(host, `${directory}/${file}`);
    if (text === undefined) continue;
    const sensor = `${kind}${number}`;
    if (known === undefined) out.add(LABEL.name, 1, chip, sensor, text);
    else if (NUMBER.test(text)) out.add(known.metric.name, Number(text) * known.factor, chip, sensor);
  }
}

/** The chips; none where the kernel has no monitor at all, as in most virtual machines. */
function listChips(host: HostFiles): readonly string[] {
  try {
    return host.list(HWMON).sort().slice(0, MOST_CHIPS);
  } catch (error) {
    if (readFailure(error) === 'absent') return [];
    throw error;
  }
}

/** Of two chips that would have one name only the first is written: their sensors would have the same series. */
export const hwmon: Collector = {
  name: 'hwmon',
  view: 'node',
  periodSeconds: 30,
  mayHang: true,
  metrics: [...[...ELEMENTS.values()].map(({ metric: one }) => one), LABEL, NAMES],
  open: ({ host }) => ({
    collect(out) {
      const seen = new Set<string>();
      host.riskyEach('hwmon', (risky) => {
        for (const name of listChips(host)) {
          const directory = `${HWMON}/${name}`;
          try {
            risky(`sensors ${name}`, () => {
              const chip = chipName(host, directory);
              if (seen.has(chip)) return;
              seen.add(chip);
              writeChip(host, out, directory, chip);
            });
          } catch (error) {
            // Gone since it was listed, or in quarantine: the others go on.
            if (readFailure(error) === 'permission') throw error;
          }
        }
      });
    },
  }),
};
