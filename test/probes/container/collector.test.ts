// What becomes of containers over time: they end, come back, share networks, and are more than are shown.
import { mkdtempSync, readFileSync, renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { withoutKubeletLabels } from '../../../src/probes/container/metrics.ts';
import { HostFiles } from '../../../src/probes/host-files.ts';
import { eventually } from '../../support/daemon.ts';
import {
  containerId,
  emptyTree,
  HOST_NETNS,
  type OpenContainers,
  openContainers,
  removeGroup,
  sampleLines,
  writeTree,
} from './written-containers.ts';

const A = `/docker/${containerId('a')}`;
const B = `/docker/${containerId('b')}`;
const POD = '3f0c6d6e-1d55-4c1c-9d0a-7c3e5f2b8a10';
const cpu = (usec: number): Record<string, string> => ({
  'cpu.stat': `usage_usec ${usec}\nuser_usec 0\nsystem_usec 0\n`,
});
const killed = (times: number): Record<string, string> => ({
  'memory.events': `low 0\nhigh 0\nmax 9\noom ${times}\noom_kill ${times}\noom_group_kill 0\n`,
});

/** A host that does not let one directory be listed. */
class GuardedHost extends HostFiles {
  refuses: string | undefined;

  override directories(path: string): string[] {
    if (path === this.refuses) throw Object.assign(new Error(`EACCES: ${path}`), { code: 'EACCES' });
    return super.directories(path);
  }
}

t.test('the counters of a container that ended are shown for five minutes, and nothing else of it', async (t) => {
  const root = emptyTree(t);
  const files = { ...cpu(5_000_000), ...killed(2), 'memory.current': '4096\n' };
  writeTree(root, { uptime: 1000, groups: { [A]: { pids: [7], files } }, processes: { 7: { netns: 5 } } });
  const containers = openContainers(root);
  const live = await containers.collect();
  t.same(live.of('container_memory_usage_bytes', { id: A }), [4096]);
  removeGroup(root, A);
  for (const uptime of [1015, 1299]) {
    writeTree(root, { uptime, groups: { [B]: { files: cpu(1) } } });
    const { of } = await containers.collect();
    t.same(of('container_oom_events_total', { id: A }), [2], 'the kills are still there');
    t.same(of('container_cpu_usage_seconds_total', { id: A }), [5]);
    t.same(of('container_network_transmit_packets_total', { id: A }), [6]);
    for (const gauge of ['container_last_seen', 'container_memory_usage_bytes', 'container_processes'])
      t.same(of(gauge, { id: A }), [], `${gauge} has ended`);
    t.same(of('jdos_containers_ended'), [1]);
  }
  writeTree(root, { uptime: 1320, groups: {} });
  t.same((await containers.collect()).of('container_oom_events_total', { id: A }), [], 'after 305 seconds it is gone');
});

t.test('the labels of the living containers are handed to who wants them, by the path of the cgroup', async (t) => {
  const root = emptyTree(t);
  const known: { labels: ReadonlyMap<string, readonly string[]> } = { labels: new Map() };
  writeTree(root, { uptime: 1000, groups: { [A]: { pids: [7] }, [B]: { pids: [8] } }, processes: { 7: {}, 8: {} } });
  const containers = openContainers(root, { known });
  await containers.collect();
  t.same(known.labels.get(A), ['', '', '', A, '', containerId('a').slice(0, 12)]);
  t.same([...known.labels.keys()].sort(), [A, B].sort(), 'slices are none');
  removeGroup(root, A);
  writeTree(root, { uptime: 1015, groups: { [B]: { pids: [8] } }, processes: { 8: {} } });
  await containers.collect();
  t.same([...known.labels.keys()], [B]);
});

t.test('a kill is seen though its container is gone before the next collection', async (t) => {
  const root = emptyTree(t);
  const files = { ...killed(0), 'memory.current': '4096\n' };
  writeTree(root, { uptime: 1000, groups: { [A]: { files } } });
  const containers = openContainers(root);
  t.same((await containers.collect()).of('container_oom_events_total', { id: A }), [0]);
  writeTree(root, { uptime: 1005, groups: { [A]: { files: killed(1) } } });
  await eventually('the kill is seen when it happens', () => killsSaved(containers, A) === 1 || undefined);
  removeGroup(root, A);
  writeTree(root, { uptime: 1015, groups: {} });
  const { of } = await containers.collect();
  t.same(of('container_oom_events_total', { id: A }), [1]);
  t.same(of('container_last_seen', { id: A }), []);
});

t.test('a container that comes back under its id begins anew', async (t) => {
  const root = emptyTree(t);
  writeTree(root, { uptime: 1000, groups: { [A]: { pids: [7], files: { ...cpu(5_000_000), ...killed(1) } } } });
  const containers = openContainers(root);
  await containers.collect();
  removeGroup(root, A);
  writeTree(root, { uptime: 1015, groups: { [B]: {} } });
  await containers.collect();
  writeTree(root, { uptime: 1030, groups: { [A]: { files: { ...cpu(1_000_000), ...killed(0) } } } });
  const { of } = await containers.collect();
  t.same(of('container_cpu_usage_seconds_total', { id: A }), [1]);
  t.same(of('container_oom_events_total', { id: A }), [1], 'but for the kills, which are those of all its lives');
});

t.test('a kill is not lost though its container is started again before the next collection', async (t) => {
  const root = emptyTree(t);
  const life = (times: number, usec: number) => {
    return { files: { ...cpu(usec), ...killed(times), 'memory.current': '4096\n' } };
  };
  writeTree(root, { uptime: 1000, groups: { [A]: life(0, 5_000_000) } });
  const containers = openContainers(root);
  await containers.collect();
  writeTree(root, { uptime: 1005, groups: { [A]: life(1, 6_000_000) } });
  await eventually('the kill is seen when it happens', () => killsSaved(containers, A) === 1 || undefined);
  restart(root, A);
  for (const [uptime, kills, total] of [
    [1015, 0, 1],
    [1030, 1, 2],
    [1045, 1, 2],
  ] as const) {
    writeTree(root, { uptime, groups: { [A]: life(kills, 1_000_000) } });
    const { of } = await containers.collect();
    t.same(of('container_oom_events_total', { id: A }), [total], `at ${uptime}`);
    t.same(of('container_cpu_usage_seconds_total', { id: A }), [1], 'time is that of this life');
  }
  const saved = containers.save();
  const next = openContainers(root, { saved });
  t.same((await next.collect()).of('container_oom_events_total', { id: A }), [2], 'in the same life');
  restart(root, A);
  writeTree(root, { uptime: 1060, groups: { [A]: life(1, 1) } });
  const last = openContainers(root, { saved: next.save() });
  t.same((await last.collect()).of('container_oom_events_total', { id: A }), [3], 'in another one');
});

/** The kills in a container, as they would be handed to the next process. */
const killsSaved = (containers: OpenContainers, id: string): unknown =>
  (containers.save() as { live: { path: string; oom: [string, string[], number][] }[] }).live.find(
    ({ path }) => path === id,
  )?.oom[0]?.[2];

/** Makes a group anew: its directory was made while the old one was there, so that their inodes differ. */
function restart(root: string, path: string): void {
  const anew = mkdtempSync(join(root, 'sys/fs/cgroup/anew-'));
  removeGroup(root, path);
  renameSync(anew, join(root, 'sys/fs/cgroup', path));
}

t.test('another probe process goes on where the last one stopped', async (t) => {
  const root = emptyTree(t);
  const groups = { [A]: { files: { ...cpu(5_000_000), ...killed(2) } }, [B]: { files: killed(3) } };
  writeTree(root, { uptime: 1000, groups });
  const first = openContainers(root);
  await first.collect();
  removeGroup(root, A);
  writeTree(root, { uptime: 1015, groups: { [B]: groups[B] ?? {} } });
  await first.collect();
  const saved = first.save();
  removeGroup(root, B);
  writeTree(root, { uptime: 1030, groups: {} });
  const { of } = await openContainers(root, { saved }).collect();
  t.same(of('container_cpu_usage_seconds_total', { id: A }), [5], 'what had ended before');
  t.same(of('container_oom_events_total', { id: B }), [3], 'what ended between the two, as far as it matters');
  writeTree(root, { uptime: 10, bootId: 'ffffffff-4a5b-4c6d-8e7f-901234567890', groups: {} });
  t.same(
    (await openContainers(root, { saved }).collect()).of('container_oom_events_total'),
    [],
    'but not after a reboot',
  );
  for (const nonsense of [null, 7, {}, { version: 1, bootId: '', ended: 7, live: [] }])
    t.ok((await openContainers(root, { saved: nonsense }).collect()).series > 0);
});

t.test('a network is counted once, and that of the host for the host alone', async (t) => {
  const root = emptyTree(t);
  const C = `/docker/${containerId('c')}`;
  writeTree(root, {
    groups: { [A]: { pids: [7] }, [B]: { pids: [8] }, [C]: { pids: [9] } },
    processes: { 7: { netns: 55, start: 200 }, 8: { netns: 55, start: 100 }, 9: { netns: HOST_NETNS } },
  });
  const { of, samples } = await openContainers(root).collect();
  const lines = samples['container_network_receive_bytes_total'] ?? [];
  t.same(
    lines.map(({ labels }) => [labels['id'], labels['interface']]),
    [
      ['/', 'eth0'],
      [B, 'eth0'],
    ],
    'the first one owns it; loopback and the ends of veths are left out',
  );
  t.same(of('container_network_receive_packets_dropped_total', { id: B }), [4]);
});

t.test("the network of a pod is its sandbox's, or the pod's where nobody says which that is", async (t) => {
  const root = emptyTree(t);
  const [one, two] = [containerId('1'), containerId('2')];
  const pod = `/kubepods/burstable/pod${POD}`;
  const tree = (comm: string) => ({
    groups: { [pod]: {}, [`${pod}/${one}`]: { pids: [7] }, [`${pod}/${two}`]: { pids: [8] } },
    processes: { 7: { netns: 55, start: 100, comm }, 8: { netns: 55, start: 200 } },
  });
  const owner = async (): Promise<unknown> =>
    (await openContainers(root).collect()).samples['container_network_receive_bytes_total']
      ?.filter(({ labels }) => labels['id'] !== '/')
      .map(({ labels }) => [labels['id'], labels['container']]);
  writeTree(root, tree('busybox'));
  t.same(await owner(), [[pod, '']]);
  writeTree(root, tree('pause'));
  t.same(await owner(), [[`${pod}/${one}`, 'POD']]);
});

t.test('processes, files and the first process are those of all groups below', async (t) => {
  const root = emptyTree(t);
  writeTree(root, {
    groups: { [A]: { pids: [] }, [`${A}/init`]: { pids: [7, 8] }, [`${A}/init/deep`]: { pids: [9] } },
    processes: { 7: { start: 300, fds: 4 }, 8: { start: 250, fds: 1000 }, 9: { start: 400, fds: 1 } },
  });
  const { of } = await openContainers(root).collect();
  t.same(of('container_processes', { id: A }), [3]);
  t.same(of('container_file_descriptors', { id: A }), [1005]);
  t.same(of('jdos_container_fd_headroom', { id: A }), [24], 'of the one nearest to its limit');
  t.same(of('container_ulimits_soft', { id: A }), [1024]);
  t.same(of('container_start_time_seconds', { id: A }), [1700000002.5]);
  t.same(of('container_processes', { id: `${A}/init` }), [], 'a group in a container is no container');
});

t.test('processes of another pid namespace are not counted as none', async (t) => {
  const root = emptyTree(t);
  writeTree(root, { groups: { [A]: { pids: [0, 0] } } });
  const { of } = await openContainers(root).collect();
  t.same(of('container_processes', { id: A }), []);
  t.same(of('container_file_descriptors', { id: A }), []);
});

t.test('after a walk that took long the next one waits', async (t) => {
  const root = emptyTree(t);
  const many = Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`/system.slice/${n}.service`, {}]));
  writeTree(root, { uptime: 1000, groups: many });
  const containers = openContainers(root);
  await containers.collect();
  writeTree(root, { uptime: 1000, groups: { [A]: {} } });
  t.same((await containers.collect()).of('container_last_seen', { id: A }), []);
  writeTree(root, { uptime: 1100, groups: {} });
  t.equal((await containers.collect()).of('container_last_seen', { id: A }).length, 1);
});

t.test('containers beyond the limit are counted and not shown, the others stay', async (t) => {
  const root = emptyTree(t);
  writeTree(root, { groups: { [A]: {}, '/system.slice': {}, '/system.slice/ssh.service': {} } });
  const containers = openContainers(root, { max: 1 });
  await containers.collect();
  writeTree(root, { groups: { [A]: {}, [B]: {} }, uptime: 1015 });
  const { of, samples } = await containers.collect();
  t.same(of('container_last_seen', { id: B }), []);
  t.same(of('jdos_containers_dropped'), [1]);
  t.same(
    samples['container_last_seen']?.map(({ labels }) => labels['id']).sort(),
    ['/', '/docker', A, '/system.slice'],
    'services of systemd are in the sum of their slice',
  );
});

t.test('a file that is not what a kernel writes is an error for one container, and absent', async (t) => {
  const root = emptyTree(t);
  writeTree(root, {
    groups: { [A]: { files: { 'memory.current': 'x\n', 'cpu.stat': 'usage_usec\n', 'io.stat': '\n' } } },
  });
  const { of } = await openContainers(root).collect();
  t.same(of('container_memory_usage_bytes', { id: A }), []);
  t.same(of('container_cpu_usage_seconds_total', { id: A }), []);
  t.same(of('container_last_seen', { id: A }), [1700001000]);
  t.same(of('container_scrape_error'), [0]);
  symlinkSync('.', join(root, 'sys/fs/cgroup', A, 'memory.max'));
  t.same((await openContainers(root).collect()).of('container_scrape_error'), [1]);
});

t.test('the host is the root of the tree, from meminfo instead of memory.stat', async (t) => {
  const root = emptyTree(t);
  writeTree(root, { groups: {} });
  const { samples, of } = await openContainers(root).collect();
  t.same(of('container_memory_usage_bytes', { id: '/' }), [600 * 1024]);
  t.same(of('container_memory_working_set_bytes', { id: '/' }), [500 * 1024]);
  t.same(sampleLines(samples['machine_memory_bytes'] ?? [], 'machine_memory_bytes'), ['machine_memory_bytes 1024000']);
  t.same(of('machine_cpu_cores'), [1]);
});

t.test("with cAdvisor's labels the kubelet's are gone, whatever stands in them", async (t) => {
  const line = (name: string): string =>
    `container_x{container="a\\"b",namespace="",pod="p,q=\\\\",id="/docker/1",image="i",name="${name}"} 1\n`;
  t.equal(
    withoutKubeletLabels(`${line('n')}${line('{container=')}machine_x 2\n`),
    `container_x{id="/docker/1",image="i",name="n"} 1\ncontainer_x{id="/docker/1",image="i",name="{container="} 1\nmachine_x 2\n`,
  );
  const goldenText = readFileSync(
    join(import.meta.dirname, '../../golden/exposition/container-debian13-6.12-v2.txt'),
    'utf8',
  );
  const plain = withoutKubeletLabels(goldenText).split('\n');
  t.equal(new Set(plain).size, plain.length, 'and no two series become one');
  t.notMatch(plain.join('\n'), /[{,](container|namespace|pod)="/);
});

t.test(
  'a group in which nothing runs is shown for five minutes after its last process, and never if there was none',
  async (t) => {
    const root = emptyTree(t);
    const files = { 'memory.current': '4096\n' };
    const at = async (uptime: number, pids: readonly number[]): Promise<readonly (readonly number[])[]> => {
      writeTree(root, { uptime, groups: { [A]: { pids, files }, [B]: { pids: [], files } } });
      const { of } = await containers.collect();
      return [A, B].map((id) => of('container_memory_usage_bytes', { id }));
    };
    const containers = openContainers(root);
    t.same(await at(1000, [7]), [[4096], []]);
    t.same(await at(1300, []), [[4096], []]);
    t.same(await at(1301, []), [[], []], 'what a killed runtime left behind is no container');
    t.same(await at(1315, [8]), [[4096], []], 'and one again when a process is in it');
  },
);

t.test('slices are shown as sums up to fifty, in each walk, and those beyond are counted', async (t) => {
  const root = emptyTree(t);
  const groups = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`/s${i}.slice`, { files: cpu(1) }]));
  const containers = openContainers(root);
  for (const uptime of [1000, 1015, 1030]) {
    writeTree(root, { uptime, groups });
    const { of } = await containers.collect();
    t.equal(of('container_cpu_usage_seconds_total').length, 50);
    t.same(of('jdos_slices_dropped'), [10]);
    t.same(of('jdos_cgroup_walk_complete'), [1]);
  }
});

t.test('what may not be looked into has not ended', async (t) => {
  const root = emptyTree(t);
  const inside = `/s.slice/docker-${containerId('a')}.scope`;
  const host = new GuardedHost(root);
  const containers = openContainers(root, { host });
  writeTree(root, { uptime: 1000, groups: { '/s.slice': {}, [inside]: { files: cpu(5_000_000) } } });
  t.same((await containers.collect()).of('container_cpu_usage_seconds_total', { id: inside }), [5]);
  host.refuses = '/sys/fs/cgroup/s.slice';
  writeTree(root, { uptime: 1015, groups: { '/s.slice': {}, [inside]: { files: cpu(6_000_000) } } });
  const { of } = await containers.collect();
  t.same(of('container_cpu_usage_seconds_total', { id: inside }), [6]);
  t.same(of('jdos_containers_ended'), [0]);
  t.same(of('jdos_cgroup_walk_complete'), [0], 'there may be more');
});
