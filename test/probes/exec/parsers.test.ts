// What is read of the kernel's trace: a recorded page, written ones, names of all kinds, and noise.
import t from 'tap';
import type { TraceEvent } from '../../../src/probes/exec/events.ts';
import { openDecoder } from '../../../src/probes/exec/events.ts';
import { parseFormat, parsePageFormat } from '../../../src/probes/exec/format.ts';
import { controllerOf, parseMembership } from '../../../src/probes/cgroup/membership.ts';
import { eachRecord } from '../../../src/probes/exec/page.ts';
import { bufferKilobytes, lostOf } from '../../../src/probes/exec/tracefs.ts';
import { FUZZ_SEED, mutate, random } from '../../support/random.ts';
import { decoder, formatOf, page, PAGE, record, recorded } from './written-trace.ts';

const decode = decoder();

function eventsIn(bytes: Buffer): readonly TraceEvent[] {
  const events: TraceEvent[] = [];
  eachRecord(bytes, PAGE, (at, start, end) => {
    const event = decode(bytes, at, start, end);
    if (event !== undefined) events.push(event);
  });
  return events;
}

const only = (bytes: Buffer): TraceEvent | undefined => eventsIn(page(1000, [{ after: 5, record: bytes }]))[0];

t.test('a recorded page tells what a shell ran, and when', async (t) => {
  const events = eventsIn(recorded('page'));
  t.same(
    events.map(({ kind, ...event }) => `${kind} ${event.tid} ${'comm' in event ? event.comm : ''}`),
    [
      'exec 25702 taskset',
      'exec 25702 sh',
      'task 25703 sh',
      'exec 25703 true',
      'exit 25703 true',
      'task 25704 sh',
      'exec 25704 sleep',
      'exit 25704 sleep',
      'task 25705 sh',
      'exec 25705 sleep',
      'exit 25705 sleep',
      'task 25706 sh',
      'exec 25706 true',
      'exit 25706 true',
      'exit 25702 sh',
    ],
  );
  const [began, ended] = events.filter(({ tid }) => tid === 25704).filter(({ kind }) => kind !== 'exec');
  const seconds = ((ended?.at ?? 0) - (began?.at ?? 0)) / 1e9;
  t.ok(seconds > 0.2 && seconds < 0.25, `sleep 0.2 took ${seconds} s`);
  t.match(began, { parent: 25702, thread: false, placed: false });
  t.match(ended, { last: true });
});

t.test('formats give the id and the fields of an event', async (t) => {
  const { id, fields } = formatOf('oom/mark_victim');
  t.equal(id, 609);
  t.same(fields.get('comm'), { offset: 12, size: 4 });
  t.same(fields.get('pid'), { offset: 8, size: 4 });
  t.same(formatOf('task/task_newtask').fields.get('comm'), { offset: 12, size: 16 });
  t.same(PAGE, { dataAt: 16, bytes: 4096 });
  for (const text of ['', 'name: x\n', 'ID: 5\n', 'ID: 5\n\tfield:int pid;\toffset:x;\tsize:4;\n'])
    t.throws(() => parseFormat(text), { code: 'JD_UNEXPECTED_KERNEL_TEXT' }, JSON.stringify(text));
  for (const text of [
    '',
    '\tfield: char data;\toffset:16;\tsize:0;\n',
    '\tfield: char data;\toffset:16;\tsize:99999999;\n',
  ])
    t.throws(() => parsePageFormat(text), { code: 'JD_UNEXPECTED_KERNEL_TEXT' }, JSON.stringify(text));
});

t.test('a kernel without a field that is needed is told at once', async (t) => {
  t.throws(() => openDecoder(new Map([['exec', formatOf('sched/sched_process_exit')]])), /no field old_pid/);
});

t.test('a program runs under the last part of its file name, whatever that holds', async (t) => {
  const forged =
    '/tmp/x\n     true-7 [000] ..... 12.5: sched_process_exit: comm=sshd pid=1 prio=120 group_dead=true\n/y z';
  const table: readonly (readonly [string | Buffer, string])[] = [
    ['/bin/true', 'true'],
    ['true', 'true'],
    ['/usr/bin/a-name-that-is-too-long', 'a-name-that-is-'],
    ['/opt/a b=c "d" pid=1 old_pid=2', 'a b=c "d" pid=1'],
    ['/dev/fd/7', '7'],
    ['/opt/', ''],
    ['', ''],
    [forged, 'y z'],
    [Buffer.from([0x2f, 0xff, 0xe4, 0xb8, 0xad]), '\ufffd中'],
    [`/${'x/'.repeat(1500)}deep`, 'deep'],
  ];
  for (const [filename, comm] of table) {
    const events = eventsIn(page(1, [{ after: 1, record: record('exec', { filename, pid: 9, old_pid: 9 }) }]));
    t.same(events, [{ kind: 'exec', at: 2, tid: 9, caller: 9, comm }], JSON.stringify(comm));
  }
});

t.test('each kind of event is read', async (t) => {
  const flags = { pid: 12, comm: 'w=1 pid=2', common_pid: 7 };
  t.same(only(record('task', { ...flags, clone_flags: 0x11 })), {
    kind: 'task',
    at: 1005,
    parent: 7,
    tid: 12,
    comm: 'w=1 pid=2',
    thread: false,
    placed: false,
  });
  t.match(only(record('task', { ...flags, clone_flags: 0x10f00 })), { thread: true, placed: false });
  t.match(only(record('task', { ...flags, clone_flags: 2 ** 33 })), { thread: false, placed: true });
  t.same(only(record('exit', { comm: '0123456789abcde', pid: 5, group_dead: 0 })), {
    kind: 'exit',
    at: 1005,
    tid: 5,
    comm: '0123456789abcde',
    last: false,
  });
  t.same(only(record('oom/mark_victim', { pid: 5, comm: 'java' })), { kind: 'victim', at: 1005, tid: 5, comm: 'java' });
  t.same(only(record('cgroup/cgroup_attach_task', { pid: 5, dst_root: 4, dst_path: '/a b', comm: 'sh' })), {
    kind: 'move',
    at: 1005,
    tid: 5,
    hierarchy: 4,
    path: '/a b',
  });
});

t.test('older kernels say less', async (t) => {
  const without = (name: string, field: string) => {
    const { id, fields } = formatOf(name);
    return { id, fields: new Map([...fields].filter(([one]) => one !== field)) };
  };
  const old = openDecoder(
    new Map([
      ['exit', without('sched/sched_process_exit', 'group_dead')],
      ['victim', without('oom/mark_victim', 'comm')],
    ]),
  );
  const exit = record('exit', { comm: 'true', pid: 5, group_dead: 1 });
  t.match(old(exit, 1, 0, exit.length), { kind: 'exit', last: undefined });
  const victim = record('oom/mark_victim', { pid: 5 });
  t.match(old(victim, 1, 0, victim.length), { kind: 'victim', comm: undefined });
  const exec = record('exec', { filename: '/bin/true', pid: 5, old_pid: 5 });
  t.equal(old(exec, 1, 0, exec.length), undefined, 'an event that was not asked for');
});

t.test('time goes on within a page, also over long pauses and from stamp to stamp', async (t) => {
  const one = record('exit', { comm: 'a', pid: 1, group_dead: 1 });
  const times = (bytes: Buffer): readonly number[] => eventsIn(bytes).map(({ at }) => at);
  t.same(
    times(
      page(1e15, [
        { after: 0, record: one },
        { after: 7, record: one },
      ]),
    ),
    [1e15, 1e15 + 7],
  );
  t.same(times(page(100, [{ after: 3_600_000_000_000 }, { after: 5, record: one }])), [3_600_000_000_105]);
  const stamped = page(1000, [{ after: 20 }, { after: 1, record: one }]);
  stamped.writeUInt32LE((77 << 5) | 31, PAGE.dataAt);
  t.same(times(stamped), [78], 'an absolute time');
  const skipped = page(1000, [
    { after: 1, record: one },
    { after: 2, record: one },
  ]);
  skipped.writeUInt32LE((1 << 5) | 29, PAGE.dataAt);
  skipped.writeUInt32LE(one.length, PAGE.dataAt + 4);
  t.same(times(skipped), [1003], 'what was discarded counts as time');
  const flagged = page(1000, [{ after: 1, record: one }]);
  flagged.writeUInt32LE((flagged.readUInt32LE(8) | 0xc000_0000) >>> 0, 8);
  t.same(times(flagged), [1001], 'a page before which events were lost');
  t.same(times(page(1000, [])), []);
});

t.test('a damaged page gives what can be read of it and never more', async (t) => {
  const next = random();
  const written = page(5000, [
    { after: 3, record: record('task', { pid: 12, comm: 'w', common_pid: 7, clone_flags: 17 }) },
    { after: 2 ** 30, record: record('exec', { filename: `/bin/${'a'.repeat(200)}`, pid: 12, old_pid: 12 }) },
    { after: 9, record: record('cgroup/cgroup_attach_task', { pid: 12, dst_root: 1, dst_path: '/x', comm: 'y' }) },
    { after: 9, record: record('oom/mark_victim', { pid: 12, comm: 'w' }) },
  ]);
  for (let i = 0; i < 20_000; i += 1) {
    const bytes = mutate(i % 2 === 0 ? recorded('page').subarray(0, 700) : written.subarray(0, 600), next);
    for (const event of eventsIn(bytes)) {
      if (!Number.isFinite(event.at) || !Number.isInteger(event.tid)) t.fail(`seed ${FUZZ_SEED}, round ${i}`);
      if ('comm' in event && (event.comm?.length ?? 0) > 4096) t.fail(`seed ${FUZZ_SEED}, round ${i}`);
    }
  }
});

t.test('what was lost is the sum of all ways to lose it', async (t) => {
  const stats = (overrun: number, commit: number, dropped: number): Buffer =>
    Buffer.from(
      `entries: 3\noverrun: ${overrun}\ncommit overrun: ${commit}\nbytes: 156\noldest event ts: 12.5\nnow ts: 13.1\ndropped events: ${dropped}\nread events: 9\n`,
    );
  t.equal(lostOf(stats(0, 0, 0)), 0);
  t.equal(lostOf(stats(100, 20, 3)), 123);
  t.equal(lostOf(Buffer.from('')), 0);
});

t.test('the buffer has a bound for each CPU and for all of them', async (t) => {
  t.same([1, 8, 32, 64, 128, 256, 1024].map(bufferKilobytes), [512, 512, 512, 256, 128, 64, 64]);
});

t.test('the cgroup of a process is that of the hierarchy which is shown', async (t) => {
  const hybrid = '9:name=systemd:/s\n4:memory:/docker/a:b\n2:cpu,cpuacct:/c\n0::/u (deleted)\n';
  t.same(parseMembership(hybrid, 'memory'), { hierarchy: 4, path: '/docker/a:b' });
  t.same(parseMembership(hybrid, 'cpuacct'), { hierarchy: 2, path: '/c' });
  t.same(parseMembership(hybrid, 'name=systemd'), { hierarchy: 9, path: '/s' });
  t.same(parseMembership(hybrid, ''), { hierarchy: 0, path: '/u' });
  for (const text of ['', '4:memory', 'x:memory:/a', '4:memory:a', '4:pids:/a'])
    t.equal(parseMembership(text, 'memory'), undefined, text);
  const v1 = new Map([
    ['memory', '/sys/fs/cgroup/memory'],
    ['pids', '/sys/fs/cgroup/pids'],
  ]);
  t.equal(controllerOf({ mode: 'hybrid', v1, unified: '/sys/fs/cgroup/unified', tree: '/sys/fs/cgroup/pids' }), 'pids');
  t.equal(controllerOf({ mode: 'v2', v1: new Map(), unified: '/sys/fs/cgroup', tree: '/sys/fs/cgroup' }), '');
});
