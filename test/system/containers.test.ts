// Containers on a whole daemon: a pod of its own and a container of a real Docker Engine, by their names, at both paths.
import t from 'tap';
import { nodeNameOf } from '../../src/orchestrator/node/agent.ts';
import { eventually, startDaemon } from '../support/daemon.ts';
import { askDashboard, dashboards, expressionsOf, substitute } from '../support/dashboards.ts';
import { BUSYBOX, startDockerd } from '../support/dockerd.ts';
import { freePort } from '../support/free-port.ts';
import { needs, needsRoot } from '../support/needs.ts';
import { startPrometheus } from '../support/prometheus.ts';

const skip = needsRoot() || needs('dockerd', 'busybox');

t.test('a pod of the daemon and a container of Docker have their names', { skip }, async (t) => {
  const dockerd = await startDockerd(t);
  const name = `jdos-test-${process.pid}`;
  const created = await dockerd.api('POST', `/containers/create?name=${name}`, {
    Image: BUSYBOX,
    Cmd: ['sleep', '1000'],
    HostConfig: { NetworkMode: 'none' },
  });
  const { Id } = created.body as { Id: string };
  await dockerd.api('POST', `/containers/${Id}/start`);

  const config = `docker: { socket: ${dockerd.socket} }\nprobes: { periodSeconds: 1, budget: { cpuRatio: 1 } }\n`;
  const daemon = startDaemon(t, { config, listenTls: `127.0.0.1:${await freePort()}` });
  await daemon.until(/first report/);
  const pods = `${daemon.url()}/api/v1/namespaces/default/pods`;
  const headers = { authorization: `Bearer ${daemon.token}`, 'content-type': 'application/json' };
  const pod = {
    metadata: { name },
    spec: {
      nodeName: nodeNameOf(),
      runtimeClassName: 'process',
      terminationGracePeriodSeconds: 0,
      containers: [{ name: 'main', command: ['sleep', '1000'] }],
    },
  };
  const posted = await fetch(pods, { method: 'POST', headers, body: JSON.stringify(pod) });
  t.equal(posted.status, 201);

  await eventually('both are seen', async () => {
    const body = await (await fetch(`${daemon.url()}/metrics/cadvisor`)).text();
    const ours = `^container_processes\\{container="main",namespace="default",pod="${name}",.*\\} 1$`;
    const dockers = `^container_processes\\{.*image="${BUSYBOX}",name="${name}"\\} 1$`;
    return [ours, dockers].every((line) => new RegExp(line, 'm').test(body)) || undefined;
  });
  const plain = await (await fetch(`${daemon.url()}/metrics/container`)).text();
  t.match(
    plain,
    new RegExp(`^container_processes\\{id="[^"]*${Id}[^"]*",image="${BUSYBOX}",name="${name}"\\} 1$`, 'm'),
  );

  await eventually('their processes are groups of their own', async () => {
    const body = await (await fetch(`${daemon.url()}/metrics/process`)).text();
    const procs = 'namedprocess_namegroup_num_procs\\{groupname="sleep"';
    const ours = `^${procs},container="main",pod="${name}",namespace="default"\\} 1$`;
    const dockers = `^${procs},container="${name}"\\} 1$`;
    return [ours, dockers].every((line) => new RegExp(line, 'm').test(body)) || undefined;
  });

  await fetch(`${pods}/${name}`, { method: 'DELETE', headers });
  await eventually('the pod has ended, and its counters are still there', async () => {
    const body = await (await fetch(`${daemon.url()}/metrics/cadvisor`)).text();
    const of = (metric: string): boolean => new RegExp(`^${metric}\\{container="main",.*pod="${name}"`, 'm').test(body);
    return (!of('container_last_seen') && of('container_cpu_usage_seconds_total')) || undefined;
  });
});

t.test(
  'the dashboard of containers shows a kill and a restart, also after the end of the container',
  { skip: skip || needs('prometheus') },
  async (t) => {
    const dockerd = await startDockerd(t);
    const config = `docker: { socket: ${dockerd.socket} }\nprobes: { periodSeconds: 1, budget: { cpuRatio: 1 } }\n`;
    const daemon = startDaemon(t, { config });
    await daemon.until(/first report/);
    const prometheus = await startPrometheus(t, { all: new URL(`${daemon.url()}/metrics`) });
    const name = `jdos-killed-${process.pid}`;
    const hog = 'sleep 5; busybox dd if=/dev/zero of=/dev/null bs=64M count=1; while :; do :; done';
    const created = await dockerd.api('POST', `/containers/create?name=${name}`, {
      Image: BUSYBOX,
      Cmd: ['/bin/sh', '-c', hog],
      HostConfig: {
        NetworkMode: 'none',
        Memory: 32 * 1024 * 1024,
        NanoCpus: 100_000_000,
        PidsLimit: 20,
        RestartPolicy: { Name: 'always' },
      },
    });
    const { Id } = created.body as { Id: string };
    const path = `/containers/${Id}`;
    await dockerd.api('POST', `${path}/start`);

    const dashboard = dashboards().get('container.json');
    if (dashboard === undefined) throw new Error('no dashboard of containers');
    const values = { job: 'all', name, __rate_interval: '10s', __range: '1m' };
    const ask = async (where: string): Promise<number> => {
      const first = expressionsOf(dashboard).find((expression) => expression.where === where);
      const [sample] = await prometheus.query(substitute(first?.promql ?? '', values));
      return Math.round(sample?.value ?? 0);
    };
    const shows = (where: string, value: number): Promise<true> =>
      eventually(`${where} is ${value}`, async () => ((await ask(where)) === value ? true : undefined));

    await shows('OOM kills, 5 min', 1);
    await shows('OOM kills by container', 1);
    t.equal(await ask('Restarts, 1 h'), 0);
    const { body } = await dockerd.api('GET', `${path}/json`);
    process.kill((body as { State: { Pid: number } }).State.Pid, 'SIGKILL');
    await shows('Restarts, 1 h', 1);
    await shows('Restarts within an hour', 1);
    const counted = async (): Promise<number | undefined> =>
      (await prometheus.query(`container_oom_events_total{name="${name}"}`))[0]?.value;
    // The dashboard may say 2 before: `increase` extrapolates.
    await eventually('the second kill is counted', async () => ((await counted()) === 2 ? true : undefined));
    const { empty } = await askDashboard(prometheus, dashboard, values);
    const lacks = ['Received and sent', 'Read and written', 'Operations']; // it has no network, and may not have touched a device
    t.same(
      empty.filter((one) => !lacks.some((title) => one.startsWith(title))),
      [],
      'and all else that it shows',
    );

    await dockerd.api('DELETE', `${path}?force=1`);
    await eventually('it has ended', async () => {
      return (await prometheus.query(`container_last_seen{name="${name}"}`)).length === 0 || undefined;
    });
    // How many depends on what Prometheus saw first, and on how it extrapolates over the minutes before that.
    t.ok((await ask('OOM kills, 5 min')) >= 1, 'the kills are still shown');
    t.ok((await ask('OOM kills by container')) >= 1);
    t.equal(await counted(), 2, 'and all of them are in the counter');
  },
);
