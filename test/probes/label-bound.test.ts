// Label values of any length become values of a bounded one, and stay different.
import t from 'tap';
import { openFamilyWriter } from '../../src/probes/family-writer.ts';
import { boundLabel, boundLabels, countLong, LONGEST_LABEL } from '../../src/probes/label-bound.ts';
import { openSeries } from '../../src/probes/series.ts';
import { random } from '../support/random.ts';

const METRIC = { name: 'm', help: '', type: 'gauge', source: '', labels: ['a', 'b'] } as const;

t.test('a value that is not too long is as it was', async (t) => {
  for (const value of ['', 'nginx', 'x'.repeat(64), '中'.repeat(64)]) t.equal(boundLabel(value, 64), value);
});

t.test('a longer one is cut with a mark, and values that differ behind the cut still differ', async (t) => {
  const long = 'x'.repeat(4096);
  t.equal(boundLabel(long, 64).length, 64);
  t.match(boundLabel(long, 64), /^x{55}…[0-9a-f]{8}$/);
  t.equal(boundLabel(long, 64), boundLabel('x'.repeat(4096), 64), 'the same one is cut the same way');
  t.not(boundLabel(`${long}y`, 64), boundLabel(`${long}z`, 64));
  t.same(boundLabels(['a', long], 64), ['a', boundLabel(long, 64)]);
  t.equal(countLong(['a', long, long], 64), 2);
});

t.test('no character is cut in two', async (t) => {
  const next = random();
  for (let i = 0; i < 500; i += 1) {
    const value = Array.from({ length: 100 }, () => (next() < 0.5 ? '😀' : 'a')).join('');
    const cut = boundLabel(value, 64);
    t.ok(cut.isWellFormed() && cut.length <= 64, value);
  }
});

t.test('both ways to write a series cut, and count what they cut in each collection', async (t) => {
  const out = openFamilyWriter([METRIC, { ...METRIC, name: 'n' }], 64);
  const long = 'p'.repeat(5000);
  const lasting = openSeries(METRIC, long, 'short');
  for (let round = 0; round < 3; round += 1) {
    out.begin(100);
    out.set(lasting, round);
    out.add('n', 1, long, long);
    const { cut, families } = out.finish();
    t.equal(cut, 3);
    t.match(families[0]?.text.toString(), /^m\{a="p{55}…[0-9a-f]{8}",b="short"\} \d\n$/);
    t.match(families[1]?.text.toString(), /^n\{a="p{55}…[0-9a-f]{8}",b="p{55}…[0-9a-f]{8}"\} 1\n$/);
  }
});

t.test('unless configured a value has up to 512 characters', async (t) => {
  t.equal(LONGEST_LABEL, 512);
  const out = openFamilyWriter([METRIC]);
  out.begin(100);
  out.add('m', 1, 'x'.repeat(512), 'y'.repeat(513));
  t.match(out.finish(), { cut: 1, series: 1 });
});
