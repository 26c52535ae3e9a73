// Groups as arithmetic: what a counter adds, who is in a group, whose turn it is.
import t from 'tap';
import {
  advance,
  COUNTERS,
  increase,
  known,
  unknownCounters,
  type Counters,
} from '../../../src/probes/process/counters.ts';
import { ownerKey, type Owners } from '../../../src/probes/process/containers.ts';
import { fdHeadroom, fdRatio } from '../../../src/probes/process/fd-use.ts';
import { forgetOwners, groupFor, openGroup, summarize, type Groups } from '../../../src/probes/process/groups.ts';
import { dueForSample } from '../../../src/probes/process/smaps.ts';
import { forgetEnded, sight, type Remembered, type Table, type Tracked } from '../../../src/probes/process/table.ts';
import { FUZZ_SEED, random } from '../../support/random.ts';
import { statText, type WrittenProcess } from './written-host.ts';

const stat = (process: Omit<WrittenProcess, 'pid'>): Buffer => statText({ pid: 1, ...process });

const see = (table: Table, pid: number, bytes: Buffer, sighting: ReturnType<typeof sightings>): Tracked => {
  const process = sight(table, pid, bytes, sighting);
  if (process === undefined) throw new Error('not a stat');
  return process;
};

type Named = Partial<Record<(typeof COUNTERS)[number], number>>;
const counters = (values: Named): Counters => Float64Array.from(COUNTERS, (name) => values[name] ?? Number.NaN);
const named = (values: Counters): Named =>
  Object.fromEntries(COUNTERS.flatMap((name, i) => (known(values, i) === undefined ? [] : [[name, values[i]]])));

t.test('a counter adds what it grew by, also over a wrap, and never less than nothing', async (t) => {
  const u32 = 2 ** 32;
  for (const [before, now, added] of [
    [0, 0, 0],
    [5, 12, 7],
    [u32 - 10, 5, 15],
    [u32 - 1, 0, 1],
    [0.75 * u32, 0, 0.25 * u32],
    [0.7 * u32, 5, 0], // too far from the end to have wrapped
    [u32 - 10, 0.3 * u32, 0], // too far behind it
    [100, 40, 0],
    [2 ** 40, 7, 0],
    [2 ** 64, 3, 3], // 2^64 - 1 as a double
    [2 ** 64 - 4096, 4096, 8192],
    [2 ** 53, 2 ** 53 + 2, 2],
  ] as const) {
    t.equal(increase(before, now), added, `from ${before} to ${now}`);
  }
});

/** What one reading adds. */
const added = (last: Counters, read: Named, born: boolean): Named => {
  const total = unknownCounters();
  advance(last, counters(read), born, total);
  return named(total);
};

t.test('the first value counts whole only for a process born under our eyes', async (t) => {
  const old = unknownCounters();
  t.same(added(old, { user: 100, readBytes: 7 }, false), { user: 0, readBytes: 0 });
  t.same(added(old, { user: 103 }, false), { user: 3 }, 'a counter that was not read adds nothing');
  t.same(added(old, { user: 103, readBytes: 9 }, false), { user: 0, readBytes: 2 }, 'and is not forgotten');
  const born = unknownCounters();
  t.same(added(born, { user: 4 }, true), { user: 4 });
  t.same(added(born, { user: 4, readBytes: 50 }, true), { user: 0, readBytes: 50 });
  advance(born, counters({ user: 9 }), true, undefined);
  t.same(named(born), { user: 9, readBytes: 50 }, 'who is in no group is followed all the same');
});

t.test('what was never readable stays unknown in a sum', async (t) => {
  const total = unknownCounters();
  advance(unknownCounters(), counters({ user: 3 }), true, total);
  advance(unknownCounters(), counters({ user: 1, writeBytes: 0 }), true, total);
  t.same(named(total), { user: 4, writeBytes: 0 });
});

t.test('names beyond the limit of groups are counted together', async (t) => {
  const groups: Groups = new Map();
  for (const name of ['a', 'b', 'c', 'd', 'a'])
    advance(unknownCounters(), counters({ user: 1 }), true, groupFor(groups, name, undefined, 2).totals);
  t.same(
    [...groups].map(([name, { totals }]) => `${name} ${named(totals).user}`),
    ['a 2', 'b 1', 'other 2'],
  );
});

t.test(`a group never counts down, whatever its processes do (seed ${FUZZ_SEED})`, async (t) => {
  const next = random();
  const groups: Groups = new Map();
  const processes: Counters[] = [];
  let before = 0;
  for (let round = 0; round < 5000; round += 1) {
    const process = (processes[Math.floor(next() * 20)] ??= unknownCounters());
    const minorFaults = Math.floor(2 ** (next() * 66));
    const { totals } = openGroup(groups, 'g');
    advance(process, counters({ minorFaults }), next() < 0.5, totals);
    if (next() < 0.1) processes[Math.floor(next() * 20)] = unknownCounters();
    const now = named(totals).minorFaults ?? 0;
    if (!(now >= before)) return void t.fail(`fell from ${before} to ${now}`);
    before = now;
  }
  t.ok(before > 0);
});

const sightings = (cycle: number, remembered = new Map<number, Remembered>()) => ({
  cycle,
  now: 100 + cycle,
  firstTick: 10_000,
  remembered,
  unseen: { lastTick: Infinity, ticks: 0 },
});

t.test('a pid that is used again is another process', async (t) => {
  const table: Table = new Map();
  const first = see(table, 7, stat({ start: 500, user: 90 }), sightings(0));
  t.equal(first.born, false);
  t.equal(see(table, 7, stat({ start: 500, user: 95 }), sightings(1)), first);
  const second = see(table, 7, stat({ start: 10_050, user: 3 }), sightings(2));
  t.not(second, first);
  t.match(second, { born: true, ticksBefore: 0 });
  t.same(named(second.counters), {});
  t.equal(table.size, 1);
});

t.test('a process is idle while its stat file stays the same, and what is no stat file is none', async (t) => {
  const table: Table = new Map();
  const idle = (user: number, cycle: number): boolean => see(table, 7, stat({ start: 1, user }), sightings(cycle)).idle;
  t.same([idle(5, 0), idle(5, 1), idle(5, 2), idle(6, 3), idle(6, 4)], [false, true, true, false, true]);
  t.equal(table.get(7)?.ticksBefore, 6);
  t.equal(sight(table, 8, Buffer.from('8 (x'), sightings(0)), undefined);
  t.equal(table.has(8), false);
});

t.test('a process that could not be read is not taken for ended', async (t) => {
  const table: Table = new Map();
  for (const pid of [1, 2, 3]) see(table, pid, stat({ start: 500 }), sightings(0));
  see(table, 1, stat({ start: 500 }), sightings(1));
  forgetEnded(table, 1, new Map([[2, 'failed']]), { lastTick: Infinity, ticks: 0 });
  t.same([...table.keys()], [1, 2]);
});

t.test('a process is stuck from the first sight in D until it leaves or works', async (t) => {
  const table: Table = new Map();
  const seen = (cycle: number, state: string, user: number) =>
    see(table, 7, stat({ start: 1, state, user }), sightings(cycle)).stuckSince;
  t.same(
    [
      seen(0, 'S', 5),
      seen(1, 'D', 5),
      seen(2, 'D', 5),
      seen(3, 'D', 5),
      seen(4, 'D', 6), // it worked between the collections
      seen(5, 'D', 6),
      seen(6, 'S', 6),
      seen(7, 'D', 6),
    ],
    [undefined, 101, 101, 101, 104, 104, undefined, 107],
  );
});

t.test('what an earlier probe process knew is taken over by the same process only', async (t) => {
  const memory = (start: number): Remembered => ({
    start,
    counters: counters({ user: 40, system: 2 }),
    proportional: { residentBytes: 4096, swappedBytes: 0 },
    sampledAt: 90,
    stuckSince: 50,
  });
  const remembered = new Map([
    [7, memory(500)],
    [8, memory(500)],
  ]);
  const same = see(new Map(), 7, stat({ start: 500, state: 'D', user: 40, system: 2 }), sightings(0, remembered));
  t.match(same, { ticksBefore: 42, sampledAt: 90, stuckSince: 50 });
  t.same(named(same.counters), { user: 40, system: 2 });
  const other = see(new Map(), 8, stat({ start: 501, state: 'D' }), sightings(0, remembered));
  t.match(other, { sampledAt: undefined, stuckSince: 100 });
  t.same(named(other.counters), {});
});

t.test('gauges are sums over the live, and unknown where nobody could be read', async (t) => {
  const table: Table = new Map();
  const groups: Groups = new Map();
  const g = openGroup(groups, 'g');
  const member = (pid: number, written: Omit<WrittenProcess, 'pid'>, known: object) =>
    Object.assign(see(table, pid, stat(written), sightings(0)), { group: g }, known);
  const seen = [
    member(1, { start: 900, threads: 4, residentPages: 10, virtualBytes: 100 }, { fds: 50, fdLimit: 100 }),
    member(2, { start: 300, state: 'R', residentPages: 5 }, { fds: 9, fdLimit: 10, sampledAt: 3 }),
    member(3, { start: 700, state: 'D' }, { sampledAt: 3, proportional: { residentBytes: 8, swappedBytes: 2 } }),
    member(4, { start: 1, kernel: true }, { group: undefined }),
  ];
  summarize(seen, groups);
  t.same(g.gauges, {
    processes: 3,
    threads: 6,
    states: { Running: 1, Sleeping: 1, Waiting: 1, Zombie: 0, Other: 0 },
    residentPages: 15,
    virtualBytes: 100,
    swappedBytes: undefined,
    proportionalResident: 8,
    proportionalSwapped: 2,
    unsampled: 1,
    fds: 59,
    worstFdRatio: 0.9,
    fdsHeadroom: 1,
    oldestStart: 300,
  });
  summarize(seen.slice(1, 2), groups);
  t.match(g.gauges, { processes: 1, threads: 1, fds: 9, proportionalResident: undefined }, 'it begins anew');
  summarize([], groups);
  t.match(
    g.gauges,
    { processes: 0, fds: 0, swappedBytes: 0, worstFdRatio: 0, fdsHeadroom: undefined },
    'of nobody all is 0',
  );
});

t.test('groups of a container end five minutes after its last process, those of the host never', async (t) => {
  const groups: Groups = new Map();
  const owner = { container: 'web', pod: 'shop', namespace: 'prod', aliveAt: 1000 };
  const owners: Owners = new Map([[ownerKey(owner), owner]]);
  const ofHost = openGroup(groups, 'nginx');
  const inside = openGroup(groups, 'nginx', owner);
  t.not(ofHost, inside);
  t.equal(openGroup(groups, 'nginx', owner), inside);
  forgetOwners(groups, owners, 1300);
  t.same([groups.size, owners.size, inside.ended], [2, 1, false]);
  forgetOwners(groups, owners, 1300.1);
  t.same([...groups.values()], [ofHost]);
  t.same([owners.size, inside.ended], [0, true]);
});

t.test('a ratio of open files needs a limit', async (t) => {
  t.equal(fdRatio({ fds: 512, fdLimit: 1024 }), 0.5);
  t.equal(fdRatio({ fds: 3, fdLimit: Infinity }), 0);
  t.equal(fdRatio({ fds: 3, fdLimit: 0 }), undefined);
  t.equal(fdRatio({ fds: 0, fdLimit: undefined }), 0);
  t.equal(fdRatio({ fds: undefined, fdLimit: 1024 }), undefined);
  t.equal(fdRatio({ fds: 3, fdLimit: undefined }), undefined);
});

t.test('headroom is what may still be opened, and none is told where nothing limits it', async (t) => {
  for (const [fds, fdLimit, headroom] of [
    [3, 1024, 1021],
    [0, 10, 10],
    [10, 10, 0],
    [12, 10, 0], // the limit was lowered
    [3, Infinity, undefined],
    [3, 0, undefined],
    [undefined, 10, undefined],
    [3, undefined, undefined],
  ] as const) {
    t.equal(fdHeadroom({ fds, fdLimit }), headroom, `${fds} of ${fdLimit}`);
  }
});

t.test('sampling is spread, fair to the old, and never takes all', async (t) => {
  const times = { everySeconds: 60, intervalSeconds: 15 };
  const processes = Array.from({ length: 20 }, (_, pid) => ({ pid, sampledAt: undefined as number | undefined }));
  const counts: number[] = [];
  const last = new Map<number, number[]>();
  for (let now = 0; now < 600; now += 15) {
    const due = dueForSample(processes, now, times);
    counts.push(due.length);
    for (const each of due) {
      each.sampledAt = now;
      last.set(each.pid, [...(last.get(each.pid) ?? []), now]);
    }
  }
  t.equal(Math.max(...counts), 7);
  t.equal(Math.min(...counts.slice(3)), 6);
  for (const sampled of last.values()) {
    t.same(
      sampled.slice(1).map((at, i) => at - (sampled[i] ?? 0)),
      sampled.slice(1).map(() => 45),
      'no sample is older than a minute when the next one is shown',
    );
  }
  const storm = [...processes, ...Array.from({ length: 200 }, (_, pid) => ({ pid: 100 + pid, sampledAt: undefined }))];
  t.ok(
    dueForSample(storm, 660, times).some(({ pid }) => pid < 20),
    'new processes do not starve the old',
  );
  t.equal(dueForSample(processes, 1e6, { everySeconds: 60, intervalSeconds: 3600 }).length, 10, 'half at most');
  t.same(dueForSample(processes, 1e6, { everySeconds: 0, intervalSeconds: 15 }), [], 'it can be turned off');
  t.same(dueForSample([], 1, times), []);
});
