// What is the docker runtime's own: what it asks of the engine, what it survives, and what it leaves alone.
import { mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import type { Container, Pod, PodSpec } from '../../../src/orchestrator/objects/pod.ts';
import type { Runtime } from '../../../src/orchestrator/runtimes/runtime.ts';
import { clear, codeOf, ended, find, logOf, run, scriptPod, SLEEP } from '../../contracts/runtime.ts';
import { eventually, privateDirectory } from '../../support/daemon.ts';
import { BUSYBOX, busyboxTar, type Dockerd, startDockerd } from '../../support/dockerd.ts';
import { needs, needsRoot } from '../../support/needs.ts';
import { startRegistry } from '../../support/registry.ts';
import { INSTALLATION, onDocker } from './on-docker.ts';

const skip = needsRoot() || needs('dockerd', 'busybox');

interface Inspected {
  readonly Name: string;
  readonly Config: Readonly<Record<string, unknown>> & { readonly Labels: Readonly<Record<string, string>> };
  readonly HostConfig: Readonly<Record<string, unknown>>;
}

const inspect = async ({ api }: Dockerd, id: string): Promise<Inspected> =>
  (await api('GET', `/containers/${id}/json`)).body as Inspected;

const pod = (script: string, more: Partial<Container> = {}, spec: Partial<PodSpec> = {}): Pod =>
  scriptPod(script, { image: BUSYBOX, ...more }, spec);

t.test('docker', { skip }, async (t) => {
  const dockerd = await startDockerd(t, { liveRestore: true });
  const open = onDocker(t, dockerd);
  const runtime = open();
  const under = { runtime };
  const running = async (wanted: Pod): Promise<string> => (await run(under, wanted)).id;
  const said = async (wanted: Pod, env: Parameters<typeof run>[3] = []): Promise<string> => {
    const { id } = await run(under, wanted, 0, env);
    await ended(runtime, id);
    return logOf(runtime, id);
  };

  t.test('the pause container holds the namespaces, the container is within them', async (t) => {
    const wanted = pod(SLEEP, {
      resources: { requests: { cpu: '100m', memory: '64Mi' }, limits: { cpu: '200m', memory: '64Mi' } },
    });
    const { id, sandboxId, warnings } = await run(under, wanted);
    const [pause, main] = [await inspect(dockerd, sandboxId), await inspect(dockerd, id)];
    const { name, uid } = wanted.metadata;
    t.equal(pause.Name, `/k8s_POD_${name}_default_${uid}_0`);
    t.equal(main.Name, `/k8s_main_${name}_default_${uid}_0`);
    const labels = {
      'io.kubernetes.pod.name': name,
      'io.kubernetes.pod.namespace': 'default',
      'io.kubernetes.pod.uid': uid,
      'jdos.io/attempt': '0',
      'jdos.io/installation': INSTALLATION,
    };
    t.match(pause.Config.Labels, {
      ...labels,
      'io.kubernetes.docker.type': 'podsandbox',
      'io.kubernetes.container.name': 'POD',
    });
    t.match(main.Config.Labels, {
      ...labels,
      'io.kubernetes.docker.type': 'container',
      'io.kubernetes.container.name': 'main',
      'io.kubernetes.sandbox.id': sandboxId,
    });
    const common = {
      RestartPolicy: { Name: 'no' },
      LogConfig: { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '2' } },
    };
    t.match(pause.HostConfig, { ...common, NetworkMode: 'none', IpcMode: 'shareable', CpuShares: 2 });
    t.match(main.HostConfig, {
      ...common,
      NetworkMode: `container:${sandboxId}`,
      IpcMode: `container:${sandboxId}`,
      CpuShares: 102,
      CpuPeriod: 100_000,
      CpuQuota: 20_000,
      Memory: 64 * 1024 * 1024,
      MemorySwap: 64 * 1024 * 1024,
      PidsLimit: 4096,
      Privileged: false,
    });
    t.same(main.Config['Healthcheck'], { Test: ['NONE'] });
    t.match(main.HostConfig['Binds'] ?? null, null);
    t.same(
      warnings.filter((text) => !/swap|OOM score/i.test(text)),
      [],
      'the engine did not discard a limit',
    );
    await clear(runtime);
  });

  t.test('a negative OOM score is set, or its refusal is a warning and nothing worse', async (t) => {
    const resources = { limits: { cpu: '100m', memory: '64Mi' }, requests: { cpu: '100m', memory: '64Mi' } };
    const guaranteed = pod(SLEEP, { resources });
    const { id: sandboxId, warnings } = await runtime.createSandbox(guaranteed, 0);
    const main = await run(under, guaranteed);
    const [pauseScore, score] = await Promise.all(
      [sandboxId, main.id].map(async (id) => (await inspect(dockerd, id)).HostConfig['OomScoreAdj']),
    );
    const isRefused = pauseScore === 0;
    t.equal(score, isRefused ? 0 : -997);
    if (!isRefused) t.equal(pauseScore, -998);
    t.equal(
      warnings.some((text) => text.includes('-998')),
      isRefused,
    );
    t.equal(
      main.warnings.some((text) => text.includes('-997')),
      isRefused,
    );
    t.equal((await runtime.list()).sandboxes.length, 1);
    await clear(runtime);
  });

  t.test('images come as the pull policy says, and their absence is told apart', async (t) => {
    const absent = { image: 'localhost:1/no/such:1' };
    t.equal(await codeOf(running(pod('', { ...absent, imagePullPolicy: 'Never' }))), 'JD_IMAGE_NEVER_PULL');
    t.equal(await codeOf(running(pod('', { ...absent, imagePullPolicy: 'IfNotPresent' }))), 'JD_IMAGE_PULL_FAILED');
    t.equal(await codeOf(running(pod('', { image: 'Not A Name' }))), 'JD_IMAGE_NAME_INVALID');
    const always = { image: 'localhost:1/busybox:1', imagePullPolicy: 'Always' } as const;
    await dockerd.api('POST', '/images/busybox:1/tag?repo=localhost:1/busybox&tag=1');
    t.equal(await codeOf(running(pod('', always))), 'JD_IMAGE_PULL_FAILED', 'although it is there');
    t.equal(await codeOf(running(pod(SLEEP, { ...always, imagePullPolicy: 'Never' }))), 'no fault');
    t.equal((await runtime.list()).containers.length, 1, 'nothing was made of the others');
    await clear(runtime);
  });

  t.test('an image is pulled from its registry, once or at each start', async (t) => {
    const { host, pulled } = await startRegistry(t, busyboxTar());
    const image = `${host}/team/tools:1`;
    const speak = (policy: Container['imagePullPolicy']): Promise<string> =>
      said(pod('echo pulled', { image, ...(policy === undefined ? {} : { imagePullPolicy: policy }) }));
    t.equal(await speak('IfNotPresent'), 'pulled\n');
    const first = pulled.length;
    t.ok(first > 0);
    t.equal(await speak('IfNotPresent'), 'pulled\n');
    t.equal(pulled.length, first, 'what is there is not asked for');
    t.equal(await speak('Always'), 'pulled\n');
    t.ok(pulled.length > first);
    const unknown = running(pod('', { image: `${host}/team/tools:2` }));
    t.match(await unknown.catch((error: unknown) => error), {
      code: 'JD_IMAGE_PULL_FAILED',
      cause: { message: /manifest.*unknown/ },
    });
    await clear(runtime);
  });

  t.test('without a pause image nothing is started, and what to do is said', async (t) => {
    const none = open({ pauseImage: undefined });
    t.match(await none.check(), { state: 'limited', remedy: /docker\.pauseImage/ });
    t.equal(await codeOf(none.createSandbox(pod(SLEEP), 0)), 'JD_PAUSE_IMAGE_MISSING');
    const wrong = open({ pauseImage: 'localhost:1/pause:3' });
    t.match(await wrong.check(), { state: 'limited', reason: /localhost:1\/pause:3/ });
    t.equal(await codeOf(wrong.createSandbox(pod(SLEEP), 0)), 'JD_PAUSE_IMAGE_MISSING');
    t.match(await runtime.check(), { state: 'available', summary: /^Docker \d/ });
    t.same((await runtime.list()).sandboxes, []);
  });

  t.test('two installations on one engine do not see or touch what is the other’s', async (t) => {
    const other = open({ installation: '22222222-2222-2222-2222-222222222222' });
    const wanted = pod(SLEEP);
    const { id, sandboxId } = await run(under, wanted);
    t.same(await other.list(), { sandboxes: [], containers: [] });
    t.equal(await codeOf(other.stopContainer(id, 0)), 'JD_CONTAINER_FOREIGN');
    t.equal(await codeOf(other.removeContainer(id)), 'JD_CONTAINER_FOREIGN');
    t.equal(await codeOf(other.removeSandbox(sandboxId)), 'JD_CONTAINER_FOREIGN');
    t.equal(await codeOf(other.createSandbox(wanted, 0)), 'JD_CONTAINER_FOREIGN');
    t.equal((await find(runtime, id))?.state, 'running');
    await clear(runtime);
  });

  t.test('command and args take the place of the image’s own', async (t) => {
    const image = 'spoken:1';
    const made = await dockerd.api('POST', '/containers/create', {
      Image: BUSYBOX,
      Entrypoint: ['/bin/echo', 'entry'],
      Cmd: ['cmd'],
    });
    const { Id } = made.body as { Id: string };
    await dockerd.api('POST', `/commit?container=${Id}&repo=spoken&tag=1`, {});
    await dockerd.api('DELETE', `/containers/${Id}`);
    const words = (more: Pick<Container, 'command' | 'args'>): Promise<string> => {
      const { containers, ...spec } = pod('').spec;
      const [{ command: _, ...main }] = containers as readonly [Container];
      return said(scriptPod('', {}, { ...spec, containers: [{ ...main, image, ...more }] }));
    };
    t.equal(await words({}), 'entry cmd\n');
    t.equal(await words({ args: ['args'] }), 'entry args\n');
    t.equal(await words({ command: ['/bin/echo', 'command'] }), 'command\n');
    t.equal(await words({ command: ['/bin/echo'], args: ['both'] }), 'both\n');
    await clear(runtime);
  });

  t.test('security contexts are enforced', async (t) => {
    const status = (more: Partial<Container>): Promise<string> => said(pod('cat /proc/self/status; touch /x', more));
    const plain = await status({});
    t.notMatch(plain, /Read-only/);
    t.match(plain, /NoNewPrivs:\t0/);
    t.match(plain, /Seccomp:\t2/, 'docker’s own profile');
    const strict = await status({
      securityContext: {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] },
      },
    });
    t.match(strict, /Read-only file system/);
    t.match(strict, /NoNewPrivs:\t1/);
    t.match(strict, /CapEff:\t0000000000000400/);
    const nonRoot = { runAsNonRoot: true };
    t.equal(await codeOf(running(pod('', { securityContext: nonRoot }))), 'JD_RUN_AS_NON_ROOT');
    t.match(await said(pod('id', { securityContext: { ...nonRoot, runAsUser: 65534 } })), /uid=65534/);
    const profile = { seccompProfile: { type: 'Localhost', localhostProfile: 'x' } };
    t.equal(await codeOf(running(pod('', { securityContext: profile }))), 'JD_RUNTIME_CANNOT');
    await clear(runtime);
  });

  t.test('the pod’s name is its host name, and hostNetwork is the host’s network', async (t) => {
    const own = pod('hostname; ls /sys/class/net');
    t.equal(await said(own), `${own.metadata.name}\nlo\n`);
    const shared = await said(pod('ls -l /proc/self/ns/net', {}, { hostNetwork: true }));
    t.match(
      shared,
      new RegExp(/net:\[\d+\]/.exec(readlinkSync('/proc/self/ns/net'))?.[0].replaceAll(/[[\]]/g, '\\$&') ?? 'none'),
    );
    const { warnings } = await runtime.createSandbox(
      pod(SLEEP, { ports: [{ containerPort: 80, protocol: 'TCP' }] }),
      0,
    );
    t.match(warnings.join(), /ports 80.*no network/);
    await clear(runtime);
  });

  t.test('emptyDir is shared by the containers of a pod, lives through restarts, and goes with the pod', async (t) => {
    const volumes = [
      { name: 'disk', emptyDir: {} },
      { name: 'memory', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
    ];
    const volumeMounts = [
      { name: 'disk', mountPath: '/disk' },
      { name: 'memory', mountPath: '/memory' },
    ];
    const securityContext = { runAsUser: 1234 };
    const write = pod(
      'echo disk >/disk/a; echo memory >/memory/a; mount; stat -c "%g of the group" /disk/a',
      { volumeMounts, securityContext },
      { volumes, securityContext: { fsGroup: 4242 } },
    );
    const first = await run(under, write);
    await ended(runtime, first.id);
    const log = await logOf(runtime, first.id);
    t.match(log, /^tmpfs on \/memory type tmpfs \(.*size=1024k/m);
    t.match(log, /^4242 of the group$/m);
    const read: Container = {
      ...(write.spec.containers[0] as Container),
      name: 'reader',
      command: ['sh', '-c', 'cat /disk/a /memory/a'],
    };
    await runtime.removeContainer(first.id);
    const second = await runtime.startContainer({
      pod: write,
      container: read,
      attempt: 0,
      sandboxId: first.sandboxId,
      env: [],
    });
    await ended(runtime, second.id);
    t.equal(await logOf(runtime, second.id), 'disk\nmemory\n');
    const left = async (): Promise<unknown> =>
      ((await dockerd.api('GET', '/volumes')).body as { Volumes: unknown }).Volumes;
    t.match(await left(), [{ Name: `jdos_${write.metadata.uid}_memory` }]);
    await clear(runtime);
    t.same((await left()) ?? [], []);
  });

  t.test('hostPath is what the host has there, of the kind that was asked for', async (t) => {
    const dir = privateDirectory(t);
    writeFileSync(join(dir, 'file'), 'from the host\n');
    mkdirSync(join(dir, 'sub'));
    const mounting = (path: string, type: string, script = 'ls -l /host', readOnly = false): Pod =>
      pod(
        script,
        { volumeMounts: [{ name: 'host', mountPath: '/host', readOnly }] },
        { volumes: [{ name: 'host', hostPath: { path, type } }] },
      );
    t.equal(await said(mounting(join(dir, 'file'), 'File', 'cat /host')), 'from the host\n');
    t.match(await said(mounting(dir, '', 'touch /host/new', true)), /Read-only/);
    await said(mounting(join(dir, 'made', 'deep'), 'DirectoryOrCreate', 'touch /host/new'));
    t.same(readdirSync(join(dir, 'made', 'deep')), ['new']);
    for (const [path, type] of [
      ['sub', 'File'],
      ['file', 'Directory'],
      ['nothing', 'Directory'],
      ['file', 'Socket'],
    ] as const)
      t.equal(await codeOf(running(mounting(join(dir, path), type))), 'JD_HOST_PATH_UNFIT', `${path} is no ${type}`);
    t.equal(await codeOf(running(mounting(join(dir, 'nothing'), ''))), 'JD_DOCKER_REFUSED');
    const subPath = pod(
      SLEEP,
      { volumeMounts: [{ name: 'v', mountPath: '/v', subPath: 'a' }] },
      { volumes: [{ name: 'v', emptyDir: {} }] },
    );
    t.equal(await codeOf(running(subPath)), 'JD_RUNTIME_CANNOT');
    await clear(runtime);
  });

  t.test('who takes more memory than it may is OOMKilled', async (t) => {
    const resources = { limits: { memory: '16Mi' } };
    const { id } = await run(
      under,
      pod('x=$(yes | tr -d "\\n" | head -c 100000000)', {
        command: ['sh', '-c', 'x=x; while :; do x="$x$x"; done'],
        resources,
      }),
    );
    t.equal((await ended(runtime, id)).exitCode, 137);
    // The engine may hear of the end before it hears of the reason.
    await eventually('the reason is known', async () => (await find(runtime, id))?.reason === 'OOMKilled' || undefined);
    await clear(runtime);
  });

  t.test('a pause container that is killed is a sandbox that is gone, and nothing starts in it', async (t) => {
    const wanted = pod(SLEEP);
    const { id, sandboxId } = await run(under, wanted);
    await dockerd.api('POST', `/containers/${sandboxId}/kill`);
    await eventually('it is seen', async () => (await runtime.list()).sandboxes[0]?.ready === false || undefined);
    t.equal((await find(runtime, id))?.state, 'running', 'its containers are not concluded about');
    t.equal(await codeOf(run(under, wanted, 1)), 'no fault', 'the same attempt is made anew');
    const next = await runtime.createSandbox(wanted, 1);
    t.not(next.id, sandboxId);
    await clear(runtime);
  });

  t.test(
    'an engine that hangs, is killed and comes back: nothing is concluded, and what ran meanwhile is known',
    async (t) => {
      const hints = await withHints(t, runtime);
      const staying = await run(under, pod(SLEEP));
      const leaving = await run(under, pod(SLEEP));
      const pid = (await find(runtime, staying.id))?.pid;
      const leaver = (await find(runtime, leaving.id))?.pid ?? 0;
      process.kill(dockerd.pid, 'SIGSTOP');
      await eventually(
        'it stands',
        () => /^State:\s+T/m.test(readFileSync(`/proc/${dockerd.pid}/status`, 'utf8')) || undefined,
      );
      const [listed, checked] = await Promise.all([codeOf(runtime.list()), runtime.check()]);
      t.equal(listed, 'JD_DOCKER_HUNG');
      t.match(checked, { state: 'failing', reason: /did not answer/, remedy: /state T or D/ });
      process.kill(dockerd.pid, 'SIGCONT');
      await eventually('it answers', async () => (await runtime.list()).containers.length === 2 || undefined);
      const before = hints();
      await dockerd.kill();
      t.match(await codeOf(runtime.list()), /^JD_DOCKER_(DOWN|MISSING)$/);
      t.match((await runtime.check()).state, /failing|missing/);
      t.equal(readFileSync(`/proc/${pid}/comm`, 'utf8'), 'sh\n', 'containers go on');
      process.kill(leaver, 'SIGKILL');
      await sleep(200);
      await dockerd.start();
      await eventually('its events are heard again', () => hints() > before || undefined);
      t.match(await find(runtime, staying.id), { state: 'running', pid });
      t.match(await ended(runtime, leaving.id), { state: 'exited' });
      t.not((await find(runtime, leaving.id))?.exitCode, 0, 'an end that nobody saw is not well');
      await clear(runtime);
    },
  );
});

async function withHints(t: Test, runtime: Runtime): Promise<() => number> {
  let count = 0;
  const watch = runtime.watch(() => (count += 1));
  t.teardown(() => watch[Symbol.asyncDispose]());
  await eventually('events are heard', () => count > 0 || undefined);
  return () => count;
}
