// Paging and OOM kills.
import t from 'tap';
import { parseVmstat } from '../../../src/probes/kernel/vmstat.ts';

t.test('only the fields that node_exporter selects are read', async (t) => {
  const values = parseVmstat('nr_free_pages 1\npgpgin 2\npgfault 3\npgpromote_success 4\noom_kill 5\n');
  t.same(
    [...values],
    [
      ['node_vmstat_pgpgin', 2],
      ['node_vmstat_pgfault', 3],
      ['node_vmstat_oom_kill', 5],
    ],
  );
});

t.test('a selected field without a number is refused', async (t) => {
  for (const text of ['', 'oom_kill\n', 'oom_kill -1\n', 'oom_kill 1 2\n', 'oom_kill NaN\n', 'nr_free_pages 1\n']) {
    t.throws(() => parseVmstat(text), { code: 'JD_UNEXPECTED_KERNEL_TEXT' }, JSON.stringify(text));
  }
});

t.test('an unselected field may be anything', async (t) => {
  t.equal(parseVmstat('nr_new what\noom_kill 1\n').size, 1);
});
