// What the inspector keeps, in a real store: one transaction for a run, what is remembered, and for how long.
import t from 'tap';
import type { RunOutcome } from '../../src/inspector/run.ts';
import * as table from '../../src/inspector/store.ts';
import { NOW, openStore, result, runWith } from './support.ts';

const DAY = 86_400_000;

const outcome = (id: string, at: number, more: Partial<RunOutcome> = {}): RunOutcome => ({
  run: runWith([result('C', '/', 'warn')], { id, startedAt: at, finishedAt: at, score: 95 }),
  memories: new Map([
    ['C', new Map([['/', { side: 'warn', sideSince: at, toward: undefined, streak: 0, missing: undefined }]])],
  ]),
  remember: [{ series: 's', at, value: 1.5 }],
  ...more,
});

t.test('a run and everything it changed are read as they were written', async (t) => {
  await using store = await openStore(t);
  t.equal(await table.latestRun(store), undefined);
  const first = outcome('r1', NOW);
  await table.saveRun(store, first, { kind: 'sweep' });
  t.same(await table.latestRun(store), first.run);
  t.same(await table.findRun(store, 'r1'), first.run);
  t.equal(await table.findRun(store, 'r2'), undefined);
  t.equal((await table.loadMemories(store)).get('C')?.get('/')?.side, 'warn');
});

t.test('a run that cannot be written changes nothing', async (t) => {
  await using store = await openStore(t);
  await table.saveRun(store, outcome('r1', NOW), { kind: 'sweep' });
  const again = outcome('r1', NOW + 1, { memories: new Map() });
  await t.rejects(table.saveRun(store, again, { kind: 'sweep' }));
  t.equal((await table.loadMemories(store)).size, 1);
  t.equal((await table.loadHistory(store, [0], NOW + 1)).byAge.get(0)?.get('s')?.at, NOW);
});

t.test('targets that are gone are not remembered', async (t) => {
  await using store = await openStore(t);
  await table.saveRun(store, outcome('r1', NOW), { kind: 'sweep' });
  await table.saveRun(store, outcome('r2', NOW + 1, { memories: new Map() }), { kind: 'sweep' });
  t.equal((await table.loadMemories(store)).size, 0);
});

t.test('history gives the newest value that is old enough, and the oldest', async (t) => {
  await using store = await openStore(t);
  for (const [i, minutes] of [300, 120, 5, 0].entries()) {
    const at = NOW - minutes * 60_000;
    await table.saveRun(store, outcome(`r${i}`, at, { remember: [{ series: 's', at, value: minutes }] }), {
      kind: 'sweep',
    });
  }
  const { byAge, oldest } = await table.loadHistory(store, [0, 60, 3600, 86_400], NOW);
  const value = (age: number): number | undefined => byAge.get(age)?.get('s')?.value;
  t.same([0, 60, 3600, 86_400].map(value), [0, 5, 120, undefined]);
  t.equal(oldest.get('s')?.value, 300);
});

t.test('sweeps and observations are kept for 8 days, reports for 400', async (t) => {
  await using store = await openStore(t);
  const ids = async (): Promise<string> => (await table.listRuns(store, undefined, 100)).map((run) => run.id).join(' ');
  await table.saveRun(store, outcome('sweep', NOW), { kind: 'sweep' });
  await table.saveRun(store, outcome('report', NOW), { kind: 'report', key: '2026-11-23' });
  await table.saveRun(store, outcome('later', NOW + 9 * DAY), { kind: 'sweep' });
  t.equal(await ids(), 'later report');
  t.equal((await table.loadHistory(store, [], NOW + 9 * DAY)).oldest.get('s')?.at, NOW + 9 * DAY);
  await table.saveRun(store, outcome('much', NOW + 401 * DAY), { kind: 'sweep' });
  t.equal(await ids(), 'much');
});

t.test('pages of runs follow each other without gap or double, also with equal times', async (t) => {
  await using store = await openStore(t);
  for (let i = 0; i < 7; i += 1) {
    await table.saveRun(store, outcome(`r${i}`, NOW + Math.floor(i / 2)), { kind: 'sweep' });
  }
  const got: string[] = [];
  for (let cursor: table.RunCursor | undefined; ;) {
    const page = await table.listRuns(store, cursor, 3);
    if (page.length === 0) break;
    got.push(...page.map((run) => run.id));
    cursor = page.at(-1);
  }
  t.equal(got.join(' '), 'r6 r5 r4 r3 r2 r1 r0');
});

t.test('one run for each report key, whoever tries', async (t) => {
  await using store = await openStore(t);
  await table.saveRun(store, outcome('r1', NOW), { kind: 'report', key: '2026-11-23' });
  await t.rejects(table.saveRun(store, outcome('r2', NOW), { kind: 'report', key: '2026-11-23' }));
  t.equal((await table.runForKey(store, '2026-11-23'))?.id, 'r1');
  t.equal(await table.runForKey(store, '2026-11-24'), undefined);
});

t.test('a report counts as made when it was handed over', async (t) => {
  await using store = await openStore(t);
  t.same(await table.loadSchedule(store, NOW), { firstSeenAt: NOW, lastKey: undefined });
  await table.saveRun(store, outcome('r1', NOW), { kind: 'report', key: '2026-11-23' });
  t.equal(await table.reportedBefore(store, NOW + 1), undefined);
  await table.closeReport(store, '2026-11-23', { runId: 'r1', at: NOW });
  t.equal((await table.reportedBefore(store, NOW + 1))?.id, 'r1');
  t.same(await table.loadSchedule(store, NOW + DAY), { firstSeenAt: NOW, lastKey: '2026-11-23' });
  t.same(await table.reportScores(store, 0, NOW + 1), [95]);
});
