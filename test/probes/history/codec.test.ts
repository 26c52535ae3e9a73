// The encodings of history: what goes in comes out, at the precision that is promised; damage is noticed.
import t from 'tap';
import { Columns, decodeColumns, encodeColumns } from '../../../src/probes/history/codec.ts';
import { packSnapshots, type Snapshot, unpackSnapshots } from '../../../src/probes/history/process-log.ts';
import { Steps, stepFor } from '../../../src/probes/history/query.ts';
import { mutate, random } from '../../support/random.ts';

const next = random();
const KINDS: readonly (() => number)[] = [
  () => 0,
  () => 42,
  () => Math.floor(next() * 5000),
  () => next(),
  () => -next() * 1e9,
  () => next() * 1e15,
  () => next() * 1e-30,
  () => (next() < 0.5 ? -1 : 1) * 10 ** (next() * 60 - 30),
];

t.test('rollups come out as they went in, to 24 bits', async (t) => {
  for (let run = 0; run < 1000; run += 1) {
    const slots = [1, 7, 60, 300][run % 4] ?? 60;
    const columns = new Columns(slots);
    const value = KINDS[run % KINDS.length] ?? (() => 0);
    const gaps = next();
    for (let slot = 0; slot < slots; slot += 1) {
      if (next() < gaps) continue;
      const [a, b, c] = [value(), value(), value()].sort((x, y) => x - y);
      columns.put(slot, { min: a ?? 0, mean: b ?? 0, max: c ?? 0, last: value(), count: 1 + Math.floor(next() * 300) });
    }
    const back = decodeColumns(encodeColumns(columns), slots);
    t.same(back, columns, `run ${run}`);
  }
  const columns = new Columns(60);
  t.ok(encodeColumns(columns).length < 20, 'nothing takes nothing');
  columns.put(3, { min: -0, mean: 0, max: 16_777_215, last: 16_777_215, count: 4 });
  t.match(decodeColumns(encodeColumns(columns), 60).get(3), { last: 16_777_215 }, 'whole numbers below 2^24 are exact');
  t.equal(decodeColumns(encodeColumns(columns), 60).get(4), undefined, 'a gap is a gap');
});

t.test('damaged bytes are refused or give some rollups, and never hang or take memory', async (t) => {
  const columns = new Columns(60);
  for (let slot = 0; slot < 60; slot += 1) {
    const v = next();
    columns.put(slot, { min: v, mean: v, max: v, last: v, count: 4 });
  }
  const data = encodeColumns(columns);
  let refused = 0;
  for (let i = 0; i < 2000; i += 1) {
    try {
      t.equal(decodeColumns(mutate(data, next), 60).count.length, 60);
    } catch (error) {
      t.ok(error instanceof Error);
      refused += 1;
    }
  }
  t.ok(refused > 1000, `${refused} of 2000 are refused`);
  t.throws(() => decodeColumns(data, 59));
});

t.test('the processes of a minute come out as they went in', async (t) => {
  const process = (pid: number, cpuRatio: number | null) => ({
    pid,
    comm: `p${pid}`,
    startTime: 1_700_000_000.25 + pid,
    cmdline: 'a "b" \u4e2d',
    container: null,
    state: 'S',
    cpuRatio,
    cpuSeconds: 1.25,
    rssBytes: 4096,
    fds: null,
    threads: 2,
  });
  const snapshots: Snapshot[] = [
    { at: 1000, processes: [process(1, 0.5), process(2, null)], rest: { dstate: [], zombies: [{ pid: 9 }] } },
    { at: 16_000, processes: [process(2, 0.1234), process(3, 1)], rest: {} },
    { at: 31_000, processes: [], rest: {} },
  ];
  t.same(unpackSnapshots(packSnapshots(snapshots)), snapshots);
  t.match(unpackSnapshots(packSnapshots([{ at: 1, processes: [process(1, 0.123456)], rest: {} }])), [
    { processes: [{ cpuRatio: 0.1235 }] },
  ]);
  for (let i = 0; i < 500; i += 1) {
    try {
      unpackSnapshots(mutate(packSnapshots(snapshots), next));
    } catch (error) {
      t.ok(error instanceof Error);
    }
  }
});

t.test('steps put rollups together and leave gaps', async (t) => {
  const steps = new Steps(120);
  const one = (v: number) => ({ min: v, max: v, mean: v, last: v, count: 4 });
  steps.add(0, one(1));
  steps.add(60_000, one(3));
  steps.add(360_000, one(0.1));
  t.same(steps.points(), [
    [0, 1, 3, 2, 3],
    [360_000, 0.1, 0.1, 0.1, 0.1],
  ]);
  t.equal(stepFor(0, 3_600_000), 60);
  t.equal(stepFor(0, 15 * 86_400_000), 3600);
  t.equal(stepFor(0, 4000 * 86_400_000), 10 * 86_400);
});
