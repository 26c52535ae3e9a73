// What the process runtime reads of the host: mounts of cgroups, accounts, /proc/PID/stat.
import t from 'tap';
import {
  limitWrites,
  parseHierarchies,
  unenforceable,
} from '../../../../src/orchestrator/runtimes/process/cgroup-hierarchies.ts';
import { parseStat } from '../../../../src/orchestrator/runtimes/process/proc.ts';
import { parseAccounts } from '../../../../src/orchestrator/runtimes/process/run-spec.ts';
import { random } from '../../../support/random.ts';

const V2 = 'cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid,nodev,noexec,relatime,nsdelegate,memory_recursiveprot 0 0\n';
const V1 = `tmpfs /sys/fs/cgroup tmpfs ro,nosuid,nodev,noexec,mode=755 0 0
cgroup /sys/fs/cgroup/systemd cgroup rw,nosuid,xattr,name=systemd 0 0
cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,nosuid,cpu,cpuacct 0 0
cgroup /sys/fs/cgroup/memory cgroup rw,nosuid,memory 0 0
cgroup /sys/fs/cgroup/freezer cgroup rw,nosuid,freezer 0 0
cgroup /sys/fs/cgroup/pids cgroup rw,nosuid,pids 0 0
`;
const none = (): string => '';

t.test('hierarchies of cgroups: v2, v1 and both side by side', async (t) => {
  t.same(
    parseHierarchies(V2, () => 'cpuset cpu io memory hugetlb pids rdma misc\n'),
    [{ mount: '/sys/fs/cgroup', version: 2, controllers: ['cpu', 'memory', 'pids'] }],
  );
  t.same(parseHierarchies(V1, none), [
    { mount: '/sys/fs/cgroup/systemd', version: 1, controllers: [] },
    { mount: '/sys/fs/cgroup/cpu,cpuacct', version: 1, controllers: ['cpu'] },
    { mount: '/sys/fs/cgroup/memory', version: 1, controllers: ['memory'] },
    { mount: '/sys/fs/cgroup/pids', version: 1, controllers: ['pids'] },
  ]);
  const hybrid = `${V1}cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n`;
  t.same(parseHierarchies(hybrid, none).at(-1), { mount: '/sys/fs/cgroup/unified', version: 2, controllers: [] });
  t.same(parseHierarchies('', none), []);
  t.same(parseHierarchies('proc /proc proc rw 0 0\ncgroup\n', none), []);
});

t.test('limits become writes of the version’s own files', async (t) => {
  const limits = { cpuShares: 102, cpuQuotaUs: 20_000, memoryBytes: 65_536, pids: 10 };
  const files = (version: 1 | 2): readonly string[] =>
    limitWrites({ mount: '/x', version, controllers: ['cpu', 'memory', 'pids'] }, limits).map(
      ({ file, value }) => `${file} ${value}`,
    );
  t.same(files(1), [
    'cpu.shares 102',
    'cpu.cfs_period_us 100000',
    'cpu.cfs_quota_us 20000',
    'memory.limit_in_bytes 65536',
    'memory.memsw.limit_in_bytes 65536',
    'pids.max 10',
  ]);
  t.same(files(2), [
    'cpu.weight 17',
    'cpu.max 20000 100000',
    'memory.max 65536',
    'memory.swap.max 0',
    'memory.oom.group 1',
    'pids.max 10',
  ]);
  t.same(unenforceable([{ mount: '/x', version: 1, controllers: ['cpu'] }], limits).length, 1);
  t.match(unenforceable([], limits).join(), /the CPU limit is not enforced.*the memory limit is not enforced/);
});

t.test('accounts of /etc/passwd', async (t) => {
  t.same(
    parseAccounts(`root:x:0:0:root:/root:/bin/bash
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
# a comment
+nis
broken:x:-1:z::/:
jd:x:1000:1001:,,,:/home/jd:/bin/sh
nohome:x:1002:1002
`),
    [
      { uid: 0, gid: 0, home: '/root' },
      { uid: 1, gid: 1, home: '/usr/sbin' },
      { uid: 1000, gid: 1001, home: '/home/jd' },
      { uid: 1002, gid: 1002, home: '/' },
    ],
  );
  t.same(parseAccounts(''), []);
});

t.test('who a process is, whatever its name', async (t) => {
  const stat = (name: string): string =>
    `42 (${name}) S 1 42 41 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 98765 1 1 1 1 1 1 1 1`;
  for (const name of ['sh', 'a b', ') S 1 (x', 'a) R 7 7 7', '((', '\n'])
    t.same(parseStat(stat(name)), { state: 'S', session: 41, startTicks: 98_765 }, JSON.stringify(name));
  for (const text of ['', '42', '42 (sh)', '42 (sh) S 1 2', 'x'.repeat(1000)]) t.equal(parseStat(text), undefined);
});

t.test('no text breaks the parsers', async (t) => {
  const next = random();
  const pieces = [...V1.split(/( |\n)/), ...V2.split(/( |\n)/), ':', ')', '(', '0', '\0', 'é', ''];
  for (let i = 0; i < 2000; i += 1) {
    const text = Array.from({ length: Math.floor(next() * 30) }, () => pieces[Math.floor(next() * pieces.length)]).join(
      '',
    );
    for (const hierarchy of parseHierarchies(text, () => text)) if (hierarchy.mount.includes('\n')) t.fail(text);
    for (const { uid, gid } of parseAccounts(text)) if (!Number.isInteger(uid + gid)) t.fail(text);
    parseStat(text);
  }
  t.pass('none');
});
