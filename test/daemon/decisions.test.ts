// The daemon's pure decisions: when a process is started again, what is left alone after a hang, who may enter where.
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { closedDirectory, findAccount } from '../../src/daemon/account.ts';
import { parseCost } from '../../src/daemon/costs.ts';
import { inForce, quarantine, type Quarantined } from '../../src/daemon/quarantine.ts';
import { MEMORY_EXIT, planRestart, reasonOf } from '../../src/daemon/restart.ts';

const MINUTE = 60_000;

t.test('a process that keeps dying is started again ever more slowly, at most every half minute', (t) => {
  const waits: number[] = [];
  let failures = 0;
  for (let i = 0; i < 9; i += 1) {
    const plan = planRestart(failures, 100, false);
    failures = plan.failures;
    waits.push(plan.waitMs);
  }
  t.same(waits, [250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
  t.end();
});

t.test('a steady run starts the back-off anew, and a wanted end is no failure', (t) => {
  t.same(planRestart(7, 61_000, false), { waitMs: 250, failures: 1 });
  t.same(planRestart(3, 100, true), { waitMs: 0, failures: 3 });
  t.end();
});

for (const [name, end, reason] of [
  ['what the agent asked for', { asked: 'configuration', silent: false, exitCode: 0 }, 'configuration'],
  ['also when it ends otherwise', { asked: 'hung', silent: false, exitCode: MEMORY_EXIT }, 'hung'],
  ['one that did not answer', { asked: undefined, silent: true, exitCode: null }, 'hung'],
  ['one that says it is its memory', { asked: undefined, silent: false, exitCode: MEMORY_EXIT }, 'memory'],
  ['a crash', { asked: undefined, silent: false, exitCode: 1 }, 'ended'],
  ['a signal from elsewhere', { asked: undefined, silent: false, exitCode: null }, 'ended'],
] as const) {
  t.equal(reasonOf(end), reason, `why a run ended: ${name}`);
}

t.test('a target that hangs again and again is left alone for longer, at most an hour', (t) => {
  let list: readonly Quarantined[] = [];
  let now = 0;
  const lengths: number[] = [];
  for (let i = 0; i < 6; i += 1) {
    list = quarantine(list, 'filesystem', 'mount /mnt', now);
    const [entry] = inForce(list, now);
    lengths.push(((entry?.until ?? 0) - now) / MINUTE);
    now = entry?.until ?? 0;
    t.same(inForce(list, now), [], 'when its time is up it is tried again');
  }
  t.same(lengths, [5, 10, 20, 40, 60, 60]);
  t.equal(list[0]?.since, 0, 'since the first hang');
  t.end();
});

t.test('a target that has not hung for hours is forgotten, and the list is bounded', (t) => {
  let list = quarantine([], 'filesystem', 'mount /a', 0);
  list = quarantine(list, 'filesystem', 'mount /b', 4 * 60 * MINUTE);
  t.same(
    list.map(({ target }) => target),
    ['mount /b'],
  );
  for (let i = 0; i < 1200; i += 1) list = quarantine(list, 'processes', `pid ${i}`, 4 * 60 * MINUTE);
  t.equal(list.length, 1000);
  t.end();
});

t.test('accounts are found in the passwd file, malformed lines are not accounts', (t) => {
  const passwd =
    'root:x:0:0:root:/root:/bin/bash\njdos:x:998:997::/var/lib/jdos:/usr/sbin/nologin\nbroken:x:abc:1\n#jdos2:x:1:1\n';
  t.same(findAccount(passwd, 'jdos'), { name: 'jdos', uid: 998, gid: 997 });
  t.equal(findAccount(passwd, 'broken'), undefined);
  t.equal(findAccount(passwd, 'jdo'), undefined);
  t.end();
});

t.test('a directory that a user may not enter is named', (t) => {
  const dir = t.testdir();
  mkdirSync(join(dir, 'closed', 'src'), { recursive: true });
  writeFileSync(join(dir, 'closed', 'src', 'main.ts'), '');
  const file = join(dir, 'closed', 'src', 'main.ts');
  const nobody = { name: 'nobody', uid: 65_534, gid: 65_534 };
  chmodSync(join(dir, 'closed'), 0o755);
  const before = closedDirectory(file, nobody);
  chmodSync(join(dir, 'closed'), 0o700);
  t.equal(closedDirectory(file, nobody), before ?? join(dir, 'closed'));
  t.end();
});

t.test('the cost of a process is read behind the last parenthesis of its name', (t) => {
  const stat = `7 (a) b (c)) S 1 7 7 0 -1 4194560 1 0 0 0 250 50 0 0 20 0 11 0 100 1000000 2048 18446744073709551615`;
  t.same(parseCost(stat), { cpuSeconds: 3, residentBytes: 2048 * 4096 });
  t.equal(parseCost('7 (a'), undefined);
  t.equal(parseCost(''), undefined);
  t.end();
});
