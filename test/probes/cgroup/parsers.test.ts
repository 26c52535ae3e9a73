// What is made of the files of a cgroup, line by line, and of what no kernel would write.
import t from 'tap';
import { parseCpuMax, parseCpuStat } from '../../../src/probes/cgroup/cpu.ts';
import { countCpus } from '../../../src/probes/cgroup/cpuset.ts';
import { key, numberIn, valueOf } from '../../../src/probes/cgroup/flat.ts';
import { parseBlkio, parseIoStat, type DeviceIo } from '../../../src/probes/cgroup/io.ts';
import { parseCgroupMounts } from '../../../src/probes/cgroup/layout.ts';
import { parseMemoryEvents, parseMemoryStat } from '../../../src/probes/cgroup/memory.ts';
import { parseProcs } from '../../../src/probes/cgroup/pids.ts';
import { placeOf } from '../../../src/probes/container/place.ts';
import { FUZZ_SEED, mutate, random } from '../../support/random.ts';

const bytes = (text: string): Buffer => Buffer.from(text);

const FLAT: readonly (readonly [string, string, number | undefined])[] = [
  ['user 1\nsystem 2\n', 'system', 2],
  ['user 1\nsystem 2\n', 'user', 1],
  ['oom 1\noom_kill 2\n', 'oom', 1],
  ['oom_kill 2\noom 1', 'oom', 1],
  ['my_oom 5\n', 'oom', undefined],
  ['oom -1\n', 'oom', undefined],
  ['oom 1x\n', 'oom', undefined],
  ['oom\n', 'oom', undefined],
  ['', 'oom', undefined],
];
t.test('a value is found by its whole key', async (t) => {
  for (const [text, name, value] of FLAT) t.equal(valueOf(bytes(text), key(name)), value, JSON.stringify([text, name]));
});

const NUMBERS: readonly (readonly [string, number | undefined])[] = [
  ['12\n', 12],
  ['12', 12],
  ['max\n', Infinity],
  ['-1\n', Infinity],
  ['maximum\n', undefined],
  ['', undefined],
  ['12 34\n', undefined],
  ['x\n', undefined],
  ['9223372036854771712\n', 9223372036854771712],
];
t.test('one number, or no limit', async (t) => {
  for (const [text, value] of NUMBERS) t.equal(numberIn(bytes(text)), value, JSON.stringify(text));
  t.equal(numberIn(undefined), undefined);
});

t.test('cpu.stat has what its kernel and its controllers give', async (t) => {
  t.match(parseCpuStat(bytes('usage_usec 1500000\nuser_usec 1000000\nsystem_usec 500000\n')), {
    usage: 1.5,
    user: 1,
    system: 0.5,
    periods: undefined,
  });
  const with68 =
    'usage_usec 9\nuser_usec 4\nsystem_usec 5\ncore_sched.force_idle_usec 0\nnice_usec 3\nnr_periods 7\nnr_throttled 3\nthrottled_usec 2500000\nnr_bursts 1\nburst_usec 5000\n';
  t.match(parseCpuStat(bytes(with68)), {
    periods: 7,
    throttledPeriods: 3,
    throttled: 2.5,
    burstPeriods: 1,
    burst: 0.005,
  });
});

t.test('cpu.max', async (t) => {
  t.same(parseCpuMax(bytes('max 100000\n')), { quotaUs: Infinity, periodUs: 100000 });
  t.same(parseCpuMax(bytes('20000 100000\n')), { quotaUs: 20000, periodUs: 100000 });
  for (const wrong of ['', 'max\n', 'max max\n', '1 x\n']) t.equal(parseCpuMax(bytes(wrong)), undefined, wrong);
});

t.test('memory.stat of v1 counts the groups below, and tells their faults apart', async (t) => {
  const v1 = parseMemoryStat(bytes('cache 1\nrss 2\npgfault 3\ntotal_cache 10\ntotal_rss 20\ntotal_pgfault 30\n'), 1);
  t.match(v1, { file: 10, anon: 20, faults: 30, ownFaults: 3, majorFaults: undefined });
  const v2 = parseMemoryStat(bytes('anon 20\nfile 10\nkernel 5\ninactive_file 4\npgfault 30\nnew_key 1\n'), 2);
  t.match(v2, { anon: 20, file: 10, kernel: 5, inactiveFile: 4, faults: 30, ownFaults: 30 });
});

t.test('memory events', async (t) => {
  t.match(parseMemoryEvents(bytes('low 0\nhigh 1\nmax 2\noom 3\noom_kill 4\noom_group_kill 5\n')), {
    low: 0,
    high: 1,
    max: 2,
    oom: 3,
    oomKill: 4,
    oomGroupKill: 5,
  });
  t.match(parseMemoryEvents(bytes('oom_kill_disable 0\nunder_oom 0\noom_kill 2\n')), { oomKill: 2, max: undefined });
});

const IO: readonly (readonly [string, Record<string, DeviceIo>])[] = [
  [
    '8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6\n',
    { '8:0': { readBytes: 1, writtenBytes: 2, reads: 3, writes: 4 } },
  ],
  ['8:0 rbytes=1 cost.usage=7 cost.wait=8\n', { '8:0': { readBytes: 1, costUsage: 7, costWait: 8 } }],
  // What Linux 5.x makes of devices without statistics.
  ['253:10 253:5 rbytes=9\n8:0 rbytes=1\n', { '253:5': { readBytes: 9 }, '8:0': { readBytes: 1 } }],
  ['8:0 \n8:16 rbytes=2\n', { '8:16': { readBytes: 2 } }],
  ['rbytes=1\n', {}],
  ['8:0 rbytes=-1 wbytes=x new=4\n', {}],
  ['', {}],
];
t.test('io.stat, also as some kernels break it', async (t) => {
  for (const [text, devices] of IO) t.same(Object.fromEntries(parseIoStat(text)), devices, JSON.stringify(text));
});

t.test('a blkio file has two directions per device, and totals', async (t) => {
  const devices = new Map<string, DeviceIo>();
  parseBlkio('8:0 Read 5\n8:0 Write 6\n8:0 Sync 7\n8:0 Total 11\nTotal 11\n', devices, 'readBytes', 'writtenBytes');
  t.same(Object.fromEntries(devices), { '8:0': { readBytes: 5, writtenBytes: 6 } });
});

const CPUS: readonly (readonly [string, number | undefined])[] = [
  ['0-3\n', 4],
  ['0,2-3,7\n', 4],
  ['5', 1],
  ['\n', 0],
  ['3-1', undefined],
  ['a', undefined],
  ['0-99999999', undefined],
];
t.test('a list of CPUs is counted', async (t) => {
  for (const [text, count] of CPUS) t.equal(countCpus(text), count, JSON.stringify(text));
});

t.test('pids, without those of other namespaces', async (t) => {
  const pids: number[] = [];
  t.equal(parseProcs(bytes('12\n0\n345\n'), pids), true);
  t.same(pids, [12, 345]);
  t.equal(parseProcs(bytes('7\n'), pids), false);
});

const INPUTS: readonly (readonly [string, string, (bytes: Buffer) => readonly unknown[]])[] = [
  ['cpu.stat', 'usage_usec 1\nuser_usec 2\nnr_periods 3\n', (b) => Object.values(parseCpuStat(b))],
  ['memory.stat', 'anon 1\nfile 2\ninactive_file 3\npgfault 4\n', (b) => Object.values(parseMemoryStat(b, 2))],
  [
    'io.stat',
    '8:0 rbytes=1 wbytes=2 rios=3\n',
    (b) => [...parseIoStat(b.toString('latin1')).values()].flatMap((io) => Object.values(io)),
  ],
  ['cpu.max', '20000 100000\n', (b) => Object.values(parseCpuMax(b) ?? {})],
  ['cpuset', '0-3,8\n', (b) => [countCpus(b.toString('latin1'))]],
  [
    'pids',
    '12\n345\n',
    (b) => {
      const pids: number[] = [];
      parseProcs(b, pids);
      return pids;
    },
  ],
  ['number', '123456\n', (b) => [numberIn(b)]],
];
for (const [name, text, parse] of INPUTS) {
  t.test(`mutilated ${name} gives numbers that are not negative, or nothing (seed ${FUZZ_SEED})`, async (t) => {
    const next = random();
    for (let round = 0; round < 3000; round += 1) {
      const input = mutate(bytes(text), next);
      for (const value of parse(input)) {
        if (value === undefined || (typeof value === 'number' && value >= 0)) continue;
        t.fail(`${String(value)} from ${JSON.stringify(input.toString('latin1'))}`);
        return;
      }
    }
  });
}

t.test(`mutilated mountinfo and paths are never more than unknown (seed ${FUZZ_SEED})`, async () => {
  const next = random();
  const mount = bytes('30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n');
  const path = bytes(
    `/kubepods.slice/kubepods-burstable-pod3f0c6d6e_1d55_4c1c_9d0a_7c3e5f2b8a10.slice/crio-${'a'.repeat(64)}.scope`,
  );
  for (let round = 0; round < 3000; round += 1) {
    parseCgroupMounts(mutate(mount, next).toString());
    placeOf(mutate(path, next).toString());
  }
});
