// What every runtime keeps to; run by test/orchestrator/runtimes for each adapter.
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import t, { type Test } from 'tap';
import { Fault } from '../../src/base/fault.ts';
import { decodeDockerLines } from '../../src/orchestrator/node/docker-lines.ts';
import type { Container, Pod, PodSpec } from '../../src/orchestrator/objects/pod.ts';
import type { ObservedContainer, Runtime } from '../../src/orchestrator/runtimes/runtime.ts';
import { eventually } from '../support/daemon.ts';

export interface RuntimeUnderTest {
  readonly runtime: Runtime;
  /** The runtime as a daemon that was started anew would have it, beside what the first one runs. */
  readonly reopen: () => Runtime;
  /** What the containers' image is, where there are images. */
  readonly image?: string;
}

let pods = 0;

/** A pod of one container, `main`, that runs a script. */
export function scriptPod(script: string, more: Partial<Container> = {}, spec: Partial<PodSpec> = {}): Pod {
  pods += 1;
  const name = `pod-${pods}`;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'default',
      uid: `${process.pid}-${Date.now().toString(36)}-${pods}`,
      resourceVersion: '1',
      creationTimestamp: '2026-11-22T08:00:00Z',
    },
    spec: {
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 1,
      containers: [{ name: 'main', command: ['sh', '-c', script], imagePullPolicy: 'IfNotPresent', ...more }],
      ...spec,
    },
    status: { phase: 'Pending' },
  };
}

const AWAKE = 'while :; do sleep 0.1; done';
export const SLEEP = `trap "exit 0" TERM; ${AWAKE}`;

export const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'no fault',
    (error: unknown) => (error instanceof Fault ? error.code : String(error)),
  );

export async function find(runtime: Runtime, id: string): Promise<ObservedContainer | undefined> {
  return (await runtime.list()).containers.find((one) => one.id === id);
}

/** Starts `main` of the pod, in a sandbox that is made for it. */
export async function run(
  { runtime, image }: Pick<RuntimeUnderTest, 'runtime' | 'image'>,
  pod: Pod,
  attempt = 0,
  env: readonly { readonly name: string; readonly value: string }[] = [],
): Promise<{ readonly id: string; readonly sandboxId: string; readonly warnings: readonly string[] }> {
  const { id: sandboxId } = await runtime.createSandbox(pod, 0);
  const [first] = pod.spec.containers;
  const container = { ...first, ...(image === undefined ? {} : { image }) } as Container;
  const started = await runtime.startContainer({ pod, container, attempt, sandboxId, env });
  return { ...started, sandboxId };
}

export const ended = (runtime: Runtime, id: string): Promise<ObservedContainer> =>
  eventually(`${id} ends`, async () => {
    const found = await find(runtime, id);
    return found?.state === 'exited' ? found : undefined;
  });

export async function logOf(runtime: Runtime, id: string): Promise<string> {
  const file = await runtime.logFile(id);
  const bytes = file === undefined ? Buffer.alloc(0) : await readFile(file.path);
  if (file?.format !== 'docker-json') return bytes.toString();
  const options = { timestamps: false, since: undefined, partial: false, most: bytes.length + 1 };
  return decodeDockerLines(bytes, options).data.toString();
}

const lives = (pid: number | undefined): boolean => {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
};

export function honoursRuntime(name: string, open: (t: Test) => Promise<RuntimeUnderTest>, options: object = {}): void {
  t.test(`${name} honours the contract of runtimes`, options, async (t) => {
    const under = await open(t);
    const { runtime, reopen } = under;

    t.test('an empty runtime lists nothing and can be asked for what is not there', async (t) => {
      t.same(await runtime.list(), { sandboxes: [], containers: [] });
      t.match((await runtime.check()).state, /^(available|limited)$/);
      await runtime.stopContainer('not-there', 0);
      await runtime.removeContainer('not-there');
      await runtime.removeSandbox('not-there');
      t.equal(await runtime.logFile('not-there'), undefined);
    });

    t.test('a container runs in its sandbox, and both say whose they are', async (t) => {
      const before = Date.now();
      const pod = scriptPod(`trap "exit 0" TERM; echo ready; ${AWAKE}`);
      const { id, sandboxId } = await run(under, pod);
      await eventually('its trap is set', async () => (await logOf(runtime, id)) === 'ready\n' || undefined);
      const about = { podUid: pod.metadata.uid, podName: pod.metadata.name, namespace: 'default', attempt: 0 };
      const facts = await runtime.list();
      t.match(facts.sandboxes, [{ ...about, id: sandboxId, ready: true }]);
      t.match(facts.containers, [{ ...about, id, sandboxId, name: 'main', state: 'running' }]);
      const [found] = facts.containers;
      t.ok(lives(found?.pid));
      t.ok((found?.startedAt ?? 0) >= before - 1000 && (found?.startedAt ?? 0) <= Date.now());
      t.equal(found?.exitCode, undefined, 'it has no end yet');
      await runtime.stopContainer(id, 5);
      const end = await ended(runtime, id);
      t.match(end, { exitCode: 0, reason: 'Completed' }, 'TERM is what its trap waits for');
      t.ok((end.finishedAt ?? 0) >= (end.startedAt ?? 0));
      t.equal(end.pid, undefined);
      await runtime.removeContainer(id);
      await runtime.removeSandbox(sandboxId);
      t.same(await runtime.list(), { sandboxes: [], containers: [] });
      t.equal(await runtime.logFile(id), undefined);
    });

    t.test('each call twice does nothing twice', async (t) => {
      const pod = scriptPod(`echo once; ${SLEEP}`);
      const first = await run(under, pod);
      const second = await run(under, pod);
      t.same([second.id, second.sandboxId], [first.id, first.sandboxId]);
      await eventually('it spoke', async () => (await logOf(runtime, first.id)) === 'once\n' || undefined);
      t.equal((await runtime.list()).containers.length, 1);
      await Promise.all([runtime.stopContainer(first.id, 5), runtime.stopContainer(first.id, 1)]);
      await runtime.stopContainer(first.id, 5);
      t.equal((await ended(runtime, first.id)).exitCode, 0);
      const again = await run(under, pod);
      t.equal(again.id, first.id, 'an attempt that has ended is not started again');
      t.equal((await find(runtime, first.id))?.state, 'exited');
      t.equal((await logOf(runtime, first.id)).match(/once/g)?.length, 1);
      await Promise.all([runtime.removeContainer(first.id), runtime.removeContainer(first.id)]);
      await runtime.removeContainer(first.id);
      await runtime.removeSandbox(first.sandboxId);
      await runtime.removeSandbox(first.sandboxId);
      t.same(await runtime.list(), { sandboxes: [], containers: [] });
    });

    t.test('two starts at once are one', async (t) => {
      const pod = scriptPod(`echo here; ${SLEEP}`);
      const all = await Promise.all([run(under, pod), run(under, pod), run(under, pod)]);
      t.equal(new Set(all.map(({ id }) => id)).size, 1);
      const facts = await runtime.list();
      t.equal(facts.containers.length, 1);
      t.equal(facts.sandboxes.length, 1);
      await eventually('it spoke', async () => (await logOf(runtime, all[0].id)) !== '' || undefined);
      t.equal(await logOf(runtime, all[0].id), 'here\n');
      await clear(runtime);
    });

    t.test('exit codes, signals and what could not be run', async (t) => {
      const cases = [
        { pod: scriptPod('exit 0'), end: { exitCode: 0, reason: 'Completed' } },
        { pod: scriptPod('exit 3'), end: { exitCode: 3, reason: 'Error' } },
        { pod: scriptPod('kill -9 $$$$'), end: { exitCode: 137, reason: 'Error' }, isFirst: true },
        { pod: scriptPod('', { command: ['/no/such/program'] }), end: { exitCode: 127, reason: 'ContainerCannotRun' } },
        { pod: scriptPod('', { command: ['/tmp'] }), end: { exitCode: 126, reason: 'ContainerCannotRun' } },
      ];
      for (const { pod, end, isFirst = false } of cases) {
        // The first process of a pid namespace does not die by its own signals.
        if (isFirst && name === 'docker') continue;
        const { id } = await run(under, pod);
        t.match(await ended(runtime, id), end, JSON.stringify(pod.spec.containers[0]?.command));
      }
      const { id } = await run(under, scriptPod(SLEEP));
      process.kill((await find(runtime, id))?.pid ?? 0, 'SIGKILL');
      t.match(await ended(runtime, id), { exitCode: 137, reason: 'Error' }, 'killed from outside');
      await clear(runtime);
    });

    t.test('who does not end by TERM ends by KILL after its grace', async (t) => {
      const { id } = await run(under, scriptPod('trap "" TERM; echo deaf; while :; do sleep 0.1; done'));
      await eventually('it is deaf', async () => (await logOf(runtime, id)) !== '' || undefined);
      const { pid } = (await find(runtime, id)) ?? {};
      await runtime.stopContainer(id, 1);
      t.notOk(lives(pid), 'it has ended when the stop says so');
      t.equal((await ended(runtime, id)).exitCode, 137);
      await clear(runtime);
    });

    t.test('a running container is not removed', async (t) => {
      const { id } = await run(under, scriptPod(SLEEP));
      t.equal(await codeOf(runtime.removeContainer(id)), 'JD_CONTAINER_RUNNING');
      t.equal((await find(runtime, id))?.state, 'running');
      await clear(runtime);
    });

    t.test('a container without its sandbox is not started', async (t) => {
      const pod = scriptPod(SLEEP);
      const container = { ...pod.spec.containers[0], image: under.image ?? '' } as Container;
      const request = { pod, container, attempt: 0, sandboxId: 'not-there', env: [] };
      t.equal(await codeOf(runtime.startContainer(request)), 'JD_SANDBOX_MISSING');
      t.same((await runtime.list()).containers, []);
    });

    t.test('output of both kinds is in the log, and stays until the container is removed', async (t) => {
      const { id } = await run(under, scriptPod('echo out; echo err >&2; printf "no end"'));
      await ended(runtime, id);
      const log = await logOf(runtime, id);
      t.same(
        log
          .split('\n')
          .filter((line) => line.length === 3)
          .sort(),
        ['err', 'out'],
      );
      t.match(log, /no end/);
      await clear(runtime);
    });

    t.test('the environment is what the pod says, and stands for $(NAME) in the command', async (t) => {
      const hard = 'a b=c "d" \'e\' $HOME $(X) é\n2';
      const env = [
        { name: 'HARD', value: hard },
        { name: 'EMPTY', value: '' },
        { name: 'X', value: 'x!' },
      ];
      const pod = scriptPod('', {
        command: ['sh', '-c', 'printf "%s|%s|%s|%s" "$HARD" "$EMPTY" "$1" "$2"', 'sh'],
        args: ['$(X)', '$$(X) $(NOT_SET)'],
      });
      const { id } = await run(under, pod, 0, env);
      await ended(runtime, id);
      await eventually('it spoke', async () => (await logOf(runtime, id)) !== '' || undefined);
      t.equal(await logOf(runtime, id), `${hard}||x!|$(X) $(NOT_SET)`);
      await clear(runtime);
    });

    t.test('nothing of the daemon reaches the container, and it starts where it says', async (t) => {
      const { id } = await run(under, scriptPod('env; pwd; read -r x || echo "no input"', { workingDir: '/tmp' }));
      await ended(runtime, id);
      const log = await logOf(runtime, id);
      t.notMatch(log, /^(npm_|TAP|NODE)/m);
      t.match(log, /^\/tmp$/m);
      t.match(log, /no input/);
      await clear(runtime);
    });

    t.test('attempts stand side by side, each with its number and its log', async (t) => {
      const pod = scriptPod('echo attempt; exit 1');
      const first = await run(under, pod, 0);
      await ended(runtime, first.id);
      const second = await run(under, pod, 1);
      t.not(second.id, first.id);
      await ended(runtime, second.id);
      const { containers } = await runtime.list();
      t.same(containers.map(({ attempt }) => attempt).sort(), [0, 1]);
      await runtime.removeContainer(first.id);
      t.equal(await logOf(runtime, second.id), 'attempt\n');
      await clear(runtime);
    });

    t.test(
      'a container runs as the user that the pod names, in its groups',
      { skip: process.getuid?.() !== 0 },
      async (t) => {
        const securityContext = { runAsUser: 1234, runAsGroup: 2345, supplementalGroups: [3456] };
        const { id } = await run(under, scriptPod('id -u; id -g; id -G', {}, { securityContext }));
        await ended(runtime, id);
        const [uid, gid, groups] = (await logOf(runtime, id)).split('\n');
        t.same([uid, gid], ['1234', '2345']);
        t.same(groups?.split(' ').sort(), ['2345', '3456']);
        const root = scriptPod('id', { securityContext: { runAsNonRoot: true } });
        t.equal(await codeOf(run(under, root)), 'JD_RUN_AS_NON_ROOT');
        await clear(runtime);
      },
    );

    t.test('a daemon that is started anew finds what the last one ran, and sees it end', async (t) => {
      const pod = scriptPod(SLEEP);
      const { id, sandboxId } = await run(under, pod);
      const before = await find(runtime, id);
      const next = reopen();
      t.match(await find(next, id), { state: 'running', pid: before?.pid, startedAt: before?.startedAt, attempt: 0 });
      t.match((await next.list()).sandboxes, [{ id: sandboxId, ready: true }]);
      t.equal((await run({ ...under, runtime: next }, pod)).id, id, 'and does not start it again');
      t.ok(lives(before?.pid));
      await next.stopContainer(id, 5);
      await ended(next, id);
      t.notOk(lives(before?.pid));
      await next.removeContainer(id);
      await next.removeSandbox(sandboxId);
      t.same(await reopen().list(), { sandboxes: [], containers: [] });
    });

    t.test('what happens is hinted at', async () => {
      let hints = 0;
      await using _watch = runtime.watch(() => (hints += 1));
      const pod = scriptPod('sleep 0.3');
      const { id } = await run(under, pod);
      await eventually('the start', () => hints > 0 || undefined);
      await ended(runtime, id);
      await eventually('the end', async () => {
        const found = await find(runtime, id);
        return (hints > 1 && found?.state === 'exited') || undefined;
      });
      await clear(runtime);
    });
  });
}

/** Ends and removes everything, or everything of one pod. */
export async function clear(runtime: Runtime, podUid?: string): Promise<void> {
  const facts = await runtime.list();
  const wanted = (one: { readonly podUid: string }): boolean => podUid === undefined || one.podUid === podUid;
  const [containers, sandboxes] = [facts.containers.filter(wanted), facts.sandboxes.filter(wanted)];
  await Promise.all(containers.map(({ id }) => runtime.stopContainer(id, 0)));
  await Promise.all(containers.map(({ id }) => runtime.removeContainer(id)));
  await Promise.all(sandboxes.map(({ id }) => runtime.removeSandbox(id)));
}
