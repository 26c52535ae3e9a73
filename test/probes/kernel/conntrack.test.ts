// Connection tracking of the host: the tables of several kernels, and kernels without.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { HostFiles } from '../../../src/probes/host-files.ts';
import { conntrack } from '../../../src/probes/kernel/conntrack.ts';
import { parseNetStat } from '../../../src/probes/kernel/net-stat.ts';
import { collectOnce, config, openWriter } from './written.ts';

/** As Linux 4.19 writes it: other columns in other places. Written. */
const OLD = `entries  searched found new invalid ignore delete delete_list insert insert_failed drop early_drop icmp_error  expect_new expect_create expect_delete search_restart
000000ff  00000001 00000002 00000003 00000004 00000005 00000006 00000007 00000008 00000009 0000000a 0000000b 0000000c  0000000d 0000000e 0000000f 00000010
000000ff  00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 ffffffff 00000000 00000000 00000000  00000000 00000000 00000000 00000000
`;

function hostWith(t: Test, files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'jdos-ct-'));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

const TABLE = 'proc/1/net/stat/nf_conntrack';
const COUNT = 'proc/sys/net/netfilter/nf_conntrack_count';
const MAX = 'proc/sys/net/netfilter/nf_conntrack_max';

t.test('columns are found by their names; one that is missing is unknown', async (t) => {
  t.same(parseNetStat('nf_conntrack', OLD, ['drop', 'insert_failed', 'clashres', 'search_restart']), {
    entries: 255,
    rows: [
      [10, 9, undefined, 16],
      [0, 2 ** 32 - 1, undefined, 0],
    ],
  });
});

for (const text of [
  '',
  'entries drop\n',
  'drop entries\n1 2\n',
  'entries drop\n1\n',
  'entries drop\n1 2 3\n',
  'entries drop\n1 x\n',
  'entries drop\n-1 2\n',
  'entries drop\n1 0x2\n',
]) {
  t.test(`${JSON.stringify(text)} is refused`, async (t) => {
    t.throws(() => parseNetStat('nf_conntrack', text, ['drop']), { code: 'JD_UNEXPECTED_KERNEL_TEXT' });
  });
}

t.test('the sum over the CPUs goes on when one wraps', async (t) => {
  const root = hostWith(t, { [TABLE]: OLD, [MAX]: '262144\n' });
  const collecting = conntrack.open({ host: new HostFiles(root), config: config(), saved: undefined });
  const failed = async (): Promise<number | undefined> => {
    const out = openWriter(conntrack);
    await collecting.collect(out);
    return out.written().samples.find(({ metric }) => metric === 'node_nf_conntrack_stat_insert_failed')?.value;
  };
  t.equal(await failed(), 2 ** 32 + 8);
  writeFileSync(join(root, TABLE), OLD.replace('ffffffff', '00000001'));
  t.equal(await failed(), 2 ** 32 + 10);
});

t.test('what the kernel does not have is absent, and no failure', async (t) => {
  const samples = async (files: Readonly<Record<string, string>>) =>
    (await collectOnce(conntrack, new HostFiles(hostWith(t, files)))).text;
  t.equal(await samples({ 'proc/1/stat': '' }), '', 'no connection tracking');
  t.equal(
    await samples({ [COUNT]: '7\n', [MAX]: '262144\n' }),
    'node_nf_conntrack_entries 7\nnode_nf_conntrack_entries_limit 262144\n',
    'a kernel without CONFIG_NF_CONNTRACK_PROCFS',
  );
  t.equal(
    await samples({ 'proc/self/net/stat/nf_conntrack': 'entries drop\n00000003 00000001\n' }),
    'node_nf_conntrack_entries 3\nnode_nf_conntrack_stat_drop 1\n',
    'the first process is not to be seen',
  );
});
