// Containers of a real Docker Engine on this very host: their names, their figures, and what is left after their end.
import { readFileSync } from 'node:fs';
import t from 'tap';
import { eventually } from '../../support/daemon.ts';
import { BUSYBOX, type Dockerd, startDockerd } from '../../support/dockerd.ts';
import { needs, needsRoot } from '../../support/needs.ts';
import { openContainers } from './written-containers.ts';

const skip = needsRoot() || needs('dockerd', 'busybox');

async function start({ api }: Dockerd, name: string, script: string, more: object = {}): Promise<string> {
  const body = { Image: BUSYBOX, Cmd: ['/bin/sh', '-c', script], ...more };
  const created = await api('POST', `/containers/create?name=${name}`, body);
  const { Id } = created.body as { Id: string };
  const started = await api('POST', `/containers/${Id}/start`);
  if (started.status >= 300) throw new Error(JSON.stringify(started.body));
  return Id;
}

t.test('the containers of a real engine', { skip }, async (t) => {
  const dockerd = await startDockerd(t);
  const containers = openContainers('/', { sources: { dockerSocket: dockerd.socket, podsDir: undefined } });
  const limits = { Memory: 32 * 1024 * 1024, NanoCpus: 200_000_000, PidsLimit: 50, NetworkMode: 'none' };
  const hog = 'busybox dd if=/dev/zero of=/dev/null bs=64M count=1; while :; do :; done';
  const web = await start(dockerd, 'web', hog, { HostConfig: limits, Labels: { a: 'b' } });
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
    t.same(of('container_spec_memory_limit_bytes', { name: 'web', image: BUSYBOX }), [32 * 1024 * 1024]);
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
    const { body } = await dockerd.api('GET', `/containers/${web}/json`);
    const { StartedAt, Pid } = (body as { State: { StartedAt: string; Pid: number } }).State;
    const [started = 0] = of('container_start_time_seconds', { name: 'web' });
    t.ok(Math.abs(started - Date.parse(StartedAt) / 1000) < 3, `${started} is about ${StartedAt}`);
    const [fds = 0] = of('container_file_descriptors', { name: 'web' });
    t.ok(fds > 0 && fds < 100, `${fds} files, one of the processes is ${Pid}`);
  });

  await t.test('are throttled, and killed for want of memory; that is still seen after they have ended', async (t) => {
    const seen = await eventually('a kill and throttling', async () => {
      const { of } = await containers.collect();
      const [kills = 0] = of('container_oom_events_total', { name: 'web' });
      const [throttled = 0] = of('container_cpu_cfs_throttled_periods_total', { name: 'web' });
      return kills > 0 && throttled > 3 ? { kills, throttled } : undefined;
    });
    t.equal(seen.kills, 1);
    await dockerd.api('DELETE', `/containers/${web}?force=1`);
    const { of } = await containers.collect();
    t.same(of('container_last_seen', { name: 'web' }), []);
    t.same(of('container_oom_events_total', { name: 'web' }), [1]);
    t.ok((of('container_cpu_usage_seconds_total', { name: 'web' })[0] ?? 0) > 0);
  });

  await t.test('wait, where the kernel says so', async (t) => {
    const hasPressure = readFileSync('/proc/self/mountinfo', 'utf8').includes(' - cgroup2 ');
    const { of } = await containers.collect();
    t.equal(of('container_pressure_cpu_waiting_seconds_total', { name: 'k8s_app' }).length, hasPressure ? 1 : 0);
  });
});
