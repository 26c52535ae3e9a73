// Workloads on a whole daemon, driven by the real kubectl over HTTPS: run, crash, follow, delete, and outlive the daemon.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { nodeNameOf } from '../../src/orchestrator/node/agent.ts';
import type { Pod } from '../../src/orchestrator/objects/pod.ts';
import { eventually, privateDirectory, type RunningDaemon, startDaemon } from '../support/daemon.ts';
import { freePort } from '../support/free-port.ts';
import { type Kubectl, kubectlOn } from '../support/kubectl-on.ts';
import { needs, needsRoot } from '../support/needs.ts';

const skip = needs('kubectl') || needsRoot();

async function apply(t: Test, kubectl: Kubectl, name: string, script: string, more: object = {}): Promise<void> {
  const file = join(privateDirectory(t), `${name}.json`);
  const manifest = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: {
      nodeName: nodeNameOf(),
      runtimeClassName: 'process',
      terminationGracePeriodSeconds: 1,
      containers: [{ name: 'main', command: ['sh', '-c', script, marker(name)] }],
      ...more,
    },
  };
  writeFileSync(file, JSON.stringify(manifest));
  await kubectl('apply', '-f', file);
}

const RUN = `${process.pid}`;
const marker = (name: string): string => `jdos-test-${RUN}-${name}`;

/** Processes of which a word of the command line is one that is meant. */
const pidsWith = (isMeant: (word: string) => boolean): readonly number[] =>
  readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').some(isMeant);
      } catch {
        return false;
      }
    })
    .map(Number);

/** Processes that carry the pod's marker as their `$0`. */
const pidsOf = (name: string): readonly number[] => pidsWith((word) => word === marker(name));

const main = (pod: Pod | undefined) => pod?.status.containerStatuses?.[0];
const SLEEP = 'trap "exit 0" TERM; while :; do sleep 0.2; done';

async function running(kubectl: Kubectl, name: string): Promise<Pod> {
  return eventually(`${name} runs`, async () => {
    const pod = await kubectl.pod(name);
    return pod?.status.phase === 'Running' && main(pod)?.state.running ? pod : undefined;
  });
}

async function started(t: Test, dataDir?: string): Promise<{ daemon: RunningDaemon; kubectl: Kubectl }> {
  // Workloads outlive the daemon, also that of a test that fails: this runs after the daemon has been stopped.
  t.teardown(() => {
    for (const pid of pidsWith((word) => word.startsWith(marker('')))) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // it has ended meanwhile
      }
    }
  });
  const listenTls = `127.0.0.1:${await freePort()}`;
  const daemon = startDaemon(t, dataDir === undefined ? { listenTls } : { listenTls, dataDir });
  await daemon.until(/listens +https/);
  const kubectl = await kubectlOn(t, daemon);
  return { daemon, kubectl };
}

t.test('a pod runs, is watched and described, and goes with its grace', { skip }, async (t) => {
  const { daemon, kubectl } = await started(t);
  const watched = kubectl.follow('get', 'pods', '--watch');
  await apply(t, kubectl, 'hello', SLEEP);
  await running(kubectl, 'hello');
  t.match(await kubectl('describe', 'pod', 'hello'), /Started container main/);
  t.match((await daemon.cli('why', 'pod/hello')).out, /default\/hello is Running.*\n.*runs on process/);
  await eventually(
    'the status counts it',
    async () => /node +available +1 pod; .*process: (available|limited)/.exec((await daemon.cli('status')).out)?.[0],
  );
  t.equal(pidsOf('hello').length, 1);
  await kubectl('delete', 'pod', 'hello', '--wait=true');
  t.same(pidsOf('hello'), []);
  t.same(
    readdirSync(join(daemon.dataDir, 'pods')).filter((name) => !name.startsWith('.')),
    [],
    'nothing is left',
  );
  await eventually(
    'the watch tells the whole story',
    () => /^hello +0\/1 +Pending[^]*^hello +1\/1 +Running[^]*^hello +1\/1 +Terminating/m.exec(watched())?.[0],
  );
});

t.test('output is followed while it comes, and kept of the run before', { skip }, async (t) => {
  const { daemon, kubectl } = await started(t);
  await apply(t, kubectl, 'talker', 'i=0; while :; do i=$((i+1)); echo line $i; sleep 0.2; done');
  await running(kubectl, 'talker');
  await eventually('it spoke', async () => /line 5/.exec(await kubectl('logs', 'talker'))?.[0]);
  t.match(await kubectl('logs', 'talker', '--tail=1'), /^line \d+\n$/);
  const following = kubectl('logs', '-f', 'talker');
  for (const pid of pidsOf('talker')) process.kill(pid, 'SIGKILL');
  const followed = (await following).trim().split('\n');
  t.same(
    followed,
    followed.map((_, i) => `line ${i + 1}`),
    'from the first line to the last, none twice, and it ended with the process',
  );
  await eventually('it is back', async () => main(await kubectl.pod('talker'))?.restartCount === 1 || undefined);
  t.match(await kubectl('logs', '--previous', 'talker', '--tail=1'), new RegExp(`^${followed.at(-1)}\n$`));
  await t.rejects(kubectl('logs', '--timestamps', 'talker'), /without times.*use --tail/);
  const serve = (await daemon.pids())['serve'] ?? 0;
  const before = pidsOf('talker');
  process.kill(serve, 'SIGKILL');
  await eventually('the API is back, and so is the node', async () => {
    await kubectl('delete', 'pod', 'talker', '--wait=true');
    return true;
  });
  t.equal(before.length, 1);
  t.same(pidsOf('talker'), []);
});

t.test('a killed process comes back at once, then after ten seconds, and why tells it', { skip }, async (t) => {
  const { daemon, kubectl } = await started(t);
  await apply(t, kubectl, 'victim', SLEEP);
  await running(kubectl, 'victim');
  for (const pid of pidsOf('victim')) process.kill(pid, 'SIGKILL');
  const again = await eventually('it is back', async () => {
    const pod = await kubectl.pod('victim');
    return main(pod)?.restartCount === 1 && main(pod)?.state.running ? pod : undefined;
  });
  t.match(main(again)?.lastState.terminated, { signal: 9 });
  for (const pid of pidsOf('victim')) process.kill(pid, 'SIGKILL');
  const waiting = await eventually('it waits', async () => main(await kubectl.pod('victim'))?.state.waiting);
  t.equal(waiting.reason, 'CrashLoopBackOff');
  t.match(waiting.message, /^back-off 10s restarting failed container=main/);
  t.match((await daemon.cli('why', 'pod/victim')).out, /started again in .* s, at /);
  await eventually('ten seconds later it is back', async () => {
    const status = main(await kubectl.pod('victim'));
    return (status?.restartCount === 2 && status.state.running) || undefined;
  });
  await kubectl('delete', 'pod', 'victim');
});

t.test('kill -9 of the whole daemon: workloads go on with the same pids and are adopted', { skip }, async (t) => {
  const { daemon, kubectl } = await started(t);
  await apply(t, kubectl, 'steady', SLEEP);
  await apply(t, kubectl, 'leaver', SLEEP, { restartPolicy: 'Never' });
  await apply(t, kubectl, 'doubtful', SLEEP, { restartPolicy: 'OnFailure' });
  for (const name of ['steady', 'leaver', 'doubtful']) await running(kubectl, name);
  const before = pidsOf('steady');
  t.equal(before.length, 1);
  for (const pid of Object.values(await daemon.pids())) process.kill(pid, 'SIGKILL');
  await eventually(
    'the daemon is dead',
    () => daemon.child.exitCode !== null || daemon.child.signalCode !== null || undefined,
  );
  t.same(pidsOf('steady'), before, 'it outlived the daemon');
  for (const pid of pidsOf('leaver')) process.kill(pid, 'SIGKILL');
  for (const pid of pidsOf('doubtful')) process.kill(pid, 'SIGTERM');

  const next = await started(t, daemon.dataDir);
  const gone = await eventually('the end is seen', async () => {
    const pod = await next.kubectl.pod('leaver');
    return pod?.status.phase === 'Failed' ? pod : undefined;
  });
  t.match(main(gone)?.state.terminated, { reason: 'ExitCodeLost' }, 'nobody waited for it, and that is said');
  const doubtful = await eventually('an end that nobody saw is a failure', async () => {
    const pod = await next.kubectl.pod('doubtful');
    return main(pod)?.restartCount === 1 && main(pod)?.state.running ? pod : undefined;
  });
  t.match(main(doubtful)?.lastState.terminated, { reason: 'ExitCodeLost' });
  t.equal(main(await next.kubectl.pod('steady'))?.restartCount, 0);
  t.same(pidsOf('steady'), before, 'it was adopted, not started again');
  await next.daemon.stop();
  t.same(pidsOf('steady'), before, 'and it outlives an orderly stop');
  const last = await started(t, daemon.dataDir);
  for (const pid of before) process.kill(pid, 'SIGKILL');
  await eventually('the end of what was adopted is seen, and it is back', async () => {
    const status = main(await last.kubectl.pod('steady'));
    return (status?.restartCount === 1 && status.state.running) || undefined;
  });
  await last.kubectl('delete', 'pod', 'steady', 'leaver', 'doubtful');
  t.same(pidsOf('steady'), []);
});
