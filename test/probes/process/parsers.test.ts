// The parsers of a process's files: recorded files, tables of what can stand in them, and noise.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parseAuxv, USUAL_UNITS } from '../../../src/probes/process/boot.ts';
import { containerOf, parseCmdline } from '../../../src/probes/process/details.ts';
import { parseIo } from '../../../src/probes/process/io.ts';
import { parseOpenFilesLimit } from '../../../src/probes/process/limits.ts';
import { parseSmapsRollup } from '../../../src/probes/process/smaps.ts';
import { baseName } from '../../../src/probes/process/read.ts';
import { parseStat, stateName } from '../../../src/probes/process/stat.ts';
import { parseStatus } from '../../../src/probes/process/status.ts';
import { FUZZ_SEED, mutate, random } from '../../support/random.ts';
import { statText } from './written-host.ts';

const recorded = (file: string): Buffer =>
  readFileSync(join(import.meta.dirname, '../../fixtures/process/debian12-6.18', file));

t.test('a recorded stat file gives what the kernel wrote', async (t) => {
  t.same(parseStat(recorded('stat')), {
    comm: 'we (i) rd) R 1',
    state: 'S',
    ppid: 17482,
    kernel: false,
    minorFaults: 137,
    majorFaults: 0,
    user: 0,
    system: 0,
    reaped: 0,
    threads: 1,
    start: 184738,
    virtualBytes: 2990080,
    residentPages: 413,
  });
  t.match(parseStat(recorded('stat-zombie')), { comm: 'python3', state: 'Z', kernel: false, residentPages: 0 });
  t.match(parseStat(recorded('stat-kernel-thread')), { comm: 'kthreadd', kernel: true, ppid: 0, start: 24 });
});

t.test('a comm may hold anything', async (t) => {
  for (const [name, comm, expected] of [
    ['nothing', '', ''],
    ['spaces', ' a  b ', ' a  b '],
    ['parentheses', ') (', ') ('],
    ['a forged rest of the line', 'x) R 9 9 9 9', 'x) R 9 9 9 9'],
    ['a newline', 'a\nb', 'a\nb'],
    ['quotes and backslashes', '"\\', '"\\'],
    ['Chinese', '数据库', '数据库'],
    ['bytes that are not UTF-8', Buffer.from([0x61, 0xff, 0x62]), 'a\ufffdb'],
    ['a UTF-8 character cut at 15 bytes', Buffer.from([0x61, 0xe6, 0x95]), 'a\ufffd'],
  ] as const) {
    t.match(parseStat(statText({ pid: 5, comm, start: 77 })), { comm: expected, ppid: 1, start: 77 }, name);
  }
});

t.test('a stat file that is none is not one', async (t) => {
  for (const text of [
    '',
    '5',
    '5 (a',
    '5 (a)',
    '5 (a) S',
    '5 (a) S 1 7 7 0 -1 4194304 0 0 0 0 1 2 0 0 20 0 1 0 77 0', // without rss
    '5 (a) S 1 7 7 0 -1 4194304 0 0 0 0 1 x 0 0 20 0 1 0 77 0 0',
    '5 (a)  1 7 7 0 -1 4194304 0 0 0 0 1 2 0 0 20 0 1 0 77 0 0',
    'x (a) S 1 7 7 0 -1 4194304 0 0 0 0 1 2 0 0 20 0 1 0 77 0 0',
    '5 (a) S 1 7 7 0 -1 4194304 0 0 0 0 111111111111111111111 2 0 0 20 0 1 0 77 0 0',
  ]) {
    t.equal(parseStat(Buffer.from(text)), undefined, JSON.stringify(text));
  }
});

t.test('the kernel letters are the states of process-exporter', async (t) => {
  const named = [...'RSDZITtXP'].map((letter) => `${letter} ${stateName(letter)}`);
  t.same(named, [
    'R Running',
    'S Sleeping',
    'D Waiting',
    'Z Zombie',
    'I Other',
    'T Other',
    't Other',
    'X Other',
    'P Other',
  ]);
});

t.test('status gives the owner, the swap and the context switches', async (t) => {
  t.same(parseStatus(recorded('status')), { uid: 0, swappedBytes: 0, voluntary: 1, nonvoluntary: 0 });
  t.same(
    parseStatus(recorded('status-zombie')),
    { uid: 0, swappedBytes: undefined, voluntary: 1, nonvoluntary: 0 },
    'a zombie has no memory to swap',
  );
  t.same(
    parseStatus(
      Buffer.from('Name:\ta\\nVmSwap:\t9 kB\nUid:\t65534\t1\nVmSwap:\t     12 kB\nvoluntary_ctxt_switches:\t7\n'),
    ),
    { uid: 65534, swappedBytes: 12288, voluntary: 7, nonvoluntary: undefined },
    'a name cannot forge a line, and an old kernel may lack one',
  );
  t.equal(parseStatus(Buffer.from('Name:\ta\n')), undefined);
});

t.test('io gives the bytes of the block devices, not those of the calls', async (t) => {
  t.same(parseIo(recorded('io')), { readBytes: 0, writeBytes: 0 });
  t.same(
    parseIo(
      Buffer.from(
        'rchar: 1\nwchar: 2\nsyscr: 3\nsyscw: 4\nread_bytes: 4096\nwrite_bytes: 8192\ncancelled_write_bytes: 5\n',
      ),
    ),
    { readBytes: 4096, writeBytes: 8192 },
  );
  t.equal(parseIo(Buffer.from('rchar: 1\nread_bytes: 1\ncancelled_write_bytes: 5\n')), undefined);
});

t.test('the soft limit of open files is a number or none at all', async (t) => {
  t.equal(parseOpenFilesLimit(recorded('limits')), 20000);
  for (const [line, expected] of [
    ['\nMax open files            1024                 4096                 files', 1024],
    ['\nMax open files            0                    0                    files', 0],
    ['\nMax open files            unlimited            unlimited            files', Infinity],
    ['\nMax open files            what', undefined],
    ['\nMax file locks            3                    4                    locks', undefined],
    ['', undefined],
  ] as const) {
    t.equal(parseOpenFilesLimit(Buffer.from(line)), expected, JSON.stringify(line));
  }
});

t.test('smaps_rollup gives the proportional share in bytes', async (t) => {
  t.same(parseSmapsRollup(recorded('smaps_rollup')), { residentBytes: 351 * 1024, swappedBytes: 0 });
  t.equal(parseSmapsRollup(Buffer.from('1-2 ---p 0 [rollup]\nRss: 3 kB\n')), undefined);
});

t.test('the kernel says its page size and its clock tick', async (t) => {
  t.same(parseAuxv(recorded('auxv'), 'LE'), { pageBytes: 4096, ticksPerSecond: 100 });
  const words = (order: 'BE' | 'LE'): Buffer => {
    const bytes = Buffer.alloc(48);
    [6n, 65536n, 17n, 250n, 0n, 0n].forEach((word, i) =>
      order === 'BE' ? bytes.writeBigUInt64BE(word, 8 * i) : bytes.writeBigUInt64LE(word, 8 * i),
    );
    return bytes;
  };
  for (const order of ['BE', 'LE'] as const) {
    t.same(parseAuxv(words(order), order), { pageBytes: 65536, ticksPerSecond: 250 }, order);
  }
  t.same(parseAuxv(words('LE').subarray(0, 9), 'LE'), USUAL_UNITS, 'a cut vector says nothing');
});

t.test('a container is known by the 64 digits in its cgroup', async (t) => {
  const [a, b] = ['ab'.repeat(32), 'cd'.repeat(32)];
  for (const [cgroups, expected] of [
    [`0::/system.slice/docker-${a}.scope\n`, a],
    [`12:pids:/docker/${a}\n11:memory:/docker/${a}\n0::/\n`, a],
    [`0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice/cri-containerd-${a}.scope`, a],
    [`0::/kubepods/besteffort/pod1/crio-${a}`, a],
    [`0::/machine.slice/libpod-${a}.scope/container`, a],
    [`0::/docker/${a}/docker/${b}`, a],
    [`0::/user.slice/${a.slice(1)}`, null],
    [`0::/user.slice/${a}0`, null],
    ['0::/system.slice/ssh.service\n', null],
    ['', null],
  ] as const) {
    t.equal(containerOf(cgroups), expected, cgroups);
  }
});

t.test('a command line is one short line', async (t) => {
  t.equal(parseCmdline(Buffer.from('java\0-Xmx1g\0-jar\0a b.jar\0')), 'java -Xmx1g -jar a b.jar');
  t.equal(parseCmdline(Buffer.from('a\n\u001b[31mred\0\0')), 'a [31mred');
  t.equal(parseCmdline(Buffer.from('数'.repeat(300))).length, 200);
  t.equal(parseCmdline(Buffer.alloc(0)), '');
});

t.test('a program is named by its file', async (t) => {
  t.equal(baseName('/usr/sbin/nginx'), 'nginx');
  t.equal(baseName('/usr/bin/python3.11 (deleted)'), 'python3.11');
  t.equal(baseName('/memfd:runc (deleted)'), 'memfd:runc');
});

t.test(`no parser fails on noise (seed ${FUZZ_SEED})`, async (t) => {
  const next = random();
  const parsers = {
    stat: parseStat,
    status: parseStatus,
    io: parseIo,
    limits: parseOpenFilesLimit,
    smaps_rollup: parseSmapsRollup,
    auxv: (bytes: Buffer) => parseAuxv(bytes, 'LE'),
  };
  for (const [file, parse] of Object.entries(parsers)) {
    const original = recorded(file);
    for (let i = 0; i < 2000; i += 1) {
      const input = mutate(original, next);
      const values = numbersIn(parse(input));
      if (values.some((value) => Number.isNaN(value) || value < 0)) {
        return void t.fail(`${file} gave ${values.join(' ')}`, { input: input.toString('latin1') });
      }
    }
    t.pass(`${file} gave numbers or nothing, 2000 times`);
  }
});

const numbersIn = (value: unknown): number[] =>
  typeof value === 'number'
    ? [value]
    : typeof value === 'object' && value !== null
      ? Object.values(value).filter((each) => typeof each === 'number')
      : [];
