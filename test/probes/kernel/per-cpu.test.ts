// Interrupts, hard and soft, by CPU: tables that differ between machines, CPUs that are turned off, and counters that wrap.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { HostFiles } from '../../../src/probes/host-files.ts';
import { interrupts, parseInterrupts } from '../../../src/probes/kernel/interrupts.ts';
import { parseCpus } from '../../../src/probes/kernel/per-cpu.ts';
import { parseSoftirqs, softirqs } from '../../../src/probes/kernel/softirqs.ts';
import { collectOnce, config, openWriter, RECORDED } from './written.ts';

const UNEXPECTED = { code: 'JD_UNEXPECTED_KERNEL_TEXT' };

t.test('lines with a number name their controller and devices, those with a name what it means', async (t) => {
  const { cpus, lines } = parseInterrupts(
    [
      '           CPU0       CPU2       ',
      '  0:         36          0   IO-APIC   2-edge      timer',
      ' 16:          1          2   PCI-MSIX-0000:00:05.0   0-edge      eth0-rx, eth0-tx',
      'NMI:          3          4   Non-maskable interrupts',
      'IPI0:         5          6',
      'IPI1:         7          8       Rescheduling interrupts',
      'ERR:          9',
      'MIS:          0',
      '',
    ].join('\n'),
  );
  t.same(cpus, [0, 2], 'the one between is turned off');
  t.same(lines, [
    { type: '0', info: 'IO-APIC', devices: '2-edge timer', counts: [36, 0] },
    { type: '16', info: 'PCI-MSIX-0000:00:05.0', devices: '0-edge eth0-rx, eth0-tx', counts: [1, 2] },
    { type: 'NMI', info: 'Non-maskable interrupts', devices: '', counts: [3, 4] },
    { type: 'IPI1', info: 'Rescheduling interrupts', devices: '', counts: [7, 8] },
  ]);
});

t.test('software interrupts have a column for each CPU that there could be', async (t) => {
  const { cpus, kinds } = parseSoftirqs('                    CPU0       CPU1\n          HI:          1          2\n');
  t.same([cpus, [...kinds]], [[0, 1], [['HI', [1, 2]]]]);
});

t.test('what no kernel writes is refused', async (t) => {
  for (const text of ['', ' \n', 'CPUx\n1: 2 a\n', 'CPU0 and more\n', 'CPU9999999\n'])
    t.throws(() => parseInterrupts(text), UNEXPECTED, JSON.stringify(text));
  for (const text of ['CPU0\n1: x a\n', 'CPU0\n 1 2 a\n', 'CPU0\n: 2 a\n', 'CPU0\na b: 2 a\n', 'CPU0\n1: -2 a\n'])
    t.throws(() => parseInterrupts(text), UNEXPECTED, JSON.stringify(text));
  for (const text of ['', 'CPU0\n', 'CPU0\nHI: 1 2\n', 'CPU0\nHI: x\n', 'CPU0 CPU1\nHI: 1\n', 'CPU0\nHI 1\n'])
    t.throws(() => parseSoftirqs(text), UNEXPECTED, JSON.stringify(text));
  t.throws(() => parseCpus('f', 'CPU1 CPU'), UNEXPECTED);
});

t.test('a CPU that is turned off keeps the others as they are, and a counter that wraps goes on', async (t) => {
  const root = t.testdir({ proc: { interrupts: '' } });
  const host = new HostFiles(root);
  const first = interrupts.open({ host, config: config(), saved: undefined });
  const collect = (head: string, row: string, collecting = first): Record<string, number> => {
    writeFileSync(join(root, 'proc/interrupts'), `${head}\n 7: ${row} PCI 0-edge nic\n`);
    const out = openWriter(interrupts);
    void collecting.collect(out);
    return Object.fromEntries(out.written().samples.map(({ labels, value }) => [labels['cpu'] ?? '', value]));
  };
  t.same(collect('CPU0 CPU1 CPU2', '5 4294967295 9'), { 0: 5, 1: 4294967295, 2: 9 });
  t.same(collect('CPU0 CPU2', '5 9'), { 0: 5, 2: 9 }, 'no counter fell');
  t.same(collect('CPU0 CPU1 CPU2', '6 4294967295 9'), { 0: 6, 1: 4294967295, 2: 9 });
  t.same(collect('CPU0 CPU1 CPU2', '6 1 9'), { 0: 6, 1: 4294967297, 2: 9 });
  const second = interrupts.open({ host, config: config(), saved: JSON.parse(JSON.stringify(first.save?.())) });
  t.same(collect('CPU0 CPU1 CPU2', '6 2 9', second), { 0: 6, 1: 4294967298, 2: 9 }, 'in the next process as well');
});

t.test('a recorded host has a series for each CPU and line', async (t) => {
  const host = new HostFiles(RECORDED);
  const { samples } = await collectOnce(interrupts, host);
  t.match(
    samples.find(({ labels }) => labels['type'] === '36' && labels['cpu'] === '1'),
    { labels: { info: 'PCI-MSIX-0000:00:02.0', devices: '1-edge virtio1-req.0' } },
  );
  t.equal(samples.filter(({ labels }) => labels['type'] === 'ERR').length, 0);
  t.equal((await collectOnce(softirqs, host)).samples.length, 20, 'ten kinds on two CPUs');
});
