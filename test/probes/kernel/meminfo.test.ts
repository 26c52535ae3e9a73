// Memory fields.
import t from 'tap';
import { meminfo, parseMeminfo } from '../../../src/probes/kernel/meminfo.ts';

t.test('kB are bytes, parentheses are underscores, counts stay counts', async (t) => {
  const values = parseMeminfo('MemTotal:       24684092 kB\nActive(anon):     10 kB\nHugePages_Total:       3\n');
  t.same(
    [...values],
    [
      ['node_memory_MemTotal_bytes', 24684092 * 1024],
      ['node_memory_Active_anon_bytes', 10240],
      ['node_memory_HugePages_Total', 3],
    ],
  );
});

t.test('fields of a newer kernel are left out', async (t) => {
  t.equal(parseMeminfo('MemTotal: 1 kB\nQuantumPages: 5 kB\nNewCount: 2\n').size, 1);
});

t.test('a known field in another unit is left out, not mistaken', async (t) => {
  t.equal(parseMeminfo('MemTotal: 1 kB\nMemFree: 7\nHugePages_Free: 2 kB\n').size, 1);
});

t.test('malformed lines are refused', async (t) => {
  for (const text of [
    '',
    'MemTotal 1 kB\n',
    'MemTotal:\n',
    'MemTotal: kB\n',
    'MemTotal: -1 kB\n',
    'MemTotal: 1 MB\n',
    'MemTotal: 1 kB 2\n',
    'Other: 1 kB\n',
  ]) {
    t.throws(() => parseMeminfo(text), { code: 'JD_UNEXPECTED_KERNEL_TEXT' }, JSON.stringify(text));
  }
});

t.test('every declared name is a valid metric name, once', async (t) => {
  const names = meminfo.metrics.map(({ name }) => name);
  t.equal(new Set(names).size, names.length);
  t.same(
    names.filter((name) => !/^node_memory_[A-Za-z0-9_]+$/.test(name)),
    [],
  );
});
