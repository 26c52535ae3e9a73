// The collector of containers on recorded hosts: cgroup v1, v2 and both, of two kernels.
import t from 'tap';
import { golden } from '../../support/golden.ts';
import { RECORDED_HOSTS, unpackHosts } from '../../support/host-archive.ts';
import { openContainers } from './written-containers.ts';

/** One container each: with a limit on everything and a disk, and one network interface. */
const MOST_SERIES = 75;

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

const DOCKER = 'debian12-6.18-hybrid-docker';

t.test('containers that Docker made on a hybrid host have their pressure and their throttling', async (t) => {
  const { of } = await openContainers(unpackHosts(t, DOCKER)).collect();
  const web = { name: '2e3ee01e75c6' };
  t.same(of('container_oom_events_total', web), [1]);
  t.ok((of('container_cpu_cfs_throttled_periods_total', web)[0] ?? 0) > 10);
  t.ok((of('jdos_container_cpu_throttled_local_seconds_total', web)[0] ?? 0) > 1);
  t.ok((of('container_pressure_cpu_waiting_seconds_total', web)[0] ?? 0) > 1, 'from the v2 side');
  t.same(of('container_spec_cpu_shares', web), [512]);
  t.same(of('jdos_container_cpus', { name: 'f36910ee94a5' }), [1]);
  t.same(of('jdos_cgroup_info', { mode: 'hybrid' }), [1]);
});

for (const name of [...RECORDED_HOSTS, DOCKER]) {
  t.test(`${name} gives the same samples for ever`, async (t) => {
    const containers = openContainers(unpackHosts(t, name, 'names'));
    const first = await containers.collect();
    const lines = first.text.split('\n').filter((line) => line !== '' && !line.startsWith('jdos_cgroup_walk_seconds'));
    // In which order a directory is listed is the file system's.
    await golden(t, `exposition/container-${name}.txt`, `${lines.toSorted().join('\n')}\n`);
  });
}

for (const name of RECORDED_HOSTS) {
  t.test(`what was done in the containers of ${name} is seen`, async (t) => {
    const { of, samples } = await openContainers(unpackHosts(t, name, 'names')).collect();
    const web = { name: '1111aaaa2222' };
    const [usage = 0] = of('container_cpu_usage_seconds_total', web);
    const [user = 0, system = 0] = [
      of('container_cpu_user_seconds_total', web),
      of('container_cpu_system_seconds_total', web),
    ].flat();
    t.ok(usage > 1 && user + system <= usage + 0.1, `${user} + ${system} s of ${usage} s CPU`);
    const [periods = 0] = of('container_cpu_cfs_periods_total', web);
    const [throttled = 0] = of('container_cpu_cfs_throttled_periods_total', web);
    t.ok(throttled > 10 && throttled <= periods, `throttled in ${throttled} of ${periods} periods`);
    t.same(of('container_spec_cpu_quota', web), [20000]);
    t.same(of('container_spec_memory_limit_bytes', web), [32 * 1024 * 1024]);
    t.same(of('container_oom_events_total', web), [1], 'one was killed for want of memory');
    t.same(of('jdos_container_forks_refused_total', web), [1], 'one was not forked');
    t.same(of('container_threads_max', web), [20]);
    t.ok(sum(of('container_network_transmit_bytes_total', web)) > 0, 'it sent something');
    const app = { container: 'app', pod: 'cart-7d9c5b8f4-x2x7k', namespace: 'shop' };
    const [read] = of('container_fs_reads_bytes_total', app);
    if (name.endsWith('v2')) t.ok((read ?? 0) >= 24 * 1024 * 1024, 'it read 24 MB of a disk');
    else t.equal(read, undefined, 'these kernels count no I/O on v1 and write 0, which is not true');
    t.same(
      samples['container_fs_reads_bytes_total']?.map(({ labels }) => labels['device']).filter((d) => d !== '/dev/vda'),
      [],
    );
    const working = of('container_memory_working_set_bytes', app)[0] ?? NaN;
    const inactive = of('container_memory_total_inactive_file_bytes', app)[0] ?? NaN;
    t.equal(working, Math.max(0, (of('container_memory_usage_bytes', app)[0] ?? NaN) - inactive));
    const sent = samples['container_network_transmit_bytes_total']?.filter(({ labels }) => labels['pod'] === app.pod);
    t.same(
      sent?.map(({ labels }) => labels['container']),
      ['POD'],
      "the sandbox owns the pod's network",
    );
    t.same(of('container_file_descriptors', app).length, 1);
    t.same(of('jdos_container_cpus', { name: 'main' }), [1]);
  });

  t.test(`no container of ${name} has more than ${MOST_SERIES} series`, async (t) => {
    const { samples } = await openContainers(unpackHosts(t, name)).collect();
    const counts = new Map<string, number>();
    for (const { labels } of Object.values(samples).flat()) {
      const id = labels['id'] ?? '';
      if (/[0-9a-f]{64}/.test(id)) counts.set(id, (counts.get(id) ?? 0) + 1);
    }
    t.equal(counts.size, 4);
    for (const [id, count] of counts) t.ok(count <= MOST_SERIES && count >= 35, `${id.slice(-20)} has ${count}`);
  });
}
