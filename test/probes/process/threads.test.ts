// Threads of chosen groups over a written /proc: counted since they were seen, by name, within a bound, and never down.
import t, { type Test } from 'tap';
import { HostFiles } from '../../../src/probes/host-files.ts';
import { openGroup } from '../../../src/probes/process/groups.ts';
import { openNamed, openThreads } from '../../../src/probes/process/threads.ts';
import { FUZZ_SEED, random } from '../../support/random.ts';
import { openCollector, RefusingHostFiles, writeHost, type Samples, type WrittenProcess } from './written-host.ts';

const of = (metric: string, group: string, more: string): string =>
  `namedprocess_namegroup_${metric}{groupname="${group}",${more}}`;
const user = (samples: Samples, name: string): number | undefined =>
  samples.get(of('thread_cpu_seconds_total', 'java', `threadname="${name}",mode="user"`));
const count = (samples: Samples, name: string): number | undefined =>
  samples.get(of('thread_count', 'java', `threadname="${name}"`));
const switches = (samples: Samples, group = 'java'): number | undefined =>
  samples.get(of('context_switches_total', group, 'ctxswitchtype="voluntary"'));

const INIT: WrittenProcess = { pid: 1, comm: 'init', start: 10, voluntary: 5 };
const java = (tasks: readonly WrittenProcess[], more: Partial<WrittenProcess> = {}): WrittenProcess => ({
  pid: 50,
  comm: 'java',
  start: 4000,
  threads: Math.max(2, tasks.length), // of a process of one thread the threads are not listed
  tasks,
  ...more,
});

function openHost(
  t: Test,
  { threads = ['java'], saved = undefined as unknown, dir = t.testdir(), uptime = 1000 } = {},
) {
  writeHost(dir, { uptime, processes: [INIT] });
  const probe = openCollector(new HostFiles(dir), { processes: { threads }, saved });
  return {
    dir,
    probe,
    at(...processes: readonly WrittenProcess[]): Samples {
      writeHost(dir, { uptime, processes: [INIT, ...processes] });
      uptime += 15;
      return probe.collect();
    },
  };
}

t.test('threads are summed by their name, from when they were first seen', async (t) => {
  const { at } = openHost(t);
  const main = { pid: 50, comm: 'java', start: 4000, user: 100, voluntary: 7, wchan: 'futex_do_wait' };
  const worker = (pid: number, more: Partial<WrittenProcess> = {}) => ({
    pid,
    comm: 'worker',
    start: 4000,
    user: 500,
    wchan: 'do_epoll_wait',
    ...more,
  });
  const first = at(java([main, worker(51), worker(52)], { voluntary: 7 }));
  t.equal(user(first, 'worker'), 0);
  t.equal(count(first, 'worker'), 2);
  t.equal(first.get(of('threads_wchan', 'java', 'wchan="do_epoll_wait"')), 2);
  t.equal(first.get('jdos_process_threads_dropped'), 0);
  const born = worker(53, { start: 100_700, user: 30, minorFaults: 4, readBytes: 512, voluntary: 9 });
  const second = at(
    java([main, worker(51, { user: 550, voluntary: 20, writeBytes: 100 }), worker(52), born], { voluntary: 7 }),
  );
  t.equal(user(second, 'worker'), 0.8, 'one that was born meanwhile counts whole');
  t.equal(count(second, 'worker'), 3);
  t.equal(second.get(of('thread_minor_page_faults_total', 'java', 'threadname="worker"')), 4);
  t.equal(second.get(of('thread_io_bytes_total', 'java', 'threadname="worker",iomode="read"')), 512);
  t.equal(second.get(of('thread_io_bytes_total', 'java', 'threadname="worker",iomode="write"')), 100);
  t.equal(second.get(of('thread_context_switches_total', 'java', 'threadname="worker",ctxswitchtype="voluntary"')), 29);
  t.equal(switches(second), 29, 'the switches of a followed group are those of all its threads');
  const third = at(java([{ ...main, user: 110, voluntary: 8 }], { voluntary: 8 }));
  t.equal(user(third, 'worker'), 0.8, 'ended threads keep what they did');
  t.equal(count(third, 'worker'), 0);
  t.equal(user(third, 'java'), 0.1);
  t.equal(switches(third), 30);
});

t.test('only chosen groups are looked into: by name or by a pattern that matches the whole of it', async (t) => {
  const main = (pid: number, comm: string) => ({ pid, comm, start: 10, voluntary: 1 });
  const host = (...comms: readonly string[]) =>
    comms.map((comm, i) => ({ ...main(60 + i, comm), tasks: [main(60 + i, comm)] }));
  const { at } = openHost(t, { threads: ['java', 'odd (a)', 'nginx-.*'] });
  const samples = at(...host('java', 'javac', 'odd (a)', 'nginx-1', 'xnginx-1', 'nginx'));
  const followed = [...samples.keys()].flatMap(
    (series) => /_thread_count\{groupname="([^"]*)"/.exec(series)?.[1] ?? [],
  );
  t.same(followed, ['java', 'odd (a)', 'nginx-1']);
  const none = openHost(t, { threads: [], dir: t.testdir({ other: {} }) }).at(...host('java'));
  t.notOk([...none.keys()].some((series) => series.includes('thread_') || series.includes('threads_dropped')));
  t.equal(switches(none), 0, 'of the main thread');
});

t.test('an id that is used again is another thread, and no counter falls', async (t) => {
  const { at } = openHost(t);
  const one = (start: number, user: number) => java([{ pid: 51, comm: 'w', start, user, voluntary: user }]);
  at(one(4000, 1000));
  t.equal(user(at(one(4000, 1050)), 'w'), 0.5);
  const samples = at(one(101_600, 20));
  t.equal(user(samples, 'w'), 0.7);
  t.equal(switches(samples), 70);
  t.equal(user(at(one(101_600, 10)), 'w'), 0.7, 'a kernel that counts down is not followed');
});

t.test('a thread that rests is asked for its stat alone, for a minute', async (t) => {
  const { dir } = openHost(t);
  let read: string[] = [];
  const host = new RefusingHostFiles(dir, (path) => (read.push(path), false));
  const probe = openCollector(host, { processes: { threads: ['java'] } });
  const reads = (uptime: number, voluntary: number): readonly [string, number] => {
    writeHost(dir, { uptime, processes: [INIT, java([{ pid: 50, comm: 'java', start: 4000, voluntary }])] });
    read = [];
    const total = switches(probe.collect());
    const files = read.filter((path) => path.includes('/task/')).map((path) => path.slice(path.lastIndexOf('/') + 1));
    return [files.join(' '), total ?? NaN];
  };
  t.same(reads(1000, 1), ['stat status io wchan', 0]);
  t.same(reads(1015, 4), ['stat', 0]);
  t.same(reads(1059, 5), ['stat', 0]);
  t.same(reads(1060, 6), ['stat status io wchan', 5]);
});

t.test('what may not be read of a thread is absent, and one that ends meanwhile is no error', async (t) => {
  const { at } = openHost(t);
  const samples = at(
    java([
      { pid: 50, comm: 'java', start: 4000, without: ['io', 'status', 'wchan'] },
      { pid: 51, comm: 'gone', without: ['stat'] },
    ]),
  );
  t.equal(count(samples, 'java'), 1);
  t.equal(user(samples, 'java'), 0);
  t.equal(count(samples, 'gone'), undefined);
  t.equal(switches(samples), undefined, 'and so are the switches of the group');
  t.notOk(samples.has(of('thread_io_bytes_total', 'java', 'threadname="java",iomode="read"')));
  t.equal(at(java([], { state: 'Z' })).get('namedprocess_scrape_procread_errors'), 0);
});

t.test('after execve(2) into a chosen group a process counts there what it does from then on', async (t) => {
  const { at } = openHost(t);
  const task = (voluntary: number) => [{ pid: 50, comm: 'x', start: 4000, voluntary }];
  at(java(task(100), { comm: 'sh', voluntary: 100 }));
  t.equal(switches(at(java(task(120), { comm: 'sh', voluntary: 120 })), 'sh'), 20);
  at(java(task(130), { voluntary: 130, user: 1 }));
  t.equal(switches(at(java([{ pid: 50, comm: 'x', start: 4000, voluntary: 150, user: 9 }]))), 20);
  const back = at(java(task(170), { comm: 'sh', voluntary: 170, user: 2 }));
  t.equal(switches(back), 20);
  t.equal(switches(back, 'sh'), 40, 'nothing is counted twice');
});

t.test('over a restart of the probe process threads go on', async (t) => {
  const first = openHost(t);
  const one = (user: number) => java([{ pid: 51, comm: 'w', start: 4000, user, voluntary: user }]);
  first.at(one(100));
  first.at(one(150));
  const saved = first.probe.save();
  const second = openHost(t, { saved, dir: first.dir, uptime: 1030 });
  const samples = second.at(one(180));
  t.equal(user(samples, 'w'), 0.8);
  t.equal(switches(samples), 80);
  const off = openHost(t, { saved: second.probe.save(), dir: first.dir, uptime: 1045, threads: [] });
  t.equal(count(off.at(one(190)), 'w'), undefined);
  const again = openHost(t, { saved: off.probe.save(), dir: first.dir, uptime: 1060 });
  t.equal(user(again.at(one(200)), 'w'), 0, 'who was not followed for a while begins anew');
});

t.test('a name goes five minutes after its last thread, and names beyond the limit are one', async (t) => {
  const { at } = openHost(t);
  const main = { pid: 50, comm: 'java', start: 4000 };
  at(java([main, { pid: 51, comm: 'w', start: 4000 }]));
  let last: Samples = new Map();
  for (let i = 0; i < 20; i += 1) last = at(java([main]));
  t.equal(count(last, 'w'), 0);
  t.equal(count(at(java([main])), 'w'), undefined);
  const threads = { names: new Map(), waits: new Map() };
  for (let i = 0; i < 1000; i += 1) openNamed(threads, `pool-${i}`).count += 1;
  t.equal(threads.names.size, 201);
  t.equal(openNamed(threads, 'other').count, 800);
});

t.test(`threads beyond the limit are counted as dropped, and no counter falls (seed ${FUZZ_SEED})`, async (t) => {
  const next = random();
  const dir = t.testdir();
  const host = new HostFiles(dir);
  const threads = openThreads(['java'], new Map(), 5);
  if (threads === undefined) throw new Error('nothing is followed');
  const group = openGroup(new Map(), 'java');
  const processes = [50, 60].map((pid) => ({
    pid,
    group,
    stat: { threads: 0, state: 'S' },
    born: false,
    threads: undefined,
  }));
  let before = 0;
  let most = 0;
  for (let cycle = 0; cycle < 60; cycle += 1) {
    const written = processes.map(({ pid }) =>
      java(
        Array.from({ length: 1 + Math.floor(next() * 6) }, (_, i) => ({
          pid: pid + i,
          comm: 'w',
          start: next() < 0.8 ? 10 : 10 + cycle,
          user: Math.floor(next() * 100) + cycle,
          voluntary: Math.floor(next() * 100) + cycle,
        })),
        { pid },
      ),
    );
    writeHost(dir, { uptime: 1000 + cycle, processes: written });
    threads.begin();
    for (const [i, process] of processes.entries()) {
      process.stat.threads = written[i]?.tasks?.length ?? 0;
      threads.follow(
        Object.assign(process, { counters: new Float64Array(8) }) as never,
        { host, cycle, now: 1000 + cycle, lastTick: cycle } as never,
      );
    }
    threads.end(1000 + cycle);
    const total = written.reduce((sum, { tasks = [] }) => sum + tasks.length, 0);
    t.equal(threads.dropped(), Math.max(0, total - 5));
    const named = threads.of(group)?.names.get('w');
    t.ok((named?.count ?? 0) === Math.min(5, total));
    const [sum = 0] = named?.totals ?? [];
    if (!(sum >= before)) return void t.fail(`fell from ${before} to ${sum}`);
    before = sum;
    most = Math.max(most, threads.dropped());
  }
  t.ok(most > 0);
});
