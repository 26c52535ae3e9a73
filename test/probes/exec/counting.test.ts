// What is counted of the events: order over CPUs, processes and threads, names within a bound, containers until after their end.
import t from 'tap';
import { LABELS } from '../../../src/probes/container/family.ts';
import { openContainerAt } from '../../../src/probes/container/attribution.ts';
import { countIn, renew, type Containers } from '../../../src/probes/exec/containers.ts';
import { openDrain } from '../../../src/probes/exec/drain.ts';
import type { TraceEvent } from '../../../src/probes/exec/events.ts';
import { restore, save } from '../../../src/probes/exec/saved.ts';
import { count, emptyTally, OTHER } from '../../../src/probes/exec/tally.ts';
import { follow, type Tasks } from '../../../src/probes/exec/tasks.ts';
import { FUZZ_SEED, random } from '../../support/random.ts';
import { decoder, page, PAGE, record } from './written-trace.ts';

const MS = 1e6;

/** A trace of which the CPUs have these pages. */
function traceOf(cpus: readonly Buffer[][]) {
  return {
    page: PAGE,
    decode: decoder(),
    cpus: cpus.length,
    read(cpu: number, into: Buffer): boolean {
      const next = cpus[cpu]?.shift();
      next?.copy(into);
      return next !== undefined;
    },
  };
}

const exitOf = (pid: number): Buffer => record('exit', { comm: 'x', pid, group_dead: 1 });
const taken = (drain: ReturnType<typeof openDrain>, now: number): readonly number[] => {
  const tids: number[] = [];
  drain.turn(now, ({ tid }) => tids.push(tid));
  return tids;
};

t.test('events come in the order of their time, whichever CPU they were on', async (t) => {
  const drain = openDrain(
    traceOf([
      [
        page(10 * MS, [
          { after: 0, record: exitOf(1) },
          { after: 20 * MS, record: exitOf(3) },
        ]),
      ],
      [
        page(20 * MS, [
          { after: 0, record: exitOf(2) },
          { after: 20 * MS, record: exitOf(4) },
        ]),
      ],
    ]),
  );
  t.same(taken(drain, 100 * MS), [1, 2, 3, 4]);
});

t.test('what happened while one CPU was read after another waits for the next turn', async (t) => {
  const first: Buffer[] = [];
  const drain = openDrain(
    traceOf([
      first,
      [
        page(10 * MS, [
          { after: 0, record: exitOf(1) },
          { after: 90 * MS, record: exitOf(3) },
        ]),
      ],
    ]),
  );
  t.same(taken(drain, 100 * MS), [1], 'CPU 0 was asked before 3 ended');
  first.push(page(99 * MS, [{ after: 0, record: exitOf(2) }]));
  t.same(taken(drain, 350 * MS), [2, 3]);
});

t.test(
  'of a CPU that has much only a part is taken in a turn, and nothing later than that of the others',
  async (t) => {
    const pages = Array.from({ length: 300 }, (_, i) => page((i + 1) * MS, [{ after: 0, record: exitOf(i + 1) }]));
    const drain = openDrain(traceOf([pages, [page(290.5 * MS, [{ after: 0, record: exitOf(9999) }])]]));
    const seen: number[] = [];
    t.equal(
      drain.turn(1000 * MS, ({ tid }) => seen.push(tid)),
      true,
    );
    t.equal(seen.length, 256);
    t.equal(
      drain.turn(1000 * MS, ({ tid }) => seen.push(tid)),
      false,
    );
    t.same(seen.slice(-13, -10), [289, 290, 9999]);
    t.equal(seen.length, 301);
  },
);

t.test('a clock that is not that of the trace costs the order, and nothing is held for ever', async (t) => {
  const entries = [1, 2, 3].map((pid) => ({ after: 1, record: exitOf(pid) }));
  const pages = [page(10 * MS, entries)];
  const drain = openDrain(traceOf([pages]), 4);
  t.same(taken(drain, 0), []);
  pages.push(page(20 * MS, entries));
  t.same(taken(drain, 0), [1, 2, 3, 1, 2, 3]);
});

/** Runs events over a table; returns `what comm cgroup` of what is counted. */
function run(
  events: readonly (Partial<TraceEvent> & { kind: TraceEvent['kind'] })[],
  { tasks = new Map(), tellsMoves = true, cgroups = {} }: RunOptions = {},
): readonly string[] {
  const around = { hierarchy: 4, tellsMoves, cgroupOf: (pid: number) => cgroups[pid] };
  return events.flatMap((event) => {
    const happening = follow(tasks, { at: 0, comm: '', ...event } as TraceEvent, around);
    return happening === undefined ? [] : [`${happening.what} ${happening.comm} ${happening.cgroup ?? '?'}`];
  });
}

interface RunOptions {
  readonly tasks?: Tasks;
  readonly tellsMoves?: boolean;
  readonly cgroups?: Readonly<Record<number, string>>;
}

const process = (pid: number, comm: string, cgroup: string, kernel = false) => ({
  pid,
  comm,
  cgroup,
  kernel,
  threads: 1,
  marked: false,
});
const SHELL = (): Tasks => new Map([[10, process(10, 'sh', '/c')]]);
const born = (tid: number, parent: number, more = {}) => ({
  kind: 'task' as const,
  tid,
  parent,
  comm: 'sh',
  thread: false,
  placed: false,
  ...more,
});
const exec = (tid: number, comm: string, caller = tid) => ({ kind: 'exec' as const, tid, caller, comm });
const exit = (tid: number, comm: string, last?: boolean) => ({ kind: 'exit' as const, tid, comm, last });

t.test('a child is where its parent is, however short it lives', async (t) => {
  const tasks = SHELL();
  t.same(run([born(11, 10), exec(11, 'true'), exit(11, 'true', true)], { tasks }), ['exec true /c', 'exit true /c']);
  t.same(run([born(12, 10), exit(12, 'sh', true)], { tasks }), ['exit sh /c'], 'a fork that runs no other program');
  t.same([...tasks.keys()], [10], 'what has ended is forgotten');
});

t.test('a process that moves takes its later children along, in the hierarchy that is shown', async (t) => {
  const move = (hierarchy: number, path: string) => ({ kind: 'move' as const, tid: 10, hierarchy, path });
  t.same(run([move(4, '/docker/a'), move(5, '/elsewhere'), born(11, 10), exec(11, 'true')], { tasks: SHELL() }), [
    'exec true /docker/a',
  ]);
});

t.test('where it is is looked up when the kernel does not say', async (t) => {
  const cgroups = { 11: '/looked-up' };
  const placed = [born(11, 10, { placed: true }), exec(11, 'true')];
  t.same(run(placed, { tasks: SHELL(), cgroups }), ['exec true /looked-up'], 'put elsewhere as it was made');
  t.same(run(placed, { tasks: SHELL() }), ['exec true ?'], 'and ended before anybody could look');
  t.same(run([born(11, 99), exec(11, 'true')], { cgroups }), ['exec true /looked-up'], 'a parent that is not known');
  t.same(run([exec(11, 'true')], { cgroups }), ['exec true /looked-up'], 'a process that is not known');
  const untold = { tasks: SHELL(), cgroups, tellsMoves: false };
  t.same(
    run([born(11, 10), exec(11, 'true')], untold),
    ['exec true /looked-up'],
    'a kernel that does not tell of moves',
  );
});

t.test('a process with threads ends once, under the name of its first thread', async (t) => {
  const thread = (tid: number) => born(tid, 11, { thread: true, comm: 'java' });
  const start = [born(11, 10), exec(11, 'java'), thread(12), thread(13), thread(13)];
  for (const last of [true, undefined]) {
    const said = last === undefined ? undefined : false;
    const tasks = SHELL();
    const ends = [exit(12, 'worker', said), exit(11, 'renamed', said), exit(13, 'GC', last)];
    t.same(run([...start, ...ends], { tasks }), ['exec java /c', 'exit renamed /c'], `group_dead ${last}`);
    t.same([...tasks.keys()], [10]);
  }
  t.same(
    run([...start, exit(11, 'java', false), exec(11, 'true', 13), exit(11, 'true', true)], { tasks: SHELL() }),
    ['exec java /c', 'exec true /c', 'exit true /c'],
    'a thread that runs another program takes the place of the process',
  );
});

t.test('what was not known before it ended is counted where the kernel says that it was a process', async (t) => {
  t.same(run([exit(77, 'true', true), exit(78, 'thread', false), exit(79, 'either', undefined)]), ['exit true ?']);
});

t.test('threads of the kernel are no processes, the programs it starts are', async (t) => {
  const tasks: Tasks = new Map([[2, process(2, 'kthreadd', '/', true)]]);
  t.same(run([born(50, 2), exit(50, 'kworker/0:1', true)], { tasks }), []);
  t.same(
    run([born(51, 2), born(52, 51), exec(52, 'modprobe'), exit(52, 'modprobe', true)], { tasks }).map(
      (text) => text.split(' ')[1],
    ),
    ['modprobe', 'modprobe'],
  );
});

t.test('a victim is counted once, by its own name though a thread was marked', async (t) => {
  const victim = (tid: number, comm?: string) => ({ kind: 'victim' as const, tid, comm });
  const tasks = SHELL();
  const start = [born(11, 10), exec(11, 'java'), born(12, 11, { thread: true })];
  const marks = [victim(12, 'worker'), victim(11, 'java'), victim(99, 'unseen')];
  t.same(run([...start, ...marks], { tasks }).slice(1), ['victim java /c', 'victim unseen ?']);
  t.same(run([victim(10)], { tasks }), ['victim sh /c'], 'a kernel that does not tell the name');
});

t.test('names beyond the bound are counted together, and the frequent ones come to have their own', async (t) => {
  const tally = emptyTally();
  for (const name of ['a', 'a', 'b', 'c', OTHER]) count(tally, name, 2);
  t.same(
    [...tally.named],
    [
      ['a', 2],
      ['b', 1],
    ],
  );
  t.equal(tally.other, 2);
  for (let i = 0; i < 50; i += 1) count(tally, 'c', 2);
  t.same([...tally.named.keys()], ['a', 'c'], 'b was the rarest');
  t.equal(tally.other + [...tally.named.values()].reduce((sum, value) => sum + value, 0), 55);
});

t.test('the sum over all names is exact and no count ever falls, whatever comes', async (t) => {
  const next = random();
  const tally = emptyTally();
  const before = new Map<string, number>();
  let other = 0;
  for (let i = 1; i <= 20_000; i += 1) {
    count(tally, `n${Math.floor(next() ** 3 * 60)}`, 10);
    let sum = tally.other;
    for (const [name, value] of tally.named) {
      sum += value;
      if (value < (before.get(name) ?? 0)) t.fail(`${name} fell in round ${i}, seed ${FUZZ_SEED}`);
    }
    if (sum !== i) t.fail(`the sum is ${sum} after ${i}, seed ${FUZZ_SEED}`);
    if (tally.other < other) t.fail(`the others fell in round ${i}, seed ${FUZZ_SEED}`);
    if (tally.named.size > 10) t.fail('more names than the bound');
    other = tally.other;
    before.clear();
    for (const [name, value] of tally.named) before.set(name, value);
  }
  t.ok(tally.named.has('n0'), 'the most frequent has its own');
});

const ID = 'a'.repeat(64);
const DOCKER = `/docker/${ID}`;

t.test('a cgroup belongs to the outermost container above it', async (t) => {
  const at = openContainerAt();
  for (const [path, container] of [
    [DOCKER, DOCKER],
    [`${DOCKER}/init/docker/${'b'.repeat(64)}`, DOCKER],
    [`/system.slice/docker-${ID}.scope/x`, `/system.slice/docker-${ID}.scope`],
    ['/system.slice/cron.service', undefined],
    ['/', undefined],
    ['', undefined],
  ] as const)
    t.equal(at(path), container, path);
});

t.test(
  'a container has its counts until five minutes after its last process, and its names once they are known',
  async (t) => {
    const containers: Containers = new Map();
    const at = openContainerAt();
    const named = ['c', 'n', 'p', DOCKER, 'i', 'web'];
    const tasks: Tasks = new Map([[5, process(5, 'sh', `${DOCKER}/sub`)]]);
    countIn(containers, DOCKER, 'exec', { now: 100, most: 10 });
    t.same(containers.get(DOCKER)?.labels, ['', '', '', DOCKER, '', ID.slice(0, 12)], 'by its id alone');
    renew(containers, new Map([[DOCKER, named]]), tasks, at, { now: 110, most: 10 });
    t.same(containers.get(DOCKER), { execs: 1, exits: 0, victims: 0, labels: named, aliveAt: 110 });
    renew(containers, new Map(), tasks, at, { now: 1000, most: 10 });
    t.equal(containers.get(DOCKER)?.aliveAt, 1000, 'a process of it is there');
    tasks.clear();
    renew(containers, new Map(), tasks, at, { now: 1300, most: 10 });
    t.same(containers.get(DOCKER)?.labels, named);
    renew(containers, new Map(), tasks, at, { now: 1301, most: 10 });
    t.equal(containers.size, 0);
  },
);

t.test('a container in which nothing was started yet is at 0, and more than the bound are not counted', async (t) => {
  const containers: Containers = new Map();
  const labels = [...LABELS];
  renew(containers, new Map([['/a', labels]]), new Map(), openContainerAt(), { now: 1, most: 1 });
  t.same(containers.get('/a'), { execs: 0, exits: 0, victims: 0, labels, aliveAt: 1 });
  countIn(containers, DOCKER, 'exit', { now: 1, most: 1 });
  t.equal(containers.size, 1);
});

t.test('another probe process goes on counting where the last one stopped, within a boot', async (t) => {
  const counts = restore(undefined, 'boot');
  count(counts.execs, 'true');
  counts.execs.other = 7;
  counts.lost = 3;
  countIn(counts.containers, DOCKER, 'victim', { now: 100, most: 10 });
  const saved: unknown = JSON.parse(JSON.stringify(save(counts, 'boot')));
  t.same(restore(saved, 'boot'), counts);
  for (const foreign of [saved, {}, null, { ...(saved as object), lost: -1 }])
    t.equal(restore(foreign, foreign === saved ? 'another boot' : 'boot').execs.named.size, 0);
  t.equal(save(counts, undefined), undefined);
});
