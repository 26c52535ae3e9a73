// File handles.
import t from 'tap';
import { parseFileNr } from '../../../src/probes/kernel/filefd.ts';

t.test('allocated and maximum are the first and the third number', async (t) => {
  t.same(parseFileNr('521\t0\t2466177\n'), { allocated: 521, maximum: 2466177 });
  t.same(parseFileNr('1 0 9223372036854775807'), { allocated: 1, maximum: 9223372036854775807 }, 'no limit');
  t.same(parseFileNr('1 0 2 3\n'), { allocated: 1, maximum: 2 }, 'a new column');
});

t.test('other text is refused', async (t) => {
  for (const text of ['', '1\t0\n', 'a b c\n', '-1 0 5\n', '1 0 5.5\n']) {
    t.throws(() => parseFileNr(text), { code: 'JD_UNEXPECTED_KERNEL_TEXT' }, JSON.stringify(text));
  }
});
