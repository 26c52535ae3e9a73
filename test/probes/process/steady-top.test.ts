// The first of a list by some measure, and that who is near the end of it does not come and go.
import t from 'tap';
import { steadyTop, topBy } from '../../../src/probes/process/steady-top.ts';
import { FUZZ_SEED, random } from '../../support/random.ts';

t.test(`the top is what sorting would give (seed ${FUZZ_SEED})`, async (t) => {
  const next = random();
  for (let round = 0; round < 200; round += 1) {
    const items = Array.from({ length: Math.floor(next() * 40) }, (_, id) => ({ id, key: Math.floor(next() * 10) }));
    const sorted = items.toSorted((a, b) => b.key - a.key).slice(0, 7);
    const top = topBy(items, ({ key }) => key, 7);
    if (JSON.stringify(top) !== JSON.stringify(sorted)) return void t.same(top, sorted);
  }
  t.pass('200 lists');
});

const BOUNDS = { enter: 3, leave: 5 };

t.test('who is listed leaves only when it falls clearly below the last', async (t) => {
  let before: ReadonlySet<string> = new Set();
  // What each uses in a collection, and who is listed then.
  for (const [what, uses, listed] of [
    ['the first three', { a: 9, b: 8, c: 7, d: 6, e: 5, f: 4 }, 'a b c'],
    ['the fourth passes the third, which is still near', { a: 9, b: 8, d: 7, c: 6, e: 5, f: 4 }, 'a b d c'],
    ['the fifth passes all', { e: 10, a: 9, b: 8, d: 7, c: 6, f: 4 }, 'e a b d c'],
    ['one falls out of the first five', { e: 10, a: 9, b: 8, f: 7.5, d: 7, c: 6 }, 'e a b d'],
    ['and must be among the first three again', { e: 10, a: 9, b: 8, c: 7.5, d: 7 }, 'e a b d'],
    ['it is', { c: 11, e: 10, a: 9, b: 8, d: 7 }, 'c e a b d'],
    ['one that has ended is listed no more', { c: 11, e: 10, a: 9, d: 7 }, 'c e a d'],
    ['one that is new', { n: 12, c: 11, e: 10, a: 9, d: 7 }, 'n c e a d'],
    ['all are new', { p: 5, q: 4, r: 3, s: 2 }, 'p q r'],
    ['there are only two', { p: 5, q: 4 }, 'p q'],
    ['there are none', {}, ''],
  ] as const) {
    const keys: Readonly<Record<string, number>> = uses;
    const top = steadyTop(Object.keys(keys), (name) => keys[name] ?? 0, before, BOUNDS);
    t.equal(top.join(' '), listed, what);
    before = new Set(top);
  }
});

t.test(`a list has its bounds, and of two that take turns neither flaps (seed ${FUZZ_SEED})`, async (t) => {
  const next = random();
  const bounds = { enter: 50, leave: 60 };
  const items = Array.from({ length: 300 }, (_, id) => ({ id, use: 300 - id }));
  let before: ReadonlySet<(typeof items)[number]> = new Set();
  let changes = 0;
  for (let round = 0; round < 100; round += 1) {
    const top = steadyTop(items, ({ id, use }) => use + (id >= 46 && id < 56 ? next() * 8 : 0), before, bounds);
    if (top.length < bounds.enter || top.length > bounds.leave) return void t.fail(`${top.length} are listed`);
    if (round > 5)
      changes +=
        top.filter((item) => !before.has(item)).length + [...before].filter((item) => !top.includes(item)).length;
    before = new Set(top);
  }
  t.ok(changes < 10, `${changes} changes in 94 rounds`);
});
