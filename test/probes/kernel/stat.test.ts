// CPU time and the kernel's other counters, which never run backwards.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Test } from 'tap';
import { HostFiles } from '../../../src/probes/host-files.ts';
import { openRatchet } from '../../../src/probes/kernel/ratchet.ts';
import { parseStat, stat } from '../../../src/probes/kernel/stat.ts';
import { FUZZ_SEED, random } from '../../support/random.ts';
import { config, openWriter } from './written.ts';

t.test('CPUs are read with as many columns as the kernel has', async (t) => {
  const { cpus, single, softirqs } = parseStat(
    'cpu  9 9 9 9\ncpu0 1 2 3 4\ncpu17 1 2 3 4 5 6 7 8 9 10 11\nintr 55 1 2 3\nctxt 6\nbtime 7\nsoftirq 1 2\nnew thing\n',
  );
  t.same(softirqs, [2], 'without their sum');
  t.same(
    [...cpus],
    [
      ['0', [1, 2, 3, 4]],
      ['17', [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]],
    ],
  );
  t.same(Object.fromEntries(single), {
    node_intr_total: 55,
    node_context_switches_total: 6,
    node_boot_time_seconds: 7,
  });
});

t.test('malformed lines are refused', async (t) => {
  for (const text of [
    '',
    'cpu  1 2 3 4\n',
    'cpu0 1 2 3\n',
    'cpu0 1 2 3 x\n',
    'cpu0 1 2 3 -4\n',
    'cpux 1 2 3 4\n',
    'cpu0 1 2 3 4\nctxt\n',
    'cpu0 1 2 3 4\nctxt 1.5\n',
    'cpu0 1 2 3 4\nintr x 1\n',
    'cpu0 1 2 3 4\nsoftirq 3 x\n',
  ]) {
    t.throws(() => parseStat(text), { code: 'JD_UNEXPECTED_KERNEL_TEXT' }, JSON.stringify(text));
  }
});

t.test('a counter that steps back a little stays where it was', async (t) => {
  const ratchet = openRatchet(undefined);
  t.same(ratchet.advance('0', [100, 5000]), [100, 5000]);
  t.same(ratchet.advance('0', [101, 4990]), [101, 5000], 'iowait runs back by some ticks');
  t.same(ratchet.advance('0', [102, 5001]), [102, 5001]);
  t.same(ratchet.advance('0', [102, 4000]), [102, 5001], 'not a new beginning: more than half of it is left');
});

t.test('a CPU that was unplugged and came back goes on counting', async (t) => {
  const ratchet = openRatchet(undefined);
  ratchet.advance('1', [2000, 50]);
  t.same(ratchet.advance('1', [10, 50]), [2010, 50]);
  t.same(ratchet.advance('1', [25, 51]), [2025, 51]);
});

t.test('a column that appears later starts at its own value', async (t) => {
  const ratchet = openRatchet(undefined);
  ratchet.advance('0', [1, 2, 3, 4]);
  t.same(ratchet.advance('0', [1, 2, 3, 4, 700]), [1, 2, 3, 4, 700]);
});

t.test('nothing decreases over restarts of the probe process, whatever the kernel shows', async (t) => {
  const next = random();
  let ratchet = openRatchet(undefined);
  let raw = [0, 0, 0, 0];
  let before: readonly number[] = raw;
  for (let round = 0; round < 3000; round += 1) {
    raw = raw.map((value) => {
      const luck = next();
      if (luck < 0.01) return Math.floor(next() * 10);
      return Math.max(0, value + Math.floor(next() * 1000) - (luck < 0.2 ? 400 : 0));
    });
    if (next() < 0.05) ratchet = openRatchet(JSON.parse(JSON.stringify(ratchet.state())));
    const now = ratchet.advance('0', raw);
    const fell = now.findIndex((value, column) => value < (before[column] ?? 0));
    if (fell !== -1) {
      t.fail(`column ${fell} fell in round ${round} of seed ${FUZZ_SEED}`);
      return;
    }
    before = now;
  }
  t.ok(before.every((value) => value > 0));
});

t.test('a foreign state starts anew', async (t) => {
  for (const saved of [null, 7, 'x', { 0: { last: ['a'] } }, { 0: { last: [1], base: [null] } }]) {
    t.same(openRatchet(saved).advance('0', [1, 2]), [1, 2], JSON.stringify(saved));
  }
});

async function collectTwice(t: Test, first: string, second: string): Promise<string> {
  const root = t.testdir({ proc: { stat: first } });
  const host = new HostFiles(root);
  const before = stat.open({ host, config: config(), saved: undefined });
  await before.collect(openWriter(stat));
  writeFileSync(join(root, 'proc/stat'), second);
  const after = stat.open({ host, config: config(), saved: JSON.parse(JSON.stringify(before.save?.())) });
  const out = openWriter(stat);
  await after.collect(out);
  return out.written().text;
}

t.test('the collector hands its counters to the process after it', async (t) => {
  const text = await collectTwice(t, 'cpu0 100 0 0 900 50 0 0 0 4 0\n', 'cpu0 101 0 0 901 49 0 0 0 4 0\n');
  t.match(text, 'node_cpu_seconds_total{cpu="0",mode="user"} 1.01\n');
  t.match(text, 'node_cpu_seconds_total{cpu="0",mode="iowait"} 0.5\n');
  t.match(text, 'node_cpu_guest_seconds_total{cpu="0",mode="user"} 0.04\n');
});

t.test('software interrupts go on over the wrap of their 32 bits, in the next process as well', async (t) => {
  const root = t.testdir({ proc: { stat: '' } });
  const host = new HostFiles(root);
  const collect = (collecting: ReturnType<typeof stat.open>, softirq: string): string => {
    writeFileSync(join(root, 'proc/stat'), `cpu0 1 2 3 4\nsoftirq ${softirq}\n`);
    const out = openWriter(stat);
    void collecting.collect(out);
    return out
      .written()
      .text.split('\n')
      .filter((line) => line.startsWith('node_softirqs'))
      .join('\n');
  };
  const first = stat.open({ host, config: config(), saved: undefined });
  t.equal(
    collect(first, '9 1 4294967290 3 4 5 6 7 8 9 10'),
    [
      ...['hi 1', 'timer 4294967290', 'net_tx 3', 'net_rx 4', 'block 5', 'block_iopoll 6', 'tasklet 7', 'sched 8'],
      ...['hrtimer 9', 'rcu 10'],
    ]
      .map((line) => `node_softirqs_total{vector="${line.replace(' ', '"} ')}`)
      .join('\n'),
  );
  t.match(collect(first, '9 1 4 3'), /^node_softirqs_total\{vector="timer"\} 4294967300$/m);
  const second = stat.open({ host, config: config(), saved: JSON.parse(JSON.stringify(first.save?.())) });
  t.match(collect(second, '9 1 5 3'), /^node_softirqs_total\{vector="timer"\} 4294967301$/m);
  t.notMatch(collect(second, '9 1 5 3'), /rcu/, 'what this kernel does not count is absent');
});
