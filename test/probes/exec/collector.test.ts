// The collector where there is nothing to trace: it says why, and writes nothing to the host.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ProbesConfig } from '../../../src/probes/config.ts';
import { exec } from '../../../src/probes/exec/collector.ts';
import { openFamilyWriter } from '../../../src/probes/family-writer.ts';
import { HostFiles } from '../../../src/probes/host-files.ts';
import { emptyTree, writeTree } from '../container/written-containers.ts';

t.test('a host that is mounted elsewhere is never written to', async (t) => {
  const root = emptyTree(t);
  writeTree(root, { uptime: 1000, groups: {} });
  const paths = (): readonly string[] => readdirSync(root, { recursive: true, encoding: 'utf8' }).sort();
  const before = paths();
  const collecting = exec.open({ host: new HostFiles(root), config: ProbesConfig.parse({}), saved: undefined });
  const out = openFamilyWriter(exec.metrics);
  out.begin(100);
  await collecting.collect(out);
  t.equal(
    out
      .finish()
      .families.map(({ text }) => text.toString('utf8'))
      .join(''),
    'jdos_exec_tracing{reason="other-root"} 0\n',
  );
  collecting.close?.();
  t.same(paths(), before);
  t.notOk(before.includes(join('sys', 'kernel')));
});
