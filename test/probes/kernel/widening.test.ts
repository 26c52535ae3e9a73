// Counters of 32 bits for each CPU: over a wrap, over a restart, and in the process after this one.
import t from 'tap';
import { openWidening, openWidenings } from '../../../src/probes/kernel/widening.ts';

const MAX = 2 ** 32 - 1;

t.test('a total goes on over the wrap of one CPU, and over a counter that began again', async (t) => {
  const widening = openWidening();
  for (const [rows, total] of [
    [[[MAX - 5], [10]], MAX + 5],
    [[[4], [10]], MAX + 15],
    [[[4], [12]], MAX + 17],
    [[[0], [0]], MAX + 17],
    [[[1], [0]], MAX + 18],
  ] as const)
    t.same(widening.advance(rows), [total], JSON.stringify(rows));
});

t.test('columns are counted by themselves, and one that the kernel lacks stays unknown', async (t) => {
  const widening = openWidening();
  t.same(
    widening.advance([
      [1, undefined, MAX],
      [2, undefined, 3],
    ]),
    [3, undefined, MAX + 3],
  );
  t.equal(widening.state(), undefined, 'nothing has to be kept');
  t.same(widening.advance([[1, undefined, 0]]), [1, undefined, MAX + 1]);
  t.same(widening.advance([]), [], 'nothing was read');
});

t.test('the next process goes on where this one stopped, and takes no nonsense', async (t) => {
  const widening = openWidening();
  widening.advance([[7, MAX]]);
  widening.advance([[8, 1]]);
  const saved: unknown = JSON.parse(JSON.stringify(widening.state()));
  t.same(openWidening(saved).advance([[9, 2]]), [9, MAX + 3]);
  for (const nonsense of [undefined, null, 'x', { 0: 1 }, [-1], ['1'], [null]])
    t.same(openWidening(nonsense).advance([[9, 2]]), [9, 2], JSON.stringify(nonsense));
});

t.test('what wrapped on a host of hundreds of CPUs is kept, each row by its name', async (t) => {
  const row = (value: number): number[] => Array.from({ length: 384 }, () => value);
  const rows = openWidenings(undefined);
  t.equal(rows.state(), undefined);
  for (const value of [2 ** 32 - 1, 4]) for (const name of ['NET_RX', 'TIMER']) rows.of(name).advance([row(value)]);
  rows.keep(new Set(['NET_RX']));
  const after = openWidenings(JSON.parse(JSON.stringify(rows.state())));
  t.equal(after.of('NET_RX').advance([row(5)])[383], 2 ** 32 + 5);
  t.equal(after.of('TIMER').advance([row(5)])[383], 5, 'what was forgotten begins anew');
  for (const foreign of [null, 'x', [1], { NET_RX: -1 }])
    t.equal(
      openWidenings(foreign)
        .of('NET_RX')
        .advance([[7]])[0],
      7,
    );
});
