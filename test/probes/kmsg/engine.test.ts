// From records to counts and events: gaps, fragments, reports of many lines, floods, and going on after a restart.
import t from 'tap';
import { emptyState } from '../../../src/probes/kmsg/engine.ts';
import { restore, save } from '../../../src/probes/kmsg/saved.ts';
import { mutate, random } from '../../support/random.ts';
import { openTestLog, record, recorded, recordedFiles } from './lines.ts';

const SEGFAULT = 'demo[1]: segfault at 0 ip 0000000000401136 sp 00007ffd3ce6ba10 error 6 in demo[401000+1000]';
const kill = (pid: number, comm = 'java'): string =>
  `Memory cgroup out of memory: Killed process ${pid} (${comm}) total-vm:9kB, anon-rss:8kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:8kB oom_score_adj:0`;
const chosen = (pid: number, group: string): string =>
  `oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=${group},task_memcg=${group}/in,task=java,pid=${pid},uid=1000`;
const INVOKED = 'sh invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0';

t.test('a gap in the numbers is what was lost, exactly; what came before the first is not', async (t) => {
  const log = openTestLog();
  log.say('first there is', { seq: 500 });
  t.equal(log.state.lost, 0);
  log.say('next');
  log.say('after a gap', { seq: 600 });
  t.equal(log.state.lost, 98);
  log.say('seen before', { seq: 300 });
  t.same([log.state.seq, log.state.lost], [600, 98]);
  t.equal(log.state.records[4], 3, 'what was seen is not counted again');
});

t.test('records of other facilities are not counted, but they are no gap', async (t) => {
  const log = openTestLog();
  log.say('kernel');
  log.say('user', { facility: 1 });
  log.say('kernel', { severity: 6 });
  t.same(log.state.records, [0, 0, 0, 0, 1, 0, 1, 0]);
  t.equal(log.state.lost, 0);
});

t.test('a line in fragments is one line, whoever writes between', async (t) => {
  const log = openTestLog();
  log.say('demo[1]: segfault at 0 ip 0000000000401136 ', { flag: 'c' });
  log.say('sp 00007ffd3ce6ba10 ', { flag: '+' });
  log.say('error 6 in demo[401000+1000]', { flag: '+' });
  t.same(log.counts(), {}, 'its end may be to come');
  log.say('something else');
  t.same(log.counts(), { Segfault: 1 });
  t.match(log.problems, [{ seq: 0, fields: { comm: 'demo', object: 'demo' } }]);
  log.say('BUG: kernel NULL pointer dereference, address: 10', { flag: 'c' });
  log.engine.settle(60_000_000);
  t.equal(log.counts()['KernelOops'], 1, 'an end that does not come is not waited for');
});

t.test('an OOM is one event, with the cgroup that another line told', async (t) => {
  const log = openTestLog();
  log.say(INVOKED);
  log.say('CPU: 0 PID: 7 Comm: sh Not tainted');
  log.say('memory: usage 16384kB, limit 16384kB, failcnt 9');
  log.say(chosen(42, '/docker/a'));
  log.say(kill(42));
  t.same(log.counts(), { OOMKilling: 1 });
  t.match(log.problems, [
    {
      seq: 4,
      fields: {
        invoker: 'sh',
        pid: '42',
        comm: 'java',
        cgroup: '/docker/a/in',
        limited: '/docker/a',
        limit_kb: '16384',
      },
      lines: [INVOKED, /CPU/, /usage/, /oom-kill/, /Killed/],
    },
  ]);
});

t.test('each of a group that is killed is an event; the next OOM inherits nothing', async (t) => {
  const log = openTestLog();
  log.say(chosen(42, '/docker/a'));
  log.say(kill(42));
  log.say('Tasks in /docker/a are going to be killed due to memory.oom.group set');
  log.say(kill(43, 'sh'));
  log.say(kill(44, 'sh'));
  log.say(INVOKED);
  log.say(kill(50));
  t.same(log.counts(), { OOMKilling: 4 });
  t.same(
    log.problems.map(({ fields }) => [fields['pid'], fields['cgroup'] ?? null]),
    [
      ['42', '/docker/a/in'],
      ['43', '/docker/a'],
      ['44', '/docker/a'],
      ['50', null],
    ],
  );
});

t.test('a victim is not taken for another that was told of in between', async (t) => {
  const log = openTestLog();
  log.say(chosen(42, '/docker/a'));
  log.say(kill(43));
  t.equal(log.problems[0]?.fields['cgroup'], undefined);
});

t.test('an oops is one event, from its first line to its end, with the program and the place', async (t) => {
  const log = openTestLog();
  log.say('BUG: kernel NULL pointer dereference, address: 0000000000000010', { severity: 1 });
  log.say('#PF: supervisor write access in kernel mode', { severity: 1 });
  log.say('Oops: 0002 [#1] PREEMPT SMP NOPTI');
  log.say('CPU: 1 PID: 77 Comm: insmod Tainted: G           OE      6.1.0 #1');
  log.say('RIP: 0010:null_dereference+0x5/0x10 [trouble]');
  log.say(SEGFAULT, { caller: 'T9' });
  log.say('---[ end trace 0000000000000000 ]---');
  log.say('RIP: 0010:somewhere_else+0x5/0x10');
  t.same(log.counts(), { KernelOops: 1, Segfault: 1 });
  t.match(
    log.problems.find(({ reason }) => reason === 'KernelOops'),
    { seq: 0, severity: 1, fields: { pid: '77', comm: 'insmod', cpu: '1', function: 'null_dereference+0x5/0x10' } },
  );
  t.equal(log.problems.find(({ reason }) => reason === 'KernelOops')?.lines.length, 6);
});

t.test('reports of several CPUs at once are kept apart where the kernel says who writes', async (t) => {
  const log = openTestLog();
  log.say('WARNING: CPU: 0 PID: 1 at a.c:1 one+0x1/0x2', { caller: 'T1' });
  log.say('BUG: kernel NULL pointer dereference, address: 10', { caller: 'T2' });
  log.say('CPU: 0 PID: 1 Comm: first Not tainted 6.1', { caller: 'T1' });
  log.say('CPU: 1 PID: 2 Comm: second Not tainted 6.1', { caller: 'T2' });
  log.engine.settle(60_000_000);
  t.match(
    log.problems.map(({ reason, fields }) => [reason, fields['comm']]),
    [
      ['KernelWarning', 'first'],
      ['KernelOops', 'second'],
    ],
  );
});

t.test('who holds what a hung task waits for is told with it', async (t) => {
  for (const [lock, line] of [
    ['mutex', 'INFO: task dd:7 is blocked on a mutex likely owned by task cp:9.'],
    ['semaphore', 'INFO: task dd:7 blocked on a semaphore likely last held by task cp:9'],
    ['rw-semaphore', 'INFO: task dd:7 <writer> blocked on an rw-semaphore likely owned by task cp:9 <reader>'],
  ] as const) {
    const log = openTestLog();
    log.say('INFO: task dd:7 blocked for more than 120 seconds.');
    log.say(line);
    log.engine.settle(60_000_000);
    t.match(log.problems, [{ reason: 'TaskHung', fields: { pid: '7', lock, owner: 'cp', owner_pid: '9' } }]);
  }
});

t.test('a report without an end is over after a second of silence, or ten of talk', async (t) => {
  const log = openTestLog();
  log.say('INFO: task dd:7 blocked for more than 120 seconds.', { usec: 1_000_000 });
  log.say('task:dd state:D', { usec: 1_500_000 });
  t.equal(log.problems.length, 0);
  log.say('later', { usec: 2_600_000 });
  t.equal(log.problems[0]?.lines.length, 2);
  log.say('INFO: task dd:8 blocked for more than 120 seconds.', { usec: 3_000_000 });
  for (let usec = 3_000_000; usec < 15_000_000; usec += 500_000) log.say('talk', { usec });
  t.equal(log.problems.length, 2);
});

t.test('of a long report the beginning and the end are kept', async (t) => {
  const log = openTestLog();
  log.say('WARNING: CPU: 0 PID: 1 at a.c:1 one+0x1/0x2');
  for (let line = 0; line < 1000; line += 1) log.say(`line ${line} ${'x'.repeat(2000)}`, { usec: 1000 });
  log.say('---[ end trace 0 ]---', { usec: 1000 });
  const [{ lines = [] } = {}] = log.problems;
  t.equal(lines.length, 41);
  t.equal(lines[24], '… 962 lines are not kept …');
  t.equal(lines.at(-1), '---[ end trace 0 ]---');
  t.ok(lines.every((line) => line.length <= 300));
});

t.test('a flood is counted to the last line, and a few of it are kept with how many are not', async (t) => {
  const log = openTestLog({ perMinute: 20 });
  for (let line = 0; line < 5000; line += 1) log.say(SEGFAULT, { usec: line });
  t.same(log.counts(), { Segfault: 5000 });
  t.equal(log.problems.length, 20);
  t.equal(log.state.counts.get('Segfault')?.suppressed, 4980);
  log.say(SEGFAULT, { usec: 60_000_000 });
  t.equal(log.problems.at(-1)?.suppressed, 4980, 'the next says how many');
  log.say(SEGFAULT, { usec: 60_000_001 });
  t.equal(log.problems.at(-1)?.suppressed, 0);
});

t.test('a record of 8 KiB, binary text and numbers of later kernels are taken as they are', async (t) => {
  const log = openTestLog();
  log.say(`${SEGFAULT}${'\x00\xff\n'.repeat(2500)}`);
  log.say(`${'x'.repeat(8000)}${SEGFAULT}`);
  t.same(log.counts(), { Segfault: 1 }, 'beyond 2,048 characters nothing is looked at');
  const bytes = Buffer.from('no record at all');
  log.engine.take(bytes, bytes.length, () => 0);
  t.equal(log.state.seq, 1);
});

t.test('whatever is in a record, nothing throws, and what was saved is read again', async (t) => {
  const records = recordedFiles().flatMap(recorded);
  const next = random();
  for (let round = 0; round < 20; round += 1) {
    const log = openTestLog({ perMinute: 5 });
    for (let seq = 0; seq < 300; seq += 1) {
      const bytes = mutate(records[Math.floor(next() * records.length)] ?? Buffer.alloc(0), next);
      log.engine.take(bytes, bytes.length, (usec) => Math.round(usec / 1000));
    }
    const saved: unknown = JSON.parse(JSON.stringify(save(log.state, 'boot', [])));
    t.same(JSON.parse(JSON.stringify(save(restore(saved, 'boot').state, 'boot', []))), saved);
    log.engine.settle(Number.MAX_SAFE_INTEGER);
    for (const { lines, message } of log.problems) t.ok(lines.length <= 42 && message.length <= 500);
  }
});

t.test('after a restart nothing is lost and nothing is counted twice, in the midst of a report too', async (t) => {
  const texts = [
    INVOKED,
    chosen(42, '/docker/a'),
    kill(42),
    'BUG: kernel NULL pointer dereference, address: 0000000000000010',
    'Oops: 0002 [#1] PREEMPT SMP NOPTI',
    'RIP: 0010:null_dereference+0x5/0x10 [trouble]',
    '---[ end trace 0 ]---',
    SEGFAULT,
    'EXT4-fs (sda1): Remounting filesystem read-only',
    'the end',
  ];
  const whole = openTestLog();
  for (const text of texts) whole.say(text);
  for (let cut = 0; cut <= texts.length; cut += 1) {
    const before = openTestLog();
    for (const text of texts.slice(0, cut)) before.say(text);
    const saved: unknown = JSON.parse(JSON.stringify(save(before.state, 'boot', [])));
    const { state } = restore(saved, 'boot');
    const after = openTestLog({ state });
    texts.forEach((text, seq) => {
      const bytes = record(text, { seq, usec: seq * 1000 });
      after.engine.take(bytes, bytes.length, (usec) => Math.round(usec / 1000));
    });
    t.same(after.counts(), whole.counts(), `cut before line ${cut}`);
    t.same([...before.problems, ...after.problems], whole.problems, `cut before line ${cut}`);
    t.same([...after.state.conditions.values()], [...whole.state.conditions.values()]);
    t.equal(after.state.lost, 0);
  }
});

t.test('what was saved by another boot begins anew, but for what happened within a day', async (t) => {
  const log = openTestLog();
  log.say(SEGFAULT);
  const saved: unknown = JSON.parse(JSON.stringify(save(log.state, 'boot', [])));
  for (const [value, bootId] of [
    [saved, 'other'],
    [{ ...(saved as object), bootId: '' }, ''],
  ] as const)
    t.same(restore(value, bootId).state, { ...emptyState(), recents: new Map([['Segfault', { hours: [[0, 1]] }]]) });
});

t.test('what is none of ours begins anew', async (t) => {
  const log = openTestLog();
  log.say(SEGFAULT);
  const saved = JSON.parse(JSON.stringify(save(log.state, 'boot', []))) as Record<string, unknown>;
  t.equal(restore(saved, 'boot').state.seq, 0);
  for (const [value, bootId] of [
    [{ ...saved, version: 2 }, 'boot'],
    [{ ...saved, seq: -1 }, 'boot'],
    ['x', 'boot'],
    [undefined, 'boot'],
  ] as const)
    t.same(restore(value, bootId).state, emptyState());
});
