// Containers on a whole daemon: a pod of its own and a container of a real Docker Engine, by their names, at both paths.
import t from 'tap';
import { nodeNameOf } from '../../src/orchestrator/node/agent.ts';
import { eventually, startDaemon } from '../support/daemon.ts';
import { BUSYBOX, startDockerd } from '../support/dockerd.ts';
import { freePort } from '../support/free-port.ts';
import { needs, needsRoot } from '../support/needs.ts';

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

  const config = `docker: { socket: ${dockerd.socket} }\nprobes: { periodSeconds: 1 }\n`;
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

  await fetch(`${pods}/${name}`, { method: 'DELETE', headers });
  await eventually('the pod has ended, and its counters are still there', async () => {
    const body = await (await fetch(`${daemon.url()}/metrics/cadvisor`)).text();
    const of = (metric: string): boolean => new RegExp(`^${metric}\\{container="main",.*pod="${name}"`, 'm').test(body);
    return (!of('container_last_seen') && of('container_cpu_usage_seconds_total')) || undefined;
  });
});
