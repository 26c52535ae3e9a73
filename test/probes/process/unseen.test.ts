// The CPU time of children that nobody saw: by the arithmetic of a written host, and on this one.
import { execFileSync } from 'node:child_process';
import t from 'tap';
import { HostFiles } from '../../../src/probes/host-files.ts';
import { openCollector, writeHost, type WrittenProcess } from './written-host.ts';

const UNSEEN = 'jdos_process_unseen_children_cpu_seconds_total';
/** Start, ticks of its own, ticks of its children. */
type Times = readonly [start: number, user: number, reaped: number];

const processes = (times: Readonly<Record<number, Times>>): readonly WrittenProcess[] =>
  Object.entries(times).map(([pid, [start, user, reaped]]) => ({ pid: Number(pid), start, user, reaped }));

t.test('it is what parents gained, less what was seen of those that are gone', async (t) => {
  const before = { 1: [0, 30, 20], 10: [100, 20, 10], 11: [200, 7, 0] } as const;
  const rest = { 1: before[1], 10: before[10] };
  for (const [what, now, ticks] of [
    ['nothing happened', { 1: [0, 40, 20], 10: [100, 30, 10], 11: [200, 9, 0] }, 0],
    ['children came and went', { ...before, 10: [100, 20, 60] }, 50],
    ['a child that was seen has ended', { ...rest, 10: [100, 20, 17] }, 0],
    ['it used 3 more before it ended', { ...rest, 10: [100, 20, 20] }, 3],
    ['its parent ended too, with 5 of children unseen', { 1: [0, 30, 62] }, 5],
    ['nobody waited for it', rest, 0],
    ['a new process had children', { ...before, 12: [100_500, 5, 4] }, 4],
    ['one that could not be read before', { ...before, 13: [300, 100, 800] }, 0],
    ['a pid that is used again', { ...rest, 1: [0, 30, 27], 11: [100_900, 2, 2] }, 2],
  ] as const) {
    const dir = t.testdir();
    writeHost(dir, { uptime: 1000, processes: processes(before) });
    const probe = openCollector(new HostFiles(dir));
    t.notOk(probe.collect().has(UNSEEN), 'it takes two looks');
    writeHost(dir, { uptime: 1015, processes: processes(now) });
    t.equal(probe.collect().get(UNSEEN), ticks / 100, what);
    const after = openCollector(new HostFiles(dir), { saved: probe.save() });
    writeHost(dir, { uptime: 1030, processes: processes(now) });
    t.equal(after.collect().get(UNSEEN), ticks / 100, `${what}: it goes on after a restart`);
  }
});

t.test('on this host the CPU time of a child that nobody looked at is found', async (t) => {
  const probe = openCollector(new HostFiles('/'));
  probe.collect();
  const before = probe.collect().get(UNSEEN) ?? Number.NaN;
  execFileSync(process.execPath, ['-e', 'while (process.cpuUsage().user < 400000);']);
  const found = (probe.collect().get(UNSEEN) ?? Number.NaN) - before;
  t.ok(found > 0.35, `${found} s`);
});
