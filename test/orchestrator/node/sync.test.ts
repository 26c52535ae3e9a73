// A pod's life over a runtime that fails in every way: what converges, what never happens, what survives a crash.
import t from 'tap';
import { plan } from '../../../src/orchestrator/node/plan.ts';
import { podFacts } from '../../../src/orchestrator/node/runs.ts';
import { remember } from '../../../src/orchestrator/node/memory.ts';
import type { Pod, RestartPolicy } from '../../../src/orchestrator/objects/pod.ts';
import { FUZZ_SEED, random } from '../../support/random.ts';
import { Crash } from './fake-runtime.ts';
import { type FakeNode, fakeNode } from './fake-node.ts';
import { pod } from './samples.ts';

const running = (node: FakeNode, name: string): number =>
  node.runtime.facts().containers.filter((each) => each.name === name && each.state === 'running').length;

const full: Pod = pod({
  spec: { initContainers: [{ name: 'init' }], containers: [{ name: 'main' }, { name: 'side' }] },
});
const lives = (node: FakeNode): void => {
  node.runtime.behaviour = (name) => (name === 'init' ? { ms: 0, exitCode: 0 } : undefined);
};

t.test('a pod runs, and its status tells the story', async (t) => {
  const node = fakeNode();
  lives(node);
  node.set(full);
  t.equal(await node.sync(), undefined, 'there is nothing to wait for');
  const status = node.objects.get('u1')?.status;
  t.match(status, { phase: 'Running', podIP: '10.0.0.7', hostIP: '192.0.2.1' });
  t.same(
    status?.conditions?.map(({ type, status }) => `${type} ${status}`),
    ['PodScheduled True', 'PodReadyToStartContainers True', 'Initialized True', 'ContainersReady True', 'Ready True'],
  );
  t.equal(node.objects.get('u1')?.metadata.annotations?.['jdos.io/runtime'], 'process');
});

t.test('a deleted pod ends, tells how, and leaves nothing', async (t) => {
  const node = fakeNode();
  lives(node);
  node.set(full);
  await node.sync();
  const live = node.objects.get('u1');
  t.ok(live);
  let last: Pod | undefined;
  node.set({ ...live!, metadata: { ...live!.metadata, deletionTimestamp: 'x', deletionGracePeriodSeconds: 3 } });
  node.objects.delete = ((forget) => (uid: string) => {
    last = node.objects.get(uid);
    return forget.call(node.objects, uid);
  })(node.objects.delete);
  await node.sync();
  t.equal(last?.status.phase, 'Failed', 'it was killed');
  t.match(last?.status.containerStatuses?.[0]?.state.terminated, { exitCode: 143, reason: 'Error' });
  t.same(node.runtime.facts(), { sandboxes: [], containers: [] });
  t.equal(node.objects.size, 0);
});

t.test('while the API is away what runs goes on, and is restarted', async (t) => {
  const node = fakeNode();
  node.set(pod());
  await node.sync();
  node.apiDown = true;
  node.runtime.end('main');
  t.equal(await node.sync(), 2000, 'the status is written later');
  t.equal(running(node, 'main'), 1);
  node.apiDown = false;
  await node.sync();
  t.equal(node.objects.get('u1')?.status.containerStatuses?.[0]?.restartCount, 1);
});

t.test('an orphan is removed only when the API says that the pod is gone', async (t) => {
  const node = fakeNode();
  node.set(pod());
  await node.sync();
  const kept = node.objects.get('u1')!;
  node.objects.delete('u1');
  node.restart();
  node.objects.set('u1', kept); // the list was wrong, the question about this pod is not
  await node.sync();
  t.equal(running(node, 'main'), 1, 'it is still there');
  node.objects.delete('u1');
  await node.sync();
  t.same(node.runtime.facts(), { sandboxes: [], containers: [] });
});

t.test('a runtime that does not answer: nothing is concluded', async (t) => {
  const node = fakeNode();
  node.set(pod());
  await node.sync();
  const before = node.objects.get('u1')?.status;
  node.runtime.down = new Error('it hangs');
  t.ok(await node.sync());
  t.same(node.objects.get('u1')?.status, before);
  t.match(node.told.at(-1), { type: 'Warning', reason: 'RuntimeUnknown', message: /it hangs/ });
  node.runtime.down = undefined;
  await node.sync();
  t.equal(node.runtime.starts.length, 1);
});

t.test('a pod on a runtime that never answered is Pending and says why', async (t) => {
  const node = fakeNode();
  node.runtime.down = new Error('it is not there');
  node.set(pod());
  await node.sync();
  t.match(node.objects.get('u1')?.status, {
    phase: 'Pending',
    containerStatuses: [{ state: { waiting: { reason: 'ContainerCreating', message: 'it is not there' } } }],
  });
});

t.test('kill -9 at any call of any step leaves exactly one run of each container', async (t) => {
  for (const after of [false, true]) {
    for (let at = 1; at <= 12; at += 1) {
      const node = fakeNode();
      lives(node);
      node.set(full);
      node.runtime.crashAt(at, after);
      await crashing(node);
      await node.sync();
      t.same([running(node, 'main'), running(node, 'side')], [1, 1], `died ${after ? 'after' : 'before'} call ${at}`);
      t.equal(await node.sync(), undefined, 'and there is nothing left to do');
    }
  }
});

t.test('kill -9 at any call of a deletion leaves nothing', async (t) => {
  for (const after of [false, true]) {
    for (let at = 1; at <= 8; at += 1) {
      const node = fakeNode();
      lives(node);
      node.set(full);
      await node.sync();
      const live = node.objects.get('u1')!;
      node.set({ ...live, metadata: { ...live.metadata, deletionTimestamp: 'x', deletionGracePeriodSeconds: 0 } });
      node.runtime.crashAt(at, after);
      const starts = node.runtime.starts.length;
      await crashing(node);
      await node.sync();
      t.same(node.runtime.facts(), { sandboxes: [], containers: [] }, `died ${after ? 'after' : 'before'} call ${at}`);
      t.equal(node.runtime.starts.length, starts, 'and nothing was started again');
    }
  }
});

/** A dead agent does nothing more: from the crash on every call fails, until the agent is a new one. */
async function crashing(node: FakeNode): Promise<void> {
  await node.sync().catch((error: unknown) => {
    if (!(error instanceof Crash)) throw error;
  });
  node.runtime.crashAt(0, false);
  node.runtime.down = undefined;
  node.restart();
  for (let wait = await node.sync(); wait !== undefined && wait < 400_000; wait = await node.sync())
    node.clock.pass(wait);
}

t.test('whatever happens: one run at a time, nothing after deletion, and a plan applied leaves no plan', async (t) => {
  t.comment(`FUZZ_SEED=${FUZZ_SEED}`);
  const next = random();
  const pick = <T>(items: readonly T[]): T => items[Math.floor(next() * items.length)] as T;
  for (let life = 0; life < 60; life += 1) {
    const node = fakeNode();
    const policy = pick<RestartPolicy>(['Always', 'OnFailure', 'Never']);
    const ms = pick([0, 5_000, 700_000]);
    node.runtime.behaviour = (name, attempt) =>
      name === 'init' ? { ms: 0, exitCode: attempt % 2 } : { ms, exitCode: attempt % 3 };
    node.set(pod({ spec: { ...full.spec, restartPolicy: policy } }));
    let deleted: number | undefined;
    for (let turn = 0; turn < 25; turn += 1) {
      const happening = next();
      if (happening < 0.1) node.runtime.breakSandbox();
      else if (happening < 0.2) node.runtime.end(pick(['main', 'side']), pick([0, 1]));
      else if (happening < 0.3) node.restart();
      else if (happening < 0.4) node.apiDown = !node.apiDown;
      else if (happening < 0.43 && node.objects.has('u1')) {
        const live = node.objects.get('u1')!;
        deleted ??= node.runtime.starts.length;
        node.set({ ...live, metadata: { ...live.metadata, deletionTimestamp: 'x' } });
      }
      await node.sync().catch(() => undefined);
      node.clock.pass(Math.floor(next() * 30_000));
      for (const name of ['init', 'main', 'side']) {
        if (running(node, name) > 1) t.fail(`two runs of ${name} in life ${life}`);
      }
    }
    if (deleted !== undefined && node.runtime.starts.length !== deleted) t.fail(`started after deletion, life ${life}`);
    node.apiDown = false;
    node.runtime.behaviour = () => undefined;
    await node.sync();
    const object = node.objects.get('u1');
    const facts = podFacts(object, 'u1', await node.runtime.list());
    const moment = { now: node.clock.now(), wall: node.clock.wall() };
    const memory = remember(undefined, object, facts, moment);
    const view = { uid: 'u1', key: 'default/hello', pod: object, runtime: 'process', facts, memory } as const;
    const left = plan([view], moment.now).filter(({ kind }) => kind !== 'wait' && kind !== 'confirm-deletion');
    if (object !== undefined && left.length > 0) t.same(left, [], `life ${life} has nothing left to do`);
  }
  t.pass('60 lives were lived');
});
