// What disks say of their health: recorded answers of smartctl, which disk is asked when, and disks that sleep, hang or have nothing to say.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { HostFiles } from '../../../src/probes/host-files.ts';
import { runCommand, type Outcome } from '../../../src/probes/host/child.ts';
import { openSmart, smart } from '../../../src/probes/smart/collector.ts';
import { diskOf, listDisks } from '../../../src/probes/smart/disks.ts';
import { parseReport } from '../../../src/probes/smart/report.ts';
import { KnownDisks, learn, nextDue } from '../../../src/probes/smart/rounds.ts';
import { SMART_SAMPLES, samplesOf } from '../../../src/probes/smart/samples.ts';
import { judge } from '../../../src/probes/smart/verdict.ts';
import { golden } from '../../support/golden.ts';
import { HARDWARE, RECORDED_HARDWARE } from '../../support/hardware.ts';
import { FUZZ_SEED, mutate, random } from '../../support/random.ts';
import { collectOnce, config, openWriter } from '../kernel/written.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** What smartctl answered in a recording. */
function recorded(host: string, name: string): Outcome {
  const [, status = ''] =
    new RegExp(`^${name} (\\d+)$`, 'm').exec(readFileSync(join(HARDWARE, host, 'smartctl/status'), 'utf8')) ?? [];
  const output = readFileSync(join(HARDWARE, host, `smartctl/${name}.json`), 'utf8');
  return { kind: 'ended', status: Number(status), output };
}

const printed = (report: unknown, status = 0): Outcome => ({ kind: 'ended', status, output: JSON.stringify(report) });

for (const host of RECORDED_HARDWARE) {
  t.test(`the disks of ${host}: those with values, and why the others have none`, async (t) => {
    t.equal(judge(recorded(host, 'sda')).state, 'read');
    t.equal(judge(recorded(host, 'nvme0')).state, 'read');
    t.equal(judge(recorded(host, 'sdb')).state, 'unsupported');
    t.match(judge(recorded(host, 'nothing')), { state: 'failed', why: /\/dev\/nothing/ });
    t.match(judge(recorded(host, 'vda')), { state: 'failed' }, 'so it is not asked');
    const lines = ['sda', 'nvme0'].flatMap((disk) =>
      (judge(recorded(host, disk)).samples ?? []).map(([metric, value, labels]) => {
        const names = SMART_SAMPLES.find(({ name }) => name === metric)?.labels ?? [];
        return `${metric}{${[disk, ...labels].map((label, at) => `${names[at]}=${JSON.stringify(label)}`).join(',')}} ${value}`;
      }),
    );
    await golden(t, `exposition/smart-${host}.txt`, `${lines.join('\n')}\n`);
  });
}

t.test('what an answer means', async (t) => {
  const messages = (string: string): object => ({ smartctl: { exit_status: 2, messages: [{ string }] } });
  const cases: readonly (readonly [Outcome, object])[] = [
    [{ kind: 'not-started', cause: Object.assign(new Error('no'), { code: 'ENOENT' }) }, { state: 'no_smartctl' }],
    [{ kind: 'not-started', cause: Object.assign(new Error('no'), { code: 'EAGAIN' }) }, { state: 'failed' }],
    [
      { kind: 'killed', why: 'did not end within 5 ms', gone: Promise.resolve() },
      { state: 'hung', why: /5 ms/ },
    ],
    [
      { kind: 'ended', status: 1, output: '' },
      { state: 'failed', why: /status 1/ },
    ],
    [printed([]), { state: 'failed' }],
    [printed({ smartctl: {} }), { state: 'failed' }],
    [printed(messages('Device is in STANDBY mode, exit(2)'), 2), { state: 'standby' }],
    [printed(messages('Device is in SLEEP mode, exit(2)'), 2), { state: 'standby' }],
    [printed(messages('Device is in STANDBY (OS) mode, exit(2)'), 2), { state: 'standby' }],
    [
      printed(messages('Smartctl open device: /dev/sda failed: Permission denied'), 2),
      { state: 'failed', why: /Perm/ },
    ],
    [printed({ smartctl: { exit_status: 1 } }, 1), { state: 'failed', why: /status 1/ }],
    [printed({ smartctl: { exit_status: 4 }, smart_support: { available: false } }, 4), { state: 'unsupported' }],
    [printed({ smartctl: { exit_status: 0 } }), { state: 'unsupported' }],
    [printed({ smartctl: { exit_status: 8 }, smart_status: { passed: false } }, 8), { state: 'read' }],
  ];
  for (const [outcome, expected] of cases) t.match(judge(outcome), expected, JSON.stringify(outcome));
});

t.test('a failing disk is told with its status, and what a report does not have is absent', async (t) => {
  const report = parseReport(
    JSON.stringify({
      smartctl: { exit_status: 24 },
      smart_status: { passed: false },
      temperature: { current: 61, odd: 'x' },
      power_on_time: { hours: 2, minutes: 30 },
      rotation_rate: 0,
      nvme_smart_health_information_log: { percentage_used: 103, media_errors: 'x', data_units_written: 2 },
      scsi_error_counter_log: { read: { total_uncorrected_errors: 7 }, write: {} },
      ata_smart_error_log: { summary: { count: 3 } },
    }),
  );
  t.same(report && samplesOf(report).slice(1), [
    ['smartctl_device_smartctl_exit_status', 24, []],
    ['smartctl_device_smart_status', 0, []],
    ['smartctl_device_temperature', 61, ['current']],
    ['smartctl_device_power_on_seconds', 9000, []],
    ['smartctl_device_percentage_used', 103, []],
    ['smartctl_device_bytes_written', 1_024_000, []],
    ['smartctl_device_error_log_count', 3, ['summary']],
    ['smartctl_read_total_uncorrected_errors', 7, ['', '', '']],
  ]);
});

t.test('disks are asked by their names, virtual ones are not, and what is made of disks is none', async (t) => {
  for (const [name, disk, virtual] of [
    ['sda', 'sda', false],
    ['sdaa', 'sdaa', false],
    ['nvme0n1', 'nvme0', false],
    ['nvme12n2', 'nvme12', false],
    ['vda', 'vda', true],
    ['xvdb', 'xvdb', true],
  ] as const)
    t.same(diskOf(name), { name: disk, virtual }, name);
  for (const name of [
    'loop0',
    'dm-0',
    'md127',
    'zram0',
    'sr0',
    'nvme0c0n1',
    'mmcblk0',
    'sda1',
    'nbd0',
    '../sda',
    'sda;x',
  ])
    t.equal(diskOf(name), undefined, name);
  const block = { nvme0n1: {}, nvme0n2: {}, sda: {}, vda: {}, loop0: {} };
  t.same(
    listDisks(new HostFiles(t.testdir({ sys: { block } }))).map(({ name }) => name),
    ['nvme0', 'sda', 'vda'],
    'a controller once',
  );
});

t.test('each disk is asked once in an hour, who waits longest first', async (t) => {
  const disks = ['a', 'b', 'c'];
  const known = new Map<string, { askedAt: number }>();
  const asked: string[] = [];
  for (let now = 10 * HOUR; now < 13 * HOUR; now += MINUTE) {
    const next = nextDue(disks, known, new Set(), now);
    if (next === undefined) continue;
    asked.push(`${next} ${now / MINUTE}`);
    known.set(next, { askedAt: now });
  }
  t.same(asked, ['a 600', 'b 601', 'c 602', 'a 660', 'b 661', 'c 662', 'a 720', 'b 721', 'c 722']);
  t.equal(nextDue(disks, known, new Set(['a']), 15 * HOUR), 'b', 'one that is being asked is left alone');
  t.equal(
    nextDue(disks, new Map([['a', { askedAt: 2 * HOUR }]]), new Set(['b', 'c']), HOUR),
    'a',
    'the clock was set back',
  );
});

t.test('a disk that sleeps or does not answer keeps what it said, one that has no SMART does not', async (t) => {
  const before = learn(undefined, { state: 'read', samples: [['smartctl_device_media_errors', 1, []]] }, 5);
  for (const state of ['standby', 'failed', 'hung'] as const)
    t.same(learn(before, { state }, 9), { ...before, state, askedAt: 9 });
  for (const state of ['unsupported', 'no_smartctl'] as const)
    t.same(learn(before, { state }, 9), { state, askedAt: 9, readAt: null, samples: [] });
});

const host = (test: Test, names: readonly string[]): HostFiles =>
  new HostFiles(test.testdir({ sys: { block: Object.fromEntries(names.map((name) => [name, {}])) } }));

t.test('collections ask one disk after another, and say of each what is known', async (t) => {
  let now = 100 * HOUR;
  const asked: string[] = [];
  const never = Promise.withResolvers<void>();
  const ask = async (disk: string): Promise<Outcome> => {
    asked.push(disk);
    if (disk === 'sdb') return { kind: 'killed', why: 'did not end', gone: never.promise };
    if (disk === 'sdc') return { kind: 'not-started', cause: Object.assign(new Error(''), { code: 'ENOENT' }) };
    return printed({ smartctl: { exit_status: 0 }, smart_status: { passed: true } });
  };
  const warned: string[] = [];
  const log = { warn: (about: unknown) => void warned.push(JSON.stringify(about)) };
  const context = {
    host: host(t, ['sda', 'sdb', 'sdc', 'vda']),
    config: config(),
    saved: undefined,
    log: log as never,
  };
  const options = { ask, now: () => now, barred: undefined };
  const states = async (collecting: ReturnType<typeof openSmart>): Promise<string> => {
    const out = openWriter(smart);
    await collecting.collect(out);
    const { samples } = out.written();
    return samples
      .filter(({ metric }) => metric === 'jdos_disk_smart_info' || metric === 'smartctl_device_smart_status')
      .map(({ labels, value }) => `${labels['device']} ${labels['state'] ?? value}`)
      .join(', ');
  };
  const first = openSmart(context, options);
  t.equal(await states(first), 'sda read, sda 1, sdb waiting, sdc waiting, vda virtual');
  t.equal(await states(first), 'sda read, sda 1, sdb hung, sdc waiting, vda virtual');
  t.equal(await states(first), 'sda read, sda 1, sdb hung, sdc no_smartctl, vda virtual');
  now += HOUR;
  for (let i = 0; i < 4; i += 1) await states(first);
  t.same(asked, ['sda', 'sdb', 'sdc', 'sda', 'sdc'], 'one whose smartctl is still there is not asked again');
  never.resolve();
  await sleep(1);
  await states(first);
  t.same(asked.at(-1), 'sdb', 'it ended at last');
  t.equal(warned.length, 1, 'told once');

  const saved: unknown = JSON.parse(JSON.stringify(first.save?.()));
  t.ok(KnownDisks.safeParse(saved).success);
  const count = asked.length;
  const second = openSmart({ ...context, saved }, options);
  t.equal(
    await states(second),
    'sda read, sda 1, sdb hung, sdc no_smartctl, vda virtual',
    'as the process before left it',
  );
  t.equal(asked.length, count, 'nobody is asked anew because the process is another');
  const nonsense = { sda: { state: 'read', askedAt: 1, readAt: 1, samples: [['node_load1', 1, []]] } };
  t.match(await states(openSmart({ ...context, saved: nonsense }, options)), /sdb waiting/);
});

t.test('an answer that takes long holds up no other collector, and is told by the next collection', async (t) => {
  const slow = Promise.withResolvers<Outcome>();
  const collecting = openSmart(
    { host: host(t, ['sda']), config: config(), saved: undefined },
    { ask: () => slow.promise, now: Date.now, barred: undefined, patienceMs: 1 },
  );
  const text = async (): Promise<string> => {
    const out = openWriter(smart);
    await collecting.collect(out);
    return out.written().text;
  };
  t.equal(await text(), 'jdos_disk_smart_info{device="sda",state="waiting"} 1\n');
  slow.resolve(printed({ smartctl: { exit_status: 0 }, smart_status: { passed: true } }));
  await slow.promise;
  t.match(await text(), /state="read"/);
});

t.test('of another root, and without root, no disk is asked', async (t) => {
  const { text } = await collectOnce(smart, host(t, ['sda', 'vda']));
  t.equal(
    text,
    'jdos_disk_smart_info{device="sda",state="other_root"} 1\njdos_disk_smart_info{device="vda",state="virtual"} 1\n',
  );
});

t.test('the disks of this very host have a state each', async (t) => {
  const { samples } = await collectOnce(smart, new HostFiles('/'));
  const names = listDisks(new HostFiles('/')).map(({ name }) => name);
  t.same(
    samples.filter(({ metric }) => metric === 'jdos_disk_smart_info').map(({ labels }) => labels['device']),
    names,
  );
});

t.test('a command that is late is killed, and when it is gone is told', async (t) => {
  const outcome = await runCommand('sleep', { args: ['600'], timeoutMs: 50 });
  t.match(outcome, { kind: 'killed', why: 'did not end within 50 ms' });
  if (outcome.kind === 'killed') await outcome.gone;
  t.match(await runCommand('/nonexistent/smartctl'), { kind: 'not-started', cause: { code: 'ENOENT' } });
  t.match(await runCommand('sh', { args: ['-c', 'echo x; exit 4'] }), { kind: 'ended', status: 4, output: 'x\n' });
});

t.test(`whatever a disk fills in, samples are bounded numbers with their labels (seed ${FUZZ_SEED})`, async (t) => {
  const next = random();
  const [name = ''] = RECORDED_HARDWARE;
  const original = recorded(name, 'sda');
  if (original.kind !== 'ended') throw new Error('not recorded');
  const leaves: unknown[] = [[], {}, null, -1, 1e300, 'x'.repeat(5000)];
  JSON.parse(original.output, (_, value: unknown) => {
    if (typeof value !== 'object') leaves.push(value);
    return value;
  });
  let read = 0;
  for (let round = 0; round < 1500; round += 1) {
    // Bytes that are changed are mostly no JSON any more; values that stand in another's place are.
    const swap = (_: string, value: unknown): unknown =>
      next() < 0.01 ? leaves[Math.floor(next() * leaves.length)] : value;
    const swapped = JSON.stringify(JSON.parse(original.output, swap)) ?? '';
    const output = round % 3 === 0 ? mutate(Buffer.from(original.output), next).toString() : swapped;
    const { state, samples = [] } = judge({ kind: 'ended', status: 0, output });
    if (state === 'read') read += 1;
    for (const [metric, value, labels] of samples) {
      const declared = SMART_SAMPLES.find((one) => one.name === metric)?.labels?.length;
      if (!Number.isFinite(value) || declared !== labels.length + 1 || labels.some((label) => label.length > 256))
        t.fail(JSON.stringify([metric, value, labels]));
    }
  }
  t.ok(read > 100, `${read} of 1500 are read`);
  const long = { smartctl: { exit_status: 0 }, smart_status: { passed: true }, model_name: 'x'.repeat(9999) };
  t.equal(judge(printed(long)).samples?.[0]?.[2][3]?.length, 256);
  const table = Array.from({ length: 65 }, (_, id) => ({ id, name: `a${id}` }));
  t.equal(judge(printed({ ...long, ata_smart_attributes: { table } })).samples?.length, 3, 'a table that no disk has');
});
