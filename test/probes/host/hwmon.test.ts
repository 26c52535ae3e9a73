// Temperatures and fans: named as the real node_exporter names them, read from real kernels under QEMU, and sensors that do not answer.
import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Test } from 'tap';
import { HostFiles } from '../../../src/probes/host-files.ts';
import { clean } from '../../../src/probes/host/hwmon-chip.ts';
import { hwmon } from '../../../src/probes/host/hwmon.ts';
import { RECORDED_HARDWARE, unpackHardware } from '../../support/hardware.ts';
import { needs } from '../../support/needs.ts';
import { parseExposition, scrapeNodeExporter } from '../../support/node-exporter.ts';
import { collectOnce, type Sample } from '../kernel/written.ts';

/** A chip in /sys/devices, linked from /sys/class/hwmon as the kernel does it. */
function chip(root: string, index: number, device: string | undefined, files: Readonly<Record<string, string>>): void {
  const parent = device === undefined ? 'virtual' : device;
  const real = join(root, 'sys/devices', parent, `hwmon/hwmon${index}`);
  mkdirSync(real, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(real, name), text);
  if (device !== undefined) symlinkSync('../..', join(real, 'device'));
  mkdirSync(join(root, 'sys/class/hwmon'), { recursive: true });
  symlinkSync(`../../devices/${parent}/hwmon/hwmon${index}`, join(root, `sys/class/hwmon/hwmon${index}`));
}

function machine(t: Test): string {
  const root = t.testdir({});
  chip(root, 0, 'platform/coretemp.0', {
    name: 'coretemp\n',
    temp1_input: '41000\n',
    temp1_label: 'Package id 0\n',
    temp1_crit: '100000\n',
    temp1_max: '80000\n',
    temp1_crit_alarm: '1\n',
    temp2_input: '-5500\n',
  });
  chip(root, 1, 'pci0000:00/nvme/nvme0', {
    name: 'nvme\n',
    temp1_input: '38850\n',
    temp1_alarm: '0\n',
    temp1_fault: '0\n',
    temp1_min: '-273150\n',
    fan1_input: '1200\n',
    fan1_min: '300\n',
    fan1_alarm: '1\n',
  });
  chip(root, 2, undefined, { name: 'Odd Chip-2!\n', temp1_input: '1000\n', temp1_crit_hyst: '97000\n' });
  return root;
}

const lines = (samples: readonly Sample[]): string[] =>
  samples
    .filter(({ metric }) => metric.startsWith('node_hwmon_'))
    .map(({ metric, labels, value }) => `${metric} ${JSON.stringify(Object.entries(labels).sort())} ${value}`)
    .sort();

t.test('the same series as node_exporter of the same chips', { skip: needs('node-exporter') }, async (t) => {
  const root = machine(t);
  const { samples } = await collectOnce(hwmon, new HostFiles(root));
  const args = ['--collector.disable-defaults', '--collector.hwmon', `--path.sysfs=${join(root, 'sys')}`];
  const theirs = parseExposition(await scrapeNodeExporter(args));
  t.ok(samples.length > 15);
  t.same(lines(samples), lines(theirs.samples));
});

t.test('a sensor that does not answer hides no other, and a chip whose name is taken is left out', async (t) => {
  const root = machine(t);
  chip(root, 3, undefined, { name: 'odd_chip_2\n', temp1_input: '2000\n' });
  chip(root, 4, undefined, { temp1_input: 'nonsense\n', temp2_input: '7000\n' });
  rmInput(root);
  const { text } = await collectOnce(hwmon, new HostFiles(root));
  t.notMatch(text, /temp_celsius\{chip="platform_coretemp_0",sensor="temp1"\}/);
  t.match(text, /^node_hwmon_temp_celsius\{chip="platform_coretemp_0",sensor="temp2"\} -5\.5$/m);
  t.match(text, /^node_hwmon_temp_celsius\{chip="odd_chip_2",sensor="temp1"\} 1$/m);
  t.match(text, /^node_hwmon_temp_celsius\{chip="hwmon4",sensor="temp2"\} 7$/m);
  t.notMatch(text, /\{chip="hwmon4",sensor="temp1"\}/);
  t.equal((await collectOnce(hwmon, new HostFiles(t.testdir({})))).text, '', 'a machine without sensors');
});

/** In the place of the file a directory, which cannot be read. */
function rmInput(root: string): void {
  const path = join(root, 'sys/devices/platform/coretemp.0/hwmon/hwmon0/temp1_input');
  execFileSync('rm', [path]);
  mkdirSync(path);
}

t.test('names are of lower-case letters, digits and underscores', async (t) => {
  t.equal(clean('__Core Temp.0-x__'), 'core_temp_0_x');
  t.equal(clean('中'), '');
});

for (const name of RECORDED_HARDWARE) {
  t.test(`the sensors of ${name} are read`, async (t) => {
    const { text } = await collectOnce(hwmon, new HostFiles(unpackHardware(t, name)));
    t.match(text, /^node_hwmon_chip_names\{chip="nvme_nvme0",chip_name="nvme"\} 1$/m);
    t.match(text, /^node_hwmon_temp_celsius\{chip="nvme_nvme0",sensor="temp1"\} 49\.85$/m);
  });
}
