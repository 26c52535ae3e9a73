// Names for groups as process-exporter's configuration gives them: tables, bad input, and the same processes under both.
import { spawn } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { parseConfig, withNamesFile } from '../../../src/daemon/config.ts';
import { Fault } from '../../../src/base/fault.ts';
import { HostFiles } from '../../../src/probes/host-files.ts';
import { ProcessNames } from '../../../src/probes/process/names-config.ts';
import { eventually } from '../../support/daemon.ts';
import { freePort } from '../../support/free-port.ts';
import { needs } from '../../support/needs.ts';
import { openCollector, writeHost, type Samples, type WrittenProcess } from './written-host.ts';

const NUM = 'namedprocess_namegroup_num_procs';
const groups = (samples: Samples): Record<string, number> =>
  Object.fromEntries(
    [...samples].flatMap(([series, value]) => {
      const name = new RegExp(`^${NUM}\\{groupname="(.*)"\\}$`).exec(series)?.[1];
      return name === undefined ? [] : [[name, value]];
    }),
  );

const HOST: readonly WrittenProcess[] = [
  { pid: 1, comm: 'init', cmdline: '/sbin/init\0', ppid: 0, start: 5 },
  { pid: 2, comm: 'kthreadd', kernel: true, ppid: 0, start: 5 },
  { pid: 10, comm: 'sshd', cmdline: 'sshd: alice@pts/0\0', ppid: 1, start: 9 },
  { pid: 11, comm: 'bash', cmdline: '-bash\0', ppid: 10, start: 50, uid: 1000 },
  { pid: 12, comm: 'vim', cmdline: 'vim\0notes.txt\0', ppid: 11, start: 60, uid: 1000 },
  { pid: 20, comm: 'java', cmdline: '/opt/jdk/bin/java\0-jar\0/srv/cart.jar\0', ppid: 1, start: 70 },
  { pid: 21, comm: 'java', cmdline: '/usr/bin/java\0-jar\0/srv/stock.jar\0', ppid: 1, start: 80 },
  { pid: 30, comm: 'zombie', state: 'Z', ppid: 20, start: 90 },
];

function named(t: Test, names: unknown, processes = HOST, children = true) {
  const dir = t.testdir({ etc: { passwd: 'root:x:0:0::/root:/bin/sh\nalice:x:1000:1000::/:/bin/sh\nbad:x:x:\n' } });
  writeHost(dir, { uptime: 1000, processes });
  const probe = openCollector(new HostFiles(dir), { processes: { names, children, smapsSeconds: 0 } });
  return { probe, dir, first: groups(probe.collect()) };
}

const CASES: readonly (readonly [what: string, names: unknown, expected: Record<string, number>])[] = [
  ['comm is one of', [{ name: '{{.Comm}}', comm: ['sshd', 'bash'] }], { sshd: 1, bash: 2 }],
  ['exe by its base name', [{ exe: ['java'] }], { java: 3 }],
  ['exe by its whole path', [{ name: '{{.ExeFull}}', exe: ['/usr/bin/java'] }], { '/usr/bin/java': 1 }],
  [
    'what a pattern captures names the group',
    [{ name: 'jar {{.Matches.jar}}', comm: ['java'], cmdline: ['-jar .*/(?P<jar>\\w+)\\.jar'] }],
    { 'jar cart': 2, 'jar stock': 1 },
  ],
  ['all patterns match', [{ name: 'both', cmdline: ['java', 'cart', 'stock'] }], { both: 0 }],
  [
    'the first entry wins',
    [
      { name: 'a', comm: ['vim'] },
      { name: 'b', cmdline: ['.'] },
    ],
    { a: 1, b: 6 },
  ],
  ['users by name', [{ name: '{{.Username}}', cmdline: ['.'] }], { root: 5, alice: 2 }],
  ['pids', [{ name: '{{.PID}}/{{.ExeBase}}', exe: ['vim'] }], { '12/vim': 1 }],
  ['times as Go prints them', [{ name: '{{.StartTime}}', exe: ['vim'] }], { '2023-11-14 22:13:20.6 +0000 UTC': 1 }],
  ['cgroups', [{ name: '{{.Cgroups}}', exe: ['vim'] }], { '[/]': 1 }],
  ['an index expression', [{ name: '{{ index .Matches "f" }}', cmdline: ['(?P<f>\\w+)\\.txt'] }], { notes: 1 }],
  [
    'configured and absent is 0',
    [{ comm: ['nothing'], name: '{{.Comm}}!' }, { exe: ['/x/none'] }],
    { 'nothing!': 0, none: 0 },
  ],
];

t.test('processes are named as process-exporter names them', async (t) => {
  for (const [what, names, expected] of CASES) t.same(named(t, names).first, expected, what);
});

t.test('without children only what matches is in a group', async (t) => {
  t.same(named(t, [{ name: 's', comm: ['sshd'] }], HOST, false).first, { s: 1 });
  t.same(named(t, [{ name: 's', comm: ['sshd'] }], HOST, true).first, { s: 3 });
});

t.test('a process that runs another program is named anew, one whose parent dies keeps its group', async (t) => {
  const names = [
    { name: 'shop', cmdline: ['shop\\.py'] },
    { name: 'login', comm: ['sshd'] },
  ];
  const at = (cmdline: string, parent: boolean): readonly WrittenProcess[] => [
    ...(parent ? [{ pid: 10, comm: 'sshd', cmdline: 'sshd\0', ppid: 1, start: 9 }] : []),
    // execve(2) maps another program, which takes page faults.
    { pid: 50, comm: 'python3', cmdline, minorFaults: cmdline.length, ppid: parent ? 10 : 1, start: 99 },
  ];
  const { probe, dir, first } = named(t, names, at('python3\0-\0', true));
  t.same(first, { shop: 0, login: 2 });
  writeHost(dir, { uptime: 1015, processes: at('python3\0-\0', false) });
  t.same(groups(probe.collect()), { shop: 0, login: 1 });
  let last = {};
  for (let i = 2; i < 12; i += 1) {
    writeHost(dir, { uptime: 1000 + i * 15, processes: at('python3\0/srv/shop.py\0', false) });
    last = groups(probe.collect());
  }
  t.same(last, { shop: 1, login: 0 }, 'within ten collections, though its comm is the same');
});

t.test('a process whose command line cannot be read yet is named when it can', async (t) => {
  const at = (state: string): readonly WrittenProcess[] => [
    { pid: 7, comm: 'cp', cmdline: 'cp\0a\0', state, start: 9 },
  ];
  const { probe, dir, first } = named(t, [{ name: 'copies', cmdline: ['^cp '] }], at('D'));
  t.same(first, { copies: 0 }, 'who is in state D may hold the lock that reading takes');
  writeHost(dir, { uptime: 1015, processes: at('S') });
  t.same(groups(probe.collect()), { copies: 1 });
});

const BAD: readonly (readonly [names: unknown, path: RegExp])[] = [
  [[{ name: 'x' }], /at least one of comm, exe and cmdline/],
  [[{ cmdline: ['('] }], /names\[0\]\.cmdline\[0\].*RE2's syntax/],
  [[{ cmdline: ['(?=look)'] }], /RE2's syntax/],
  [[{ comm: ['a'], name: '{{.Nope}}' }], /names\[0\]\.name.*a template of fields: .*not \{\{\.Nope\}\}/],
  [[{ comm: ['a'], name: '{{.Comm' }], /closed by/],
  [[{ comm: ['a'], name: '{{.Matches.x}}' }], /\(\?P<x>/],
  [[{ comms: ['a'] }], /comm/],
];

t.test('names that cannot be meant are refused with their place', async (t) => {
  for (const [names, expected] of BAD) {
    const text = `probes: { processes: { names: ${JSON.stringify(names)} } }`;
    t.throws(() => parseConfig(text, 'jdos.yaml'), { code: 'JD_CONFIG_INVALID', message: expected }, text);
  }
});

t.test('a file of process-exporter is taken as it is, and its errors have its name', async (t) => {
  const dir = t.testdir({
    good: 'process_names:\n  - name: "{{.Comm}}"\n    cmdline:\n    - .+\n',
    bad: 'process_names:\n  - cmdline: ["["]\n',
  });
  const at = (file: string, more = ''): string => `probes: { processes: { namesFile: ${join(dir, file)}${more} } }`;
  const { names } = withNamesFile(parseConfig(at('good'), 'jdos.yaml')).probes.processes;
  t.same(names, [{ name: '{{.Comm}}', cmdline: ['.+'] }]);
  const refused = (text: string): unknown => {
    try {
      return withNamesFile(parseConfig(text, 'jdos.yaml'));
    } catch (error) {
      return error instanceof Fault ? error.message : error;
    }
  };
  t.match(refused(at('bad')), new RegExp(`${join(dir, 'bad')} is not valid:\n.*process_names\\[0\\]\\.cmdline\\[0\\]`));
  t.match(refused(at('none')), /cannot read .*none \(ENOENT\)/);
  const both = withNamesFile(parseConfig(at('good', ', names: [{ comm: [first] }]'), 'jdos.yaml'));
  t.match(both.probes.processes.names, [{ comm: ['first'] }, { cmdline: ['.+'] }], 'ours come first');
});

t.test('a pattern that would backtrack for ever ends', async (t) => {
  const cmdline = `${'a'.repeat(30_000)}!\0`;
  const { first } = named(t, [{ name: 'x', cmdline: ['^(a+)+$'] }], [{ pid: 1, comm: 'a', cmdline, start: 5 }]);
  t.same(first, { x: 0 });
});

t.test(
  'process-exporter makes the same groups of the same processes',
  { skip: needs('process-exporter') },
  async (t) => {
    const dir = t.testdir();
    const names = ProcessNames.parse([
      { name: '{{.Matches.what}}', exe: ['jdtest-a'], cmdline: ['(?P<what>\\d+)$'] },
      { name: 'by comm {{.Comm}} {{.Username}}', comm: ['jdtest-b'] },
      { name: 'with children', exe: [join(dir, 'jdtest-sh')] },
    ]);
    const file = join(dir, 'names.yaml');
    writeFileSync(file, JSON.stringify({ process_names: names }));
    mkdirSync(join(dir, 'bin'), { recursive: true });
    for (const name of ['jdtest-a', 'jdtest-b']) symlinkSync('/bin/sleep', join(dir, name));
    symlinkSync('/bin/sh', join(dir, 'jdtest-sh'));
    const children = [
      spawn(join(dir, 'jdtest-a'), ['1000']),
      spawn(join(dir, 'jdtest-a'), ['2000']),
      spawn(join(dir, 'jdtest-b'), ['3000']),
      spawn(join(dir, 'jdtest-sh'), ['-c', 'sleep 4000 & sleep 5000 & wait'], { detached: true }),
    ];
    const port = await freePort();
    const exporter = spawn('prometheus-process-exporter', [
      '-web.listen-address',
      `127.0.0.1:${port}`,
      '-config.path',
      file,
    ]);
    t.teardown(() => {
      for (const child of children.slice(0, 3)) child.kill('SIGKILL');
      process.kill(-(children[3]?.pid ?? 0), 'SIGKILL');
      exporter.kill();
    });
    const expected = { 1000: 1, 2000: 1, [`by comm jdtest-b ${userInfo().username}`]: 1, 'with children': 3 };
    const theirs = await eventually('the exporter sees them', async () => {
      const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
      const found = Object.fromEntries(
        [...text.matchAll(/^namedprocess_namegroup_num_procs\{groupname="(.*)"\} (\d+)$/gm)].map(([, name = '', n]) => [
          name,
          Number(n),
        ]),
      );
      return found['with children'] === 3 ? found : undefined;
    });
    const probe = openCollector(new HostFiles('/'), { processes: { names } });
    const ours = groups(probe.collect());
    t.same(ours, expected);
    t.same(theirs, ours);
  },
);
