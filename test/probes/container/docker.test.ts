// Containers of a real Docker Engine on this very host: their figures are the engine's and the kernel's, in life and after it.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import t from 'tap';
import { eventually } from '../../support/daemon.ts';
import { BUSYBOX, type Dockerd, startDockerd } from '../../support/dockerd.ts';
import { needs, needsRoot } from '../../support/needs.ts';
import { LaterHost, openContainers } from './written-containers.ts';

const skip = needsRoot() || needs('dockerd', 'busybox');
const MIB = 1024 * 1024;
/** The kernel charges memory to a group in batches per CPU. */
const CHARGED_AHEAD = 2 * MIB;

async function start({ api }: Dockerd, name: string, script: string, more: object = {}): Promise<string> {
  const body = { Image: BUSYBOX, Cmd: ['/bin/sh', '-c', script], ...more };
  const created = await api('POST', `/containers/create?name=${name}`, body);
  const { Id } = created.body as { Id: string };
  const started = await api('POST', `/containers/${Id}/start`);
  if (started.status >= 300) throw new Error(JSON.stringify(started.body));
  return Id;
}

interface State {
  readonly StartedAt: string;
  readonly Pid: number;
  readonly Running: boolean;
}

async function inspect({ api }: Dockerd, id: string): Promise<State & { readonly restarts: number }> {
  const { body } = await api('GET', `/containers/${id}/json`);
  const { State, RestartCount } = body as { State: State; RestartCount: number };
  return { ...State, restarts: RestartCount };
}

/** What `docker stats` is made of. Seconds and bytes. */
async function engineStats(
  { api }: Dockerd,
  id: string,
): Promise<Record<'cpu' | 'throttled' | 'usage' | 'cache', number>> {
  const { body } = await api('GET', `/containers/${id}/stats?stream=false&one-shot=true`);
  const { cpu_stats, memory_stats } = body as {
    cpu_stats: { cpu_usage: { total_usage: number }; throttling_data: { throttled_periods: number } };
    memory_stats: { usage: number; stats: { total_inactive_file?: number; inactive_file: number } };
  };
  return {
    cpu: cpu_stats.cpu_usage.total_usage / 1e9,
    throttled: cpu_stats.throttling_data.throttled_periods,
    usage: memory_stats.usage,
    cache: memory_stats.stats.total_inactive_file ?? memory_stats.stats.inactive_file, // v1, else v2, as the CLI does it
  };
}

/** CPU seconds by the kernel's own file, in v1 or v2. */
function kernelCpu(group: string): number {
  const v1 = `/sys/fs/cgroup/cpuacct${group}/cpuacct.usage`;
  if (existsSync(v1)) return Number(readFileSync(v1, 'utf8')) / 1e9;
  return Number(/usage_usec (\d+)/.exec(readFileSync(`/sys/fs/cgroup${group}/cpu.stat`, 'utf8'))?.[1]) / 1e6;
}

/** How many files each process of a container holds, by looking at every process of the host. */
const openFiles = (id: string): readonly number[] =>
  readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid) && existsSync(`/proc/${pid}/cgroup`))
    .filter((pid) => readFileSync(`/proc/${pid}/cgroup`, 'utf8').includes(id))
    .map((pid) => readdirSync(`/proc/${pid}/fd`).length);

t.test('the containers of a real engine', { skip }, async (t) => {
  const dockerd = await startDockerd(t);
  const sources = { dockerSocket: dockerd.socket, podsDir: undefined };
  const host = new LaterHost('/');
  const containers = openContainers('/', { sources, host });
  const limits = { Memory: 32 * MIB, NanoCpus: 200_000_000, PidsLimit: 50, NetworkMode: 'none' };
  const hog = 'busybox dd if=/dev/zero of=/dev/null bs=64M count=1';
  const web = await start(dockerd, 'web', `${hog}; while :; do :; done`, { HostConfig: limits, Labels: { a: 'b' } });
  const kubernetes = {
    'io.kubernetes.container.name': 'app',
    'io.kubernetes.pod.name': 'web-0',
    'io.kubernetes.pod.namespace': 'shop',
  };
  const app = await start(dockerd, 'k8s_app', 'exec sleep 1000', {
    Labels: kubernetes,
    HostConfig: { NetworkMode: 'host' },
  });

  await t.test('have their names and their limits', async (t) => {
    const { of, samples } = await containers.collect();
    t.same(of('container_spec_memory_limit_bytes', { name: 'web', image: BUSYBOX }), [32 * MIB]);
    t.same(of('container_spec_cpu_quota', { name: 'web' }), [20_000]);
    t.same(of('container_threads_max', { name: 'web' }), [50]);
    t.match(
      samples['container_last_seen']?.find(({ labels }) => labels['id']?.includes(app))?.labels,
      { container: 'app', pod: 'web-0', namespace: 'shop', name: 'k8s_app' },
      "the kubelet's labels are on the series",
    );
    t.same(of('container_network_receive_bytes_total', { name: 'k8s_app' }), [], "the host's network is the host's");
  });

  await t.test('started when Docker says so', async (t) => {
    const { of } = await containers.collect();
    const { StartedAt } = await inspect(dockerd, web);
    const [started = 0] = of('container_start_time_seconds', { name: 'web' });
    t.ok(Math.abs(started - Date.parse(StartedAt) / 1000) < 3, `${started} is about ${StartedAt}`);
  });

  await t.test('use as much CPU as Docker and the kernel say, and are throttled as often', async (t) => {
    const { samples } = await containers.collect();
    const group = samples['container_last_seen']?.find(({ labels }) => labels['name'] === 'web')?.labels['id'] ?? '';
    await eventually('some periods', async () => (await engineStats(dockerd, web)).throttled > 3 || undefined);
    const before = { ...(await engineStats(dockerd, web)), kernel: kernelCpu(group) };
    const { of } = await containers.collect();
    const after = { ...(await engineStats(dockerd, web)), kernel: kernelCpu(group) };
    const [cpu = NaN] = of('container_cpu_usage_seconds_total', { name: 'web', cpu: 'total' });
    const [throttled = NaN] = of('container_cpu_cfs_throttled_periods_total', { name: 'web' });
    t.ok(before.cpu > 0 && before.cpu <= cpu && cpu <= after.cpu, `${before.cpu} <= ${cpu} <= ${after.cpu}`);
    t.ok(before.kernel <= cpu && cpu <= after.kernel, `${before.kernel} <= ${cpu} <= ${after.kernel}, by the file`);
    t.ok(before.throttled <= throttled && throttled <= after.throttled, `${throttled} periods throttled`);
  });

  await t.test('have the working set that `docker stats` shows', async (t) => {
    const cached = 20;
    const script = `busybox dd if=/dev/zero of=/tmp/cached bs=1M count=${cached}; exec sleep 1000`;
    const id = await start(dockerd, 'reader', script, { HostConfig: { NetworkMode: 'none' } });
    const stats = await eventually('the file is written, and in the cache', async () => {
      const now = await engineStats(dockerd, id);
      return now.cache >= cached * MIB ? now : undefined;
    });
    const { of } = await openContainers('/', { sources }).collect();
    const [usage = NaN] = of('container_memory_usage_bytes', { name: 'reader' });
    const [workingSet = NaN] = of('container_memory_working_set_bytes', { name: 'reader' });
    t.ok(Math.abs(usage - stats.usage) <= CHARGED_AHEAD, `usage ${usage}, by Docker ${stats.usage}`);
    const shown = stats.usage - stats.cache;
    t.ok(Math.abs(workingSet - shown) <= CHARGED_AHEAD, `working set ${workingSet}, by Docker ${shown}`);
    t.ok(workingSet < usage - (cached - 1) * MIB, 'it is without the file');
  });

  await t.test('hold as many files as all their processes', async (t) => {
    const script = 'exec 3</dev/null 4</dev/null; sleep 1000 & exec 5</dev/null; sleep 1000 & exec sleep 1000';
    const HostConfig = { NetworkMode: 'none', Ulimits: [{ Name: 'nofile', Soft: 64, Hard: 64 }] };
    const id = await start(dockerd, 'holder', script, { HostConfig });
    const held = await eventually('three processes', () => {
      const files = openFiles(id);
      return files.length === 3 ? files : undefined;
    });
    const { of } = await containers.collect();
    t.same(
      of('container_file_descriptors', { name: 'holder' }),
      [held.reduce((sum, files) => sum + files, 0)],
      `${held.join(' + ')} as /proc/PID/fd lists them`,
    );
    t.same(of('jdos_container_fd_headroom', { name: 'holder' }), [64 - Math.max(...held)]);
    t.same(of('container_ulimits_soft', { name: 'holder' }), [64]);
    t.same(of('container_processes', { name: 'holder' }), [3]);
  });

  await t.test('start again by their restart policy: at another time, with the kills of all lives', async (t) => {
    const HostConfig = { ...limits, RestartPolicy: { Name: 'always' } };
    const id = await start(dockerd, 'again', `${hog}; exec sleep 1000`, { HostConfig });
    const read = async () => {
      const { of } = await containers.collect();
      const [[started], [kills], [cpu]] = [
        of('container_start_time_seconds', { name: 'again' }),
        of('container_oom_events_total', { name: 'again' }),
        of('container_cpu_usage_seconds_total', { name: 'again' }),
      ];
      return { started, kills, cpu };
    };
    const withKills = (kills: number) =>
      eventually(`${kills} kills`, async () => {
        const now = await read();
        return now.kills === kills && now.started !== undefined ? now : undefined;
      });
    const first = await withKills(1);
    process.kill((await inspect(dockerd, id)).Pid, 'SIGKILL');
    await eventually('a restart', async () => {
      const { restarts, Running } = await inspect(dockerd, id);
      return (restarts === 1 && Running) || undefined;
    });
    const second = await withKills(2);
    t.ok((second.started ?? 0) > (first.started ?? Infinity), `${second.started} is after ${first.started}`);
    const { StartedAt } = await inspect(dockerd, id);
    t.ok(Math.abs((second.started ?? 0) - Date.parse(StartedAt) / 1000) < 3, `and about ${StartedAt}`);

    await dockerd.api('POST', `/containers/${id}/stop?t=0`);
    const stopped = await read();
    t.match(stopped, { started: undefined, kills: 2 }, 'stopped, it has no start time any more, and its counters');
    t.ok((stopped.cpu ?? 0) >= (second.cpu ?? Infinity), `${stopped.cpu} s of CPU as last seen`);
    await dockerd.api('POST', `/containers/${id}/start`);
    const third = await withKills(3);
    t.ok((third.started ?? 0) > (second.started ?? Infinity));
    await dockerd.api('DELETE', `/containers/${id}?force=1`);
  });

  await t.test(
    'are killed for want of memory; that is still seen for five minutes after they have ended',
    async (t) => {
      const kills = await eventually('a kill', async () => {
        const { of } = await containers.collect();
        return of('container_oom_events_total', { name: 'web' })[0] || undefined;
      });
      t.equal(kills, 1);
      const { of: ofLive } = await containers.collect();
      for (const name of ['reader', 'holder', 'k8s_app'])
        t.same(ofLive('container_oom_events_total', { name }), [0], `none is ${name}'s`);
      await dockerd.api('DELETE', `/containers/${web}?force=1`);
      for (const later of [0, 150, 295]) {
        host.later = later;
        const { of } = await containers.collect();
        t.same(of('container_last_seen', { name: 'web' }), []);
        t.same(of('container_oom_events_total', { name: 'web' }), [1], `after ${later} s`);
        t.ok((of('container_cpu_usage_seconds_total', { name: 'web' })[0] ?? 0) > 0);
      }
      host.later = 301;
      t.same((await containers.collect()).of('container_oom_events_total', { name: 'web' }), []);
    },
  );

  await t.test('wait, where the kernel says so', async (t) => {
    const hasPressure = readFileSync('/proc/self/mountinfo', 'utf8').includes(' - cgroup2 ');
    const { of } = await containers.collect();
    t.equal(of('container_pressure_cpu_waiting_seconds_total', { name: 'k8s_app' }).length, hasPressure ? 1 : 0);
  });
});
