import t from 'tap';
import { openSpareBuffer } from '../../src/base/spare-buffer.ts';

t.test('a large buffer that was given back is used again, and no other', async (t) => {
  const spare = openSpareBuffer();
  const first = spare.take(100_000);
  t.equal(first.length, 100_000);
  t.not(spare.take(100_000).buffer, first.buffer, 'it is in use');
  spare.giveBack(first);
  const second = spare.take(90_000);
  t.equal(second.length, 90_000);
  t.equal(second.buffer, first.buffer);
  spare.giveBack(second);
  const larger = spare.take(200_000);
  t.not(larger.buffer, first.buffer, 'it was too small');
  spare.giveBack(larger);
  spare.giveBack(first);
  t.equal(spare.take(70_000).buffer, larger.buffer, 'the largest is kept');
});

t.test('small buffers are those of Node', async (t) => {
  const spare = openSpareBuffer();
  const small = spare.take(10);
  spare.giveBack(small);
  t.equal(small.length, 10);
  t.not(spare.take(100_000).buffer, small.buffer);
});
