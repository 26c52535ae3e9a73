// Pods on Docker on a whole daemon, by kubectl and a real engine: run, crash, follow, delete, outlive the daemon, and what is
// said while the engine is down or hangs.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { nodeNameOf } from '../../src/orchestrator/node/agent.ts';
import type { ContainerStatus, Pod, PodSpec } from '../../src/orchestrator/objects/pod.ts';
import { eventually, privateDirectory, type RunningDaemon, startDaemon } from '../support/daemon.ts';
import { BUSYBOX, type Dockerd, PAUSE, startDockerd } from '../support/dockerd.ts';
import { freePort } from '../support/free-port.ts';
import { type Kubectl, kubectlOn } from '../support/kubectl-on.ts';
import { needs, needsRoot } from '../support/needs.ts';

const skip = needsRoot() || needs('dockerd', 'busybox', 'kubectl');

interface Running {
  readonly daemon: RunningDaemon;
  readonly kubectl: Kubectl;
  /** Applies a pod of one container that runs a script. */
  apply(name: string, script: string, spec?: Partial<PodSpec>, image?: string): Promise<void>;
  /** The status line of a part. */
  line(part: string): Promise<string>;
}

interface Starting {
  readonly dataDir?: string;
  readonly pauseImage?: string;
}

const configFor = (socket: string, pauseImage: string): string =>
  `docker:\n  socket: ${socket}\n${pauseImage === '' ? '' : `  pauseImage: ${pauseImage}\n`}`;

async function started(t: Test, socket: string, { dataDir, pauseImage = PAUSE }: Starting = {}): Promise<Running> {
  const listenTls = `127.0.0.1:${await freePort()}`;
  const config = configFor(socket, pauseImage);
  const daemon = startDaemon(t, { listenTls, config, ...(dataDir === undefined ? {} : { dataDir }) });
  await daemon.until(/listens +https/);
  const kubectl = await kubectlOn(t, daemon);
  return {
    daemon,
    kubectl,
    async apply(name, script, spec = {}, image = BUSYBOX) {
      const manifest = join(privateDirectory(t), `${name}.json`);
      const main = { name: 'main', image, command: ['sh', '-c', script] };
      const bound = { nodeName: nodeNameOf(), terminationGracePeriodSeconds: 2, containers: [main], ...spec };
      writeFileSync(manifest, JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: bound }));
      await kubectl('apply', '-f', manifest);
    },
    line: async (part) => new RegExp(`^${part} .*$`, 'm').exec((await daemon.cli('status')).out)?.[0] ?? '',
  };
}

const SLEEP = 'trap "exit 0" TERM; while :; do sleep 0.2; done';
const main = (pod: Pod | undefined): ContainerStatus | undefined => pod?.status.containerStatuses?.[0];

const running = ({ kubectl }: Running, name: string): Promise<Pod> =>
  eventually(`${name} runs`, async () => {
    const found = await kubectl.pod(name);
    return found?.status.phase === 'Running' && main(found)?.state.running ? found : undefined;
  });

/** The pid of the container that the API names. */
async function pidOf({ api }: Dockerd, pod: Pod | undefined): Promise<number> {
  const id = main(pod)?.containerID?.replace('docker://', '');
  const { body } = await api('GET', `/containers/${id}/json`);
  return (body as { State: { Pid: number } }).State.Pid;
}
const containers = async ({ api }: Dockerd): Promise<readonly string[]> =>
  ((await api('GET', '/containers/json?all=1')).body as { Names: string[] }[]).flatMap(({ Names }) => Names);
const lives = (pid: number): boolean => {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
};

t.test('pods on docker', { skip }, async (whole) => {
  const dockerd = await startDockerd(whole, { liveRestore: true });
  let on = await started(whole, dockerd.socket);

  whole.test(
    'a pod with an image runs, is followed and described, comes back when it is killed, and goes',
    async (t) => {
      const changes = on.kubectl.follow('get', 'pods', '-w');
      await on.apply('hello', 'i=0; trap "exit 0" TERM; while :; do i=$((i+1)); echo line $i; sleep 0.2; done');
      const hello = await running(on, 'hello');
      t.match(main(hello)?.containerID, /^docker:\/\/[0-9a-f]{64}$/);
      t.match(main(hello)?.imageID, /^docker:\/\/sha256:/);
      t.equal(hello.metadata.annotations?.['jdos.io/runtime'], 'docker');
      t.match(await on.kubectl('describe', 'pod', 'hello'), /Started container main/);
      t.match((await on.daemon.cli('why', 'pod/hello')).out, /runs on docker/);
      t.match(await on.line('docker'), /available +Docker \d/);
      const log = on.kubectl.follow('logs', '-f', 'hello');
      await eventually('it is followed', () => /line 5\n/.test(log()) || undefined);
      t.match(await on.kubectl('logs', 'hello', '--timestamps', '--tail=1'), /^(\d{4}-\d\d-\d\dT\S+Z line \d+\n)+$/);
      process.kill(await pidOf(dockerd, hello), 'SIGKILL');
      const again = await eventually('it is back', async () => {
        const found = await on.kubectl.pod('hello');
        return main(found)?.restartCount === 1 && main(found)?.state.running ? found : undefined;
      });
      t.match(main(again)?.lastState.terminated, { exitCode: 137, reason: 'Error' });
      t.match(await on.kubectl('logs', '--previous', 'hello'), /^line 1\nline 2\n/);
      const lines = log().trim().split('\n');
      t.same(
        lines,
        lines.map((_, i) => `line ${i + 1}`),
        'followed from the first line to the last, none twice',
      );
      await on.kubectl('delete', 'pod', 'hello', '--wait=true');
      t.same(await containers(dockerd), [], 'nothing is left');
      await eventually(
        'all of it is watched',
        () =>
          /hello +1\/1 +Running[\s\S]*hello +\S+ +(Terminating|Succeeded|Failed|Completed)/.test(changes()) ||
          undefined,
      );
    },
  );

  whole.test('kill -9 of the whole daemon: containers go on, are adopted, and their ends are seen', async (t) => {
    await on.apply('steady', SLEEP);
    await on.apply('leaver', SLEEP, { restartPolicy: 'Never' });
    const before = await pidOf(dockerd, await running(on, 'steady'));
    const leaver = await pidOf(dockerd, await running(on, 'leaver'));
    for (const pid of Object.values(await on.daemon.pids())) process.kill(pid, 'SIGKILL');
    const { child, dataDir } = on.daemon;
    await eventually('the daemon is dead', () => child.exitCode !== null || child.signalCode !== null || undefined);
    t.ok(lives(before));
    process.kill(leaver, 'SIGKILL');
    on = await started(whole, dockerd.socket, { dataDir });
    const gone = await eventually('the end is seen', async () => {
      const found = await on.kubectl.pod('leaver');
      return found?.status.phase === 'Failed' ? found : undefined;
    });
    t.match(main(gone)?.state.terminated, { exitCode: 137 }, 'docker waited for it');
    const steady = await on.kubectl.pod('steady');
    t.equal(main(steady)?.restartCount, 0);
    t.equal(await pidOf(dockerd, steady), before, 'it was adopted, not started again');
    await on.kubectl('delete', 'pod', 'leaver');
    await on.kubectl('delete', 'pod', 'steady');
  });

  whole.test('an image that is not there is ErrImagePull, and then ImagePullBackOff', async (t) => {
    await on.apply('unfetched', SLEEP, {}, 'localhost:1/no/such:1');
    const waiting = await eventually('it says so', async () => {
      const state = main(await on.kubectl.pod('unfetched'))?.state.waiting;
      return state?.reason === 'ContainerCreating' ? undefined : state;
    });
    t.match(waiting, {
      reason: /^(ErrImagePull|ImagePullBackOff)$/,
      message: /localhost:1\/no\/such:1.*refused.*Try: /,
    });
    await on.kubectl('delete', 'pod', 'unfetched');
  });

  whole.test(
    'an engine that hangs or is killed: the status says so, nothing is concluded, and it recovers',
    async (t) => {
      await on.apply('steady', SLEEP);
      const pid = await pidOf(dockerd, await running(on, 'steady'));
      process.kill(dockerd.pid, 'SIGSTOP');
      await on.apply('waiting', SLEEP);
      const told = async (what: RegExp): Promise<string | undefined> => what.exec(await on.line('docker'))?.[0];
      await eventually('the hang is told', () => told(/failing .*did not answer/), 60_000);
      t.ok(main(await on.kubectl.pod('steady'))?.state.running);
      t.equal((await on.kubectl.pod('waiting'))?.status.phase, 'Pending');
      process.kill(dockerd.pid, 'SIGCONT');
      await running(on, 'waiting');

      await dockerd.kill();
      await eventually('the loss is told', () => told(/failing .*(nobody answers|broke off)/), 60_000);
      t.ok(main(await on.kubectl.pod('steady'))?.state.running);
      t.equal((await on.kubectl.pod('steady'))?.status.phase, 'Running');
      await dockerd.start();
      await eventually('its return is told', () => told(/available/), 60_000);
      const steady = await running(on, 'steady');
      t.equal(main(steady)?.restartCount, 0);
      t.equal(await pidOf(dockerd, steady), pid, 'the same process');
      await on.kubectl('delete', 'pod', 'steady', 'waiting');
      t.same(await containers(dockerd), []);
    },
  );
});

t.test('without a pause image a pod is Pending and says what to do', { skip }, async (t) => {
  const dockerd = await startDockerd(t);
  const none = await started(t, dockerd.socket, { pauseImage: '' });
  t.match(await none.line('docker'), /limited .*docker\.pauseImage is not configured/);
  await none.apply('hello', SLEEP);
  const waiting = await eventually('it says so', async () => {
    const state = main(await none.kubectl.pod('hello'))?.state.waiting;
    return state?.message === undefined ? undefined : state;
  });
  t.match(waiting, { reason: 'ContainerCreating', message: /docker\.pauseImage is not configured.*Try: / });
  t.equal((await none.kubectl.pod('hello'))?.status.phase, 'Pending');
  t.match((await none.daemon.cli('why', 'pod/hello')).out, /docker\.pauseImage/);
  t.match(await none.kubectl('describe', 'pod', 'hello'), /FailedCreatePodSandBox/);
  const { spawnargs } = none.daemon.child;
  writeFileSync(spawnargs[spawnargs.indexOf('--config') + 1] ?? '', configFor(dockerd.socket, PAUSE));
  none.daemon.child.kill('SIGHUP');
  // Another pod does not wait for the next try of this one.
  await none.apply('second', SLEEP);
  await running(none, 'second');
  await none.kubectl('delete', 'pod', 'hello');

  // This engine is without live-restore: its containers end with it.
  const before = await pidOf(dockerd, await none.kubectl.pod('second'));
  await dockerd.kill();
  await dockerd.start();
  const second = await eventually('it runs again', async () => {
    const found = await none.kubectl.pod('second');
    return (main(found)?.restartCount ?? 0) > 0 && main(found)?.state.running ? found : undefined;
  });
  t.notOk(lives(before));
  t.equal(main(second)?.restartCount, 1, 'in a sandbox of its own, without a back-off');
  await none.kubectl('delete', 'pod', 'second');
  t.same(await containers(dockerd), []);
});
