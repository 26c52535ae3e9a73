// Load averages, and what happens when something else stands in the file's place.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import t from 'tap';
import { HostFiles } from '../../../src/probes/host-files.ts';
import { loadavg, parseLoadavg } from '../../../src/probes/kernel/loadavg.ts';
import { collectOnce } from './written.ts';

t.test('the first three numbers are read', async (t) => {
  t.same(parseLoadavg('0.20 12.34 100.05 1/92 6914\n'), [0.2, 12.34, 100.05]);
  t.same(parseLoadavg('0.20 0.18 0.12'), [0.2, 0.18, 0.12]);
});

t.test('other text is refused', async (t) => {
  for (const text of ['', '0.20 0.18\n', 'a b c\n', '-0.1 0 0\n', '0.1 NaN 0.2\n', '1e5 0 0\n']) {
    t.throws(() => parseLoadavg(text), { code: 'JD_UNEXPECTED_KERNEL_TEXT' }, JSON.stringify(text));
  }
});

t.test('a FIFO in place of the file fails at once and does not hang', async (t) => {
  const root = t.testdir({ proc: {} });
  execFileSync('mkfifo', [join(root, 'proc/loadavg')]);
  await t.rejects(async () => collectOnce(loadavg, new HostFiles(root)), { code: 'JD_NOT_A_REGULAR_FILE' });
});

t.test('a missing file fails and writes nothing', async (t) => {
  await t.rejects(async () => collectOnce(loadavg, new HostFiles(t.testdir({ proc: {} }))), { code: 'ENOENT' });
});
