// Which hierarchies a host has, and the walk of their tree.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { readCpuUsage } from '../../../src/probes/cgroup/cpu.ts';
import { Cgroup } from '../../../src/probes/cgroup/group.ts';
import { parseCgroupMounts, readLayout, type CgroupLayout } from '../../../src/probes/cgroup/layout.ts';
import { walkCgroups } from '../../../src/probes/cgroup/walk.ts';
import { HostFiles } from '../../../src/probes/host-files.ts';

const V2 =
  '30 23 0:26 / /sys/fs/cgroup rw,nosuid,nodev shared:4 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot\n';
const MEMORY = '36 31 0:32 / /sys/fs/cgroup/memory rw,nosuid shared:9 - cgroup cgroup rw,memory\n';
const CPU = '33 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:8 - cgroup cgroup rw,cpu,cpuacct\n';
const SYSTEMD =
  '32 31 0:28 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,release_agent=/lib/systemd/x,name=systemd\n';
const UNIFIED = '41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n';

const simple = (layout: CgroupLayout | undefined) =>
  layout === undefined ? undefined : [layout.mode, layout.tree, layout.unified, Object.fromEntries(layout.v1)];

const CASES: readonly (readonly [string, string, unknown])[] = [
  ['v2', V2, ['v2', '/sys/fs/cgroup', '/sys/fs/cgroup', {}]],
  [
    'v1',
    `${SYSTEMD}${CPU}${MEMORY}`,
    [
      'v1',
      '/sys/fs/cgroup/memory',
      undefined,
      {
        'name=systemd': '/sys/fs/cgroup/systemd',
        cpu: '/sys/fs/cgroup/cpu,cpuacct',
        cpuacct: '/sys/fs/cgroup/cpu,cpuacct',
        memory: '/sys/fs/cgroup/memory',
      },
    ],
  ],
  [
    'hybrid with memory on v2, as Linux 6.12 of Debian has it',
    `${CPU}${UNIFIED}`,
    [
      'hybrid',
      '/sys/fs/cgroup/cpu,cpuacct',
      '/sys/fs/cgroup/unified',
      { cpu: '/sys/fs/cgroup/cpu,cpuacct', cpuacct: '/sys/fs/cgroup/cpu,cpuacct' },
    ],
  ],
  [
    'v2 beside the v1 hierarchy of systemd alone',
    `${SYSTEMD}${UNIFIED}`,
    ['v2', '/sys/fs/cgroup/unified', '/sys/fs/cgroup/unified', { 'name=systemd': '/sys/fs/cgroup/systemd' }],
  ],
  [
    'the mount that shows all of the hierarchy, not the part of a container',
    `50 31 0:26 /docker/abc /mnt/part rw - cgroup2 cgroup2 rw\n${V2}51 31 0:26 / /mnt/second rw - cgroup2 cgroup2 rw\n`,
    ['v2', '/sys/fs/cgroup', '/sys/fs/cgroup', {}],
  ],
  ['none', '25 1 0:22 / /proc rw - proc proc rw\n', undefined],
  ['nonsense', '- cgroup2\n1 - cgroup\n', undefined],
];
for (const [name, text, expected] of CASES) {
  t.test(`the layout is found: ${name}`, async (t) => {
    t.same(simple(parseCgroupMounts(text)), expected);
  });
}

const emptyHost = (t: Test): string => {
  const root = mkdtempSync(join(tmpdir(), 'jdos-cgroup-'));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  return root;
};

t.test('a host without cgroups says so', async (t) => {
  const root = emptyHost(t);
  mkdirSync(join(root, 'proc/1'), { recursive: true });
  writeFileSync(join(root, 'proc/1/mountinfo'), '25 1 0:22 / /proc rw - proc proc rw\n');
  t.throws(() => readLayout(new HostFiles(root)), { code: 'JD_NO_CGROUPS' });
});

t.test('the walk visits each group once, and stops at its bounds', async (t) => {
  const root = emptyHost(t);
  for (const path of ['a/b/c', 'a/d', 'e']) mkdirSync(join(root, path), { recursive: true });
  writeFileSync(join(root, 'a/cgroup.procs'), '');
  const host = new HostFiles(root);
  const paths: string[] = [];
  const walked = walkCgroups(host, { tree: '/' }, ({ path }) => paths.push(path) > 0);
  t.same(paths.sort(), ['/a', '/a/b', '/a/b/c', '/a/d', '/e']);
  t.same(walked, { visited: 5, truncated: false });
  const few: string[] = [];
  t.same(
    walkCgroups(host, { tree: '/' }, ({ path }) => few.push(path) > 0, 2),
    { visited: 2, truncated: true },
  );
  t.same(
    walkCgroups(host, { tree: '/' }, () => false),
    { visited: 2, truncated: false },
    'what is not wanted is not entered',
  );
});

t.test('a group that is removed during the walk is no error', async (t) => {
  const root = emptyHost(t);
  for (const path of ['a/b', 'c/d']) mkdirSync(join(root, path), { recursive: true });
  const walked = walkCgroups(new HostFiles(root), { tree: '/' }, ({ path }) => {
    rmSync(join(root, path), { recursive: true });
    return true;
  });
  t.equal(walked.truncated, false);
});

t.test('a tree that cannot be read is an error', async (t) => {
  t.throws(() => walkCgroups(new HostFiles(emptyHost(t)), { tree: '/nowhere' }, () => true), { code: 'ENOENT' });
});

t.test('the CPU time of a group that is not in the hierarchy for it comes from the v2 side', async (t) => {
  const root = emptyHost(t);
  mkdirSync(join(root, 'unified/jdos'), { recursive: true });
  writeFileSync(join(root, 'unified/jdos/cpu.stat'), 'usage_usec 3000000\nuser_usec 2000000\nsystem_usec 1000000\n');
  const v1 = new Map([
    ['cpu', '/cpu'],
    ['cpuacct', '/cpuacct'],
  ]);
  const layout: CgroupLayout = { mode: 'hybrid', v1, unified: '/unified', tree: '/cpu' };
  const group = new Cgroup(new HostFiles(root), layout, '/jdos');
  t.match(readCpuUsage(group, 100), { usage: 3, user: 2, system: 1, periods: undefined });
});

t.test('a file that is absent is asked for again later, and one that cannot be read is counted', async (t) => {
  const root = emptyHost(t);
  mkdirSync(join(root, 'g/memory.current'), { recursive: true });
  const group = new Cgroup(new HostFiles(root), { mode: 'v2', v1: new Map(), unified: '', tree: '' }, '/g');
  t.equal(group.bytes('pids.current'), undefined);
  writeFileSync(join(root, 'g/pids.current'), '3\n');
  t.equal(group.bytes('pids.current'), undefined);
  group.askAgain();
  t.equal(group.bytes('pids.current')?.toString(), '3\n');
  t.equal(group.failures, 0);
  t.equal(group.bytes('memory.current'), undefined);
  t.equal(group.failures, 1);
});
