// Groups by container over a written /proc: whose a process is, how long a name is waited for, and that no counter falls.
import { spawn } from 'node:child_process';
import { mkdirSync, rmdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readLayout } from '../../../src/probes/cgroup/layout.ts';
import type { KnownContainers } from '../../../src/probes/collector.ts';
import { HostFiles } from '../../../src/probes/host-files.ts';
import { eventually } from '../../support/daemon.ts';
import { needsRoot } from '../../support/needs.ts';
import {
  MOUNTS,
  openCollector,
  RefusingHostFiles,
  writeHost,
  type Samples,
  type WrittenProcess,
} from './written-host.ts';

const ID = 'ab'.repeat(32);
const OTHER_ID = 'cd'.repeat(32);
const POD = '/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod3f0c6d6e_1d55_4c1c_9d0a_7c3e5f2b8a10.slice';
const PATH = `${POD}/cri-containerd-${ID}.scope`;
const AGAIN = `${POD}/cri-containerd-${OTHER_ID}.scope`;
const DOCKER = `/system.slice/docker-${ID}.scope`;

/** In the order of the container families: container, namespace, pod, id, image, name. */
const named = (
  path: string,
  container: string,
  namespace = '',
  pod = '',
  name = 'runtime-name',
): [string, string[]] => [path, [container, namespace, pod, path, 'image', name]];
const knows = (...entries: [string, string[]][]): KnownContainers => ({ labels: new Map(entries) });
const WEB = named(PATH, 'web', 'shop', 'web-0');
const IN_WEB = 'container="web",pod="web-0",namespace="shop"';
const BY_ID = `container="${ID}"`;

const group = (metric: string, name: string, more = ''): string =>
  `namedprocess_namegroup_${metric}{groupname="${name}"${more === '' ? '' : `,${more}`}}`;
const user = (samples: Samples, name: string, container = ''): number | undefined =>
  samples.get(group('cpu_seconds_total', name, `${container === '' ? '' : `${container},`}mode="user"`));
const procs = (samples: Samples, name: string, container = ''): number | undefined =>
  samples.get(group('num_procs', name, container));

const INIT: WrittenProcess = { pid: 1, comm: 'init', start: 10 };
const inside = (path: string, more: Partial<WrittenProcess> = {}): WrittenProcess => ({
  pid: 50,
  comm: 'nginx',
  start: 4000,
  cgroup: `0::${path}\n`,
  ...more,
});

/** A host of cgroup v2 that is collected again and again, fifteen seconds apart. */
function openHost(
  dir: string,
  known: KnownContainers | undefined,
  { saved = undefined as unknown, uptime = 1000 } = {},
) {
  writeHost(dir, { uptime, mountinfo: MOUNTS.v2, processes: [INIT] });
  const probe = openCollector(new HostFiles(dir), { saved, ...(known && { known }) });
  return {
    probe,
    at(processes: readonly WrittenProcess[], after = 15): Samples {
      writeHost(dir, { uptime, mountinfo: MOUNTS.v2, processes: [INIT, ...processes] });
      uptime += after;
      return probe.collect();
    },
  };
}

t.test('processes of one name are told apart by their container, those of the host without a new label', async (t) => {
  const { at } = openHost(t.testdir(), knows(WEB));
  const host = { pid: 60, comm: 'nginx', start: 4000, user: 100, fds: 4, fdLimit: 10 };
  at([inside(`${PATH}/below`, { user: 100, fds: 9, fdLimit: 10 }), host]);
  const samples = at([inside(`${PATH}/below`, { user: 150, fds: 9, fdLimit: 10 }), { ...host, user: 130 }]);
  t.equal(user(samples, 'nginx'), 0.3);
  t.equal(user(samples, 'nginx', IN_WEB), 0.5);
  t.equal(procs(samples, 'nginx'), 1);
  t.equal(procs(samples, 'nginx', IN_WEB), 1);
  t.equal(samples.get(`jdos_process_group_fds_headroom{groupname="nginx",${IN_WEB}}`), 1);
  t.equal(samples.get('jdos_process_group_fds_headroom{groupname="nginx"}'), 6);
  t.equal(samples.get('jdos_processes_unreadable{what="cgroup",reason="permission"}'), 0);
});

t.test('whose a process is stands in the hierarchy that is walked', async (t) => {
  const both = `5:cpuset:/\n4:memory:${DOCKER}\n1:name=systemd:/\n0::/elsewhere\n`;
  for (const [mode, cgroup] of [
    ['v2', `0::${DOCKER}\n`],
    ['v1', both],
    ['hybrid', both],
  ] as const) {
    const dir = t.testdir();
    writeHost(dir, { uptime: 1000, mountinfo: MOUNTS[mode], processes: [inside('', { cgroup })] });
    const known = knows(named(DOCKER, '', '', '', 'shop'));
    const samples = openCollector(new HostFiles(dir), { known }).collect();
    t.equal(procs(samples, 'nginx', 'container="shop"'), 1, `${mode}: a container of Docker has its name, and no pod`);
  }
});

t.test('from within a cgroup namespace of its own a container is found by its id', async (t) => {
  const { at } = openHost(t.testdir(), knows(WEB));
  t.equal(procs(at([inside(`/../../${PATH.split('/').slice(-2).join('/')}`)]), 'nginx', IN_WEB), 1);
});

t.test('turned off, or without cgroups, there are the series of process-exporter and no other', async (t) => {
  const dir = t.testdir();
  writeHost(dir, { uptime: 1000, mountinfo: MOUNTS.v2, processes: [inside(PATH)] });
  let read = 0;
  const host = new RefusingHostFiles(dir, (path) => ((read += Number(path.endsWith('/cgroup'))), false));
  const off = openCollector(host, { processes: { containerLabels: false }, known: knows(WEB) }).collect();
  t.equal(procs(off, 'nginx'), 1);
  t.equal(read, 0);
  t.notOk(off.has('jdos_processes_unreadable{what="cgroup",reason="failed"}'), 'what is not asked for is not told');
  writeHost(dir, { uptime: 1000, processes: [inside(PATH)] });
  t.equal(procs(openCollector(new HostFiles(dir), { known: knows(WEB) }).collect(), 'nginx'), 1);
});

t.test('a container that has no name yet is waited for, and nothing of what it does is lost', async (t) => {
  const known = knows();
  const { at } = openHost(t.testdir(), known);
  const born = (user: number): WrittenProcess => inside(PATH, { pid: 51, comm: 'job', start: 101_000, user });
  const first = at([inside(PATH, { user: 100 })]);
  t.equal(procs(first, 'nginx'), undefined, 'it is not taken for one of the host');
  t.equal(procs(first, 'nginx', BY_ID), undefined);
  at([inside(PATH, { user: 150 }), born(20)]);
  known.labels = knows(WEB).labels;
  const samples = at([inside(PATH, { user: 170 }), born(45)]);
  t.equal(user(samples, 'nginx', IN_WEB), 0.7, 'from where it was first seen');
  t.equal(user(samples, 'job', IN_WEB), 0.45, 'from its birth');
  t.notOk([...samples.keys()].some((series) => series.includes(ID)));
});

t.test('a name that does not come is made up for by the id, and what was counted stays where it is', async (t) => {
  const known = knows(named(PATH, '', '', '', ID));
  const { at } = openHost(t.testdir(), known);
  at([inside(PATH, { user: 100 })]);
  t.equal(procs(at([inside(PATH, { user: 110 })]), 'nginx', BY_ID), undefined);
  const byId = at([inside(PATH, { user: 120 })]);
  t.equal(user(byId, 'nginx', BY_ID), 0.2);
  known.labels = knows(WEB).labels;
  const named0 = at([inside(PATH, { user: 150 })]);
  t.equal(user(named0, 'nginx', BY_ID), 0.2, 'it neither falls nor grows');
  t.equal(procs(named0, 'nginx', BY_ID), 0);
  t.equal(user(named0, 'nginx', IN_WEB), 0.3);
  known.labels = new Map();
  t.equal(user(at([inside(PATH, { user: 160 })]), 'nginx', IN_WEB), 0.4, 'a name once known is not lost again');
});

t.test('the groups of a container go five minutes after its last process, those of the host stay', async (t) => {
  const { at } = openHost(t.testdir(), knows(WEB));
  const shell = inside(PATH, { pid: 52, comm: 'sh', user: 7 });
  const host = { pid: 60, comm: 'cron', start: 4000 };
  at([inside(PATH), shell, host]);
  const one = at([inside(PATH)], 400);
  t.equal(procs(one, 'sh', IN_WEB), 0, 'a group ends with its container, not before');
  const still = at([inside(PATH)]);
  t.equal(procs(still, 'sh', IN_WEB), 0);
  at([], 280);
  const ending = at([], 30);
  t.equal(procs(ending, 'nginx', IN_WEB), 0);
  const gone = at([]);
  t.equal(procs(gone, 'nginx', IN_WEB), undefined);
  t.equal(procs(gone, 'sh', IN_WEB), undefined);
  t.equal(procs(gone, 'cron'), 0);
  const back = at([inside(AGAIN, { start: 190_000, user: 4 })]);
  t.equal(procs(back, 'nginx', BY_ID), undefined);
});

t.test('a container that is started again under another id goes on with its series', async (t) => {
  const known = knows(WEB);
  const { at } = openHost(t.testdir(), known);
  at([inside(PATH, { user: 100 })]);
  t.equal(user(at([inside(PATH, { user: 150 })]), 'nginx', IN_WEB), 0.5);
  known.labels = knows(named(AGAIN, 'web', 'shop', 'web-0')).labels;
  t.equal(user(at([inside(AGAIN, { pid: 70, start: 103_000, user: 20 })]), 'nginx', IN_WEB), 0.7);
});

t.test('after execve(2) and in each tenth collection it is looked whose a process is', async (t) => {
  const dir = t.testdir();
  let reads = 0;
  const host = new RefusingHostFiles(dir, (path) => ((reads += Number(path === '/proc/50/cgroup')), false));
  const probe = openCollector(host, { known: knows(WEB) });
  let uptime = 1000;
  const collect = (process: WrittenProcess): Samples => {
    writeHost(dir, { uptime, mountinfo: MOUNTS.v2, processes: [INIT, process] });
    uptime += 15;
    return probe.collect();
  };
  collect(inside('/', { comm: 'runc' })); // pid 50 has its turn in the first collection
  collect(inside(PATH, { comm: 'runc', state: 'Z' }));
  t.equal(reads, 1);
  t.equal(procs(collect(inside(PATH, { comm: 'nginx' })), 'nginx', IN_WEB), 1);
  t.equal(reads, 2);
  for (let i = 0; i < 7; i += 1) collect(inside('/', { comm: 'nginx' }));
  t.equal(reads, 2);
  t.equal(procs(collect(inside('/', { comm: 'nginx' })), 'nginx'), 1, 'it was moved');
  t.equal(reads, 3);
});

t.test('groups of containers count against the limit; those beyond it are one group of the host', async (t) => {
  const processes = Array.from({ length: 6 }, (_, i) => [
    { pid: 100 + i, comm: `p${i}`, start: 10 },
    inside(PATH, { pid: 200 + i, comm: `p${i}` }),
  ]).flat();
  const dir = t.testdir();
  writeHost(dir, { uptime: 1000, mountinfo: MOUNTS.v2, processes });
  const samples = openCollector(new HostFiles(dir), { processes: { maxGroups: 10 }, known: knows(WEB) }).collect();
  t.equal(procs(samples, 'other'), 2);
  t.equal(samples.get('jdos_process_groups_dropped'), 2);
  t.equal([...samples.keys()].filter((series) => series.includes('num_procs')).length, 11);
});

t.test(
  'over a restart of the probe process the series of containers go on, and end when they would have',
  async (t) => {
    const dir = t.testdir();
    const first = openHost(dir, knows(WEB));
    first.at([inside(PATH, { user: 100 })]);
    first.at([inside(PATH, { user: 150 })]);
    const saved = first.probe.save();
    const second = openHost(dir, knows(WEB), { saved, uptime: 1030 });
    t.equal(user(second.at([inside(PATH, { user: 160 })]), 'nginx', IN_WEB), 0.6);
    const third = openHost(dir, knows(), { saved: second.probe.save(), uptime: 1030 + 290 });
    t.equal(procs(third.at([]), 'nginx', IN_WEB), 0);
    t.equal(procs(third.at([]), 'nginx', IN_WEB), undefined);
  },
);

t.test('labels that were turned off are gone at once, and processes go on as those of the host', async (t) => {
  const dir = t.testdir();
  const first = openHost(dir, knows(WEB));
  first.at([inside(PATH, { user: 100 })]);
  const saved = first.probe.save();
  writeHost(dir, { uptime: 1015, mountinfo: MOUNTS.v2, processes: [INIT, inside(PATH, { user: 130 })] });
  const samples = openCollector(new HostFiles(dir), { processes: { containerLabels: false }, saved }).collect();
  t.notOk([...samples.keys()].some((series) => series.includes('container=')));
  t.equal(user(samples, 'nginx'), 0.3);
});

t.test('a container that is known by its id is not waited for again after a restart', async (t) => {
  const dir = t.testdir();
  const first = openHost(dir, undefined);
  for (const user of [100, 110, 120]) first.at([inside(DOCKER, { user })]);
  const second = openHost(dir, undefined, { saved: first.probe.save(), uptime: 1045 });
  const samples = second.at([inside(DOCKER, { user: 150 })]);
  t.equal(user(samples, 'nginx', `container="${ID.slice(0, 12)}"`), 0.5);
});

t.test('the real kernel says whose a process is', { skip: needsRoot() }, async (t) => {
  const { tree } = readLayout(new HostFiles('/'));
  const path = `/docker/${process.pid.toString(16).padStart(64, '0')}`;
  const directory = join(tree, path);
  try {
    mkdirSync(directory, { recursive: true });
  } catch (error) {
    return t.comment(`no group can be made: ${String(error)}`);
  }
  t.teardown(() => eventually('the group is removed', () => (rmdirSync(directory), true)));
  const program = join(t.testdir(), 'jdos-inside');
  symlinkSync('/bin/sleep', program);
  const [inside, outside] = [0, 1].map(() => spawn(program, ['300'], { stdio: 'ignore' }));
  for (const child of [inside, outside]) t.teardown(() => child?.kill('SIGKILL'));
  writeFileSync(join(directory, 'cgroup.procs'), String(inside?.pid));
  const probe = openCollector(new HostFiles('/'), {
    processes: { maxGroups: 10_000 },
    known: knows(named(path, '', '', '', 'shop')),
  });
  const samples = await eventually('both run their program', () => {
    const now = probe.collect();
    return procs(now, 'jdos-inside') === 1 && procs(now, 'jdos-inside', 'container="shop"') === 1 ? now : undefined;
  });
  t.equal(samples.get(group('num_threads', 'jdos-inside', 'container="shop"')), 1);
});
