// The collector on the real log of this kernel, and where there is none to read.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { ProbesConfig } from '../../../src/probes/config.ts';
import { openFamilyWriter } from '../../../src/probes/family-writer.ts';
import { HostFiles } from '../../../src/probes/host-files.ts';
import { kmsg } from '../../../src/probes/kmsg/collector.ts';
import { openKernelLog } from '../../../src/probes/kmsg/device.ts';
import { emptyState } from '../../../src/probes/kmsg/engine.ts';
import { meaningOf, noteWord, type LastWord } from '../../../src/probes/kmsg/last-words.ts';
import { kernelFaults, parseTaint } from '../../../src/probes/kmsg/latched.ts';
import { openMoments } from '../../../src/probes/kmsg/moment.ts';
import type { KernelReport } from '../../../src/probes/kmsg/outbox.ts';
import { isPanic, lastReboot } from '../../../src/probes/kmsg/reboot.ts';
import { restore, save } from '../../../src/probes/kmsg/saved.ts';
import { parseHungTasks } from '../../../src/probes/kernel/hung.ts';
import { needsRoot } from '../../support/needs.ts';

const skip = needsRoot();
/** A reason of this test's own, so that what else the kernel says does not count. */
const REASON = `Test${process.pid}`;
const LINE = `jdos test ${process.pid} broke`;

interface Opened {
  readonly told: KernelReport[];
  collect(): Promise<string>;
  save(): unknown;
}

function open(t: Test, saved: unknown, root = '/'): Opened {
  const told: KernelReport[] = [];
  const config = ProbesConfig.parse({
    kmsg: { facilities: [0, 1], rules: [{ type: 'temporary', reason: REASON, pattern: `${LINE} \\d+` }] },
  });
  const tell = (report: KernelReport): Promise<void> => Promise.resolve(void told.push(report));
  const collecting = kmsg.open({ host: new HostFiles(root), config, saved, tell });
  const out = openFamilyWriter(kmsg.metrics);
  t.teardown(() => collecting.close?.());
  return {
    told,
    async collect() {
      out.begin(10_000);
      await collecting.collect(out);
      await new Promise((resolve) => setImmediate(resolve));
      return out
        .finish()
        .families.map(({ text }) => text.toString('utf8'))
        .join('');
    },
    save: () => JSON.parse(JSON.stringify(collecting.save?.() ?? null)) as unknown,
  };
}

const value = (text: string, series: string): number | undefined => {
  const line = text.split('\n').find((one) => one.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
};
const say = (number: number): void => writeFileSync('/dev/kmsg', `<4>${LINE} ${number}\n`);

t.test(
  'what is written to the log is counted once, over a restart too, and told with its time',
  { skip },
  async (t) => {
    const first = open(t, undefined);
    await first.collect();
    const began = Date.now();
    for (const number of [1, 2, 3]) say(number);
    const text = await first.collect();
    t.equal(value(text, 'jdos_kmsg_reading{reason=""}'), 1);
    t.equal(value(text, `problem_counter{reason="${REASON}"}`), 3);
    t.equal(value(text, `jdos_kernel_events_total{reason="${REASON}"}`), 3);
    const ours = first.told.flatMap(({ events }) => events).filter(({ reason }) => reason === REASON);
    t.match(
      ours.map(({ message }) => message),
      [`${LINE} 1`, `${LINE} 2`, `${LINE} 3`],
    );
    for (const { at } of ours) t.ok(at >= began - 1000 && at <= Date.now(), `${at} is now`);

    const saved = first.save();
    for (const number of [4, 5]) say(number);
    const second = open(t, saved);
    const after = await second.collect();
    t.equal(value(after, `problem_counter{reason="${REASON}"}`), 5);
    t.same(
      second.told
        .flatMap(({ events }) => events)
        .flatMap(({ reason, message }) => (reason === REASON ? [message] : [])),
      [`${LINE} 4`, `${LINE} 5`],
    );
    t.equal(value(after, 'jdos_kmsg_lost_total'), value(text, 'jdos_kmsg_lost_total'));
  },
);

t.test('every reason is there from the beginning, at 0, as node-problem-detector has it', { skip }, async (t) => {
  const text = await open(t, undefined).collect();
  for (const reason of ['KernelOops', 'TaskHung', 'IOError', 'Ext4Error', 'XfsHasShutdown', 'DockerHung'])
    t.type(value(text, `problem_counter{reason="${reason}"}`), 'number', reason);
  for (const pair of [
    'type="KernelDeadlock",reason="DockerHung"',
    'type="ReadonlyFilesystem",reason="FilesystemIsReadOnly"',
    'type="XfsShutdown",reason="XfsHasShutdown"',
    'type="CperHardwareErrorFatal",reason="CperHardwareErrorFatal"',
    'type="FrequentUnregisterNetDevice",reason="UnregisterNetDevice"',
  ])
    t.type(value(text, `problem_gauge{${pair}}`), 'number', pair);
});

t.test('where there is no log, or another thing in its place, it says so', async (t) => {
  const dir = t.testdir({ kmsg: '6,1,1,-;a file\n' });
  t.equal(openKernelLog(join(dir, 'absent')), 'absent');
  t.throws(() => openKernelLog(join(dir, 'kmsg')), { code: 'JD_NOT_THE_KERNEL_LOG' });
  t.equal(await open(t, undefined, dir).collect(), 'jdos_kmsg_reading{reason="other-root"} 0\n');
});

t.test('the time of a record is that of its clock, or of when it came', async (t) => {
  const moments = openMoments();
  const hour = 3_600_000;
  moments.begin({ unix: 100 * hour, monotonic: 10 * hour });
  t.equal(moments.at(9 * hour * 1000), 99 * hour, 'before the first look, what the clock says');
  t.equal(moments.at(11 * hour * 1000), 100 * hour, 'never later than now');
  moments.drained();
  moments.begin({ unix: 100 * hour + 200, monotonic: 10 * hour + 200 });
  t.equal(moments.at(9 * hour * 1000), 100 * hour, 'after a suspend, not before the last look');
  moments.begin({ unix: 50 * hour, monotonic: 10 * hour + 400 });
  t.equal(moments.at((10 * hour + 300) * 1000), 50 * hour - 100, 'a clock that was set back is the clock');
  const early = openMoments();
  early.begin({ unix: 1000, monotonic: 5000 });
  t.equal(early.at(0), 0, 'a clock that is before the boot gives no time before 1970');
});

t.test('the bits of the taint have names, and later ones are other', async (t) => {
  t.ok(parseTaint('0\n').every(([, set]) => !set));
  const set = (text: string) => parseTaint(text).flatMap(([flag, is]) => (is ? [flag] : []));
  t.same(set('12928\n'), ['die', 'warn', 'oot_module', 'unsigned_module']);
  t.same(set('16384\n'), ['softlockup']);
  t.same(set(String(2 ** 40)), ['other']);
  t.throws(() => parseTaint('-1'), { code: 'JD_UNEXPECTED_KERNEL_TEXT' });
});

t.test('what the kernel remembers by itself is as its files say', { skip }, async (t) => {
  const out = openFamilyWriter(kernelFaults.metrics);
  out.begin(1000);
  const collecting = kernelFaults.open({ host: new HostFiles('/'), config: ProbesConfig.parse({}), saved: undefined });
  await collecting.collect(out);
  const text = out
    .finish()
    .families.map((family) => family.text.toString('utf8'))
    .join('');
  t.match(text, /^jdos_kernel_tainted\{flag="die"\} [01]$/m);
  t.equal(value(text, 'jdos_kernel_oopses_total'), numberIn('/sys/kernel/oops_count'));
  t.equal(value(text, 'jdos_kernel_warnings_total'), numberIn('/sys/kernel/warn_count'));
});

function numberIn(file: string): number | undefined {
  try {
    return Number(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

t.test('the count of hung tasks is a number', async (t) => {
  t.equal(parseHungTasks('12\n'), 12);
  t.throws(() => parseHungTasks('x'), { code: 'JD_UNEXPECTED_KERNEL_TEXT' });
});

t.test('the last reboot has a reason only where something says so', async (t) => {
  t.ok(isPanic('Panic#1 Part1\n<6>[  1.0] text'));
  t.ok(isPanic('====1700000000.123456-D\nPanic#2 Part1\n'));
  t.notOk(isPanic('Oops#1 Part1\n'));
  const host = (files: Parameters<typeof t.testdir>[0]) => new HostFiles(t.testdir({ proc: {}, sys: files ?? {} }));
  const dump = (text: string) => ({ fs: { pstore: { 'dmesg-ramoops-0': text } } });
  const now = Date.now();
  const of = (some: HostFiles, bootedAt = now, before: readonly LastWord[] = []) => {
    const reboot = lastReboot(some, bootedAt, before);
    return reboot && `${reboot.reason} by ${reboot.source}`;
  };
  t.equal(of(host({})), undefined);
  t.equal(of(host(dump('Panic#1 Part1\n'))), 'panic by pstore');
  t.equal(of(host(dump('Oops#1 Part1\n'))), undefined);
  t.equal(of(host(dump('Panic#1 Part1\n')), now + 10 * 86_400_000), undefined, 'one of long ago');
  const watchdog = (status: string) => ({ class: { watchdog: { watchdog0: { bootstatus: status } } } });
  t.equal(of(host(watchdog('32\n'))), 'watchdog by watchdog');
  t.equal(of(host(watchdog('0\n'))), undefined);
  const oops = [{ reason: 'KernelOops', at: now - 30_000 }];
  t.equal(of(host(watchdog('32\n')), now, oops), 'watchdog by watchdog', 'what is certain comes first');
  t.equal(of(host({}), now, oops), 'oops by log');
});

t.test('the log of the boot before tells of its end only by what came within ten minutes', async (t) => {
  const booted = 1_700_000_000_000;
  const minute = 60_000;
  const word = (reason: string, minutes: number) => ({ reason, at: booted - minutes * minute });
  for (const [words, meaning] of [
    [[], undefined],
    [[word('KernelOops', 11)], undefined],
    [[word('KernelOops', -2)], undefined],
    [[word('TaskHung', 9), word('SoftLockup', 3)], 'lockup'],
    [[word('KernelOops', 2), word('KernelPanic', 2)], 'panic'],
    [[word('MachineCheck', 1), word('KernelOops', 1)], 'hardware'],
    [[word('ThermalCritical', 1)], 'overheating'],
    [[1, 2, 3, 4].map((at) => word('OOMKilling', at)), undefined],
    [[1, 2, 3, 4, 5].map((at) => word('OOMKilling', at)), 'out_of_memory'],
    [[...[1, 2, 3, 4, 5].map((at) => word('OOMKilling', at)), word('TaskHung', 1)], 'hang'],
  ] as const)
    t.equal(meaningOf(words, booted), meaning, JSON.stringify(words));
  const words: LastWord[] = [];
  for (let at = 0; at < 100; at += 1)
    for (const reason of ['KernelOops', 'NetworkLinkUp']) noteWord(words, { reason, at });
  t.equal(words.length, 32, 'the last of those that are grave');
  t.same(words.at(-1), { reason: 'KernelOops', at: 99 });
});

t.test('last words go over a boot, and over a restart of the daemon after it', async (t) => {
  const state = { ...emptyState(), words: [{ reason: 'KernelOops', at: 5 }] };
  const saved: unknown = JSON.parse(JSON.stringify(save(state, 'boot 1', [])));
  const next = restore(saved, 'boot 2').state;
  t.same([next.words, next.before, next.seq], [[], state.words, undefined]);
  const again: unknown = JSON.parse(JSON.stringify(save(next, 'boot 2', [])));
  t.same(restore(again, 'boot 2').state.before, state.words);
  t.same(restore(again, 'boot 3').state.before, [], 'that boot told of nothing');
});
