// The whole node agent against an API that forgets, goes away and comes back.
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { openLog } from '../../../src/base/logging.ts';
import { nodeNameOf, openNodeAgent, type NodeAgent } from '../../../src/orchestrator/node/agent.ts';
import { PlanReply } from '../../../src/orchestrator/node/procedures.ts';
import { eventually, privateDirectory } from '../../support/daemon.ts';
import { type FakeRuntime, fakeClock, fakeRuntime } from './fake-runtime.ts';
import { pod, WALL } from './samples.ts';
import { type StandInApi, standInApi } from './stand-in-api.ts';

interface Setup {
  readonly socketPath: string;
  readonly runtime: FakeRuntime;
  readonly agent: NodeAgent;
}

async function setup(t: Test): Promise<Setup> {
  const socketPath = join(privateDirectory(t), 'api.sock');
  const runtime = fakeRuntime(fakeClock(WALL));
  const log = openLog('test', 'silent');
  const agent = openNodeAgent({ socketPath, nodeName: 'node-a', runtimes: [runtime], version: '0', log });
  t.teardown(() => agent.stop());
  await agent.start(new AbortController().signal);
  return { socketPath, runtime, agent };
}

const phase = (api: StandInApi, name = 'hello'): string | undefined => api.pods.get(name)?.status.phase;
const running = (runtime: FakeRuntime): number =>
  runtime.facts().containers.filter(({ state }) => state === 'running').length;

t.test('a pod that is bound runs, a deleted one ends, and the node is there', async (t) => {
  const { socketPath, runtime, agent } = await setup(t);
  await using api = await standInApi(socketPath);
  api.put(pod());
  await eventually('it runs', () => phase(api) === 'Running' || undefined);
  t.match(api.node, {
    metadata: { name: 'node-a', labels: { 'kubernetes.io/hostname': 'node-a', 'kubernetes.io/os': 'linux' } },
    status: {
      conditions: [
        { type: 'Ready', status: 'True' },
        { type: 'ProcessAvailable', status: 'True' },
      ],
    },
  });
  t.equal(agent.health().summary, '1 pod; process: available');
  api.put(pod({ name: 'second', uid: 'u2' }));
  await eventually('the watch tells of the second', () => phase(api, 'second') === 'Running' || undefined);
  const live = api.pods.get('hello')!;
  api.put({ ...live, metadata: { ...live.metadata, deletionTimestamp: 'x', deletionGracePeriodSeconds: 1 } });
  await eventually('it is gone', () => !api.pods.has('hello') || undefined);
  t.equal(running(runtime), 1);
  const reasons = [...api.events.values()].map(({ reason }) => reason);
  t.same(reasons.filter((reason) => reason === 'Started').length, 2);
  t.ok(reasons.includes('Killing'));
});

t.test(
  'an API that is not there yet, forgets, cuts and comes back: what runs goes on, nothing is missed',
  async (t) => {
    const { socketPath, runtime, agent } = await setup(t);
    t.equal(agent.health().state, 'starting');
    {
      await using api = await standInApi(socketPath);
      api.put(pod());
      await eventually('it runs', () => phase(api) === 'Running' || undefined);
      for (const late of [false, true]) {
        await eventually('it watches', () => api.watching > 0 || undefined);
        api.forget(late);
        api.cut();
        api.put(pod({ name: `more-${late}`, uid: `m-${late}` }));
        await eventually('it lists anew', () => phase(api, `more-${late}`) === 'Running' || undefined);
      }
    }
    await eventually('it says that the API is away', () => agent.health().state === 'failing' || undefined);
    t.equal(running(runtime), 3, 'what runs goes on');
    await using api = await standInApi(socketPath);
    api.listStatus = 503;
    await sleep(500);
    t.equal(running(runtime), 3, 'a list that failed says nothing about what is gone');
    api.put(pod());
    api.listStatus = undefined;
    await eventually('orphans go', () => running(runtime) === 1 || undefined);
    t.equal(runtime.starts.length, 3, 'and the pod that is still wanted was not started again');
  },
);

t.test('an end is seen and told: the same event is counted, not told again', async (t) => {
  const { socketPath, runtime } = await setup(t);
  await using api = await standInApi(socketPath);
  api.put(pod());
  await eventually('it runs', () => phase(api) === 'Running' || undefined);
  runtime.refuses = new Error('not today');
  runtime.end('main');
  const failed = await eventually('the failure is told', async () => {
    api.put(api.pods.get('hello')!);
    return [...api.events.values()].find(({ reason }) => reason === 'Failed');
  });
  t.match(failed, {
    type: 'Warning',
    message: /not today/,
    involvedObject: { kind: 'Pod', name: 'hello', uid: 'u1', fieldPath: 'spec.containers{main}' },
    source: { component: 'jdos-agent', host: 'node-a' },
  });
});

t.test('a plan is made and not carried out', async (t) => {
  const { socketPath, runtime, agent } = await setup(t);
  await using api = await standInApi(socketPath);
  await eventually('it watches', () => api.watching > 0 || undefined);
  const procedure = agent.procedures.find(({ name }) => name === 'Node::plan');
  const { uid: _, ...metadata } = pod().metadata;
  const wanted = { ...pod(), metadata, status: {} };
  const reply = await procedure?.handler({ pods: [wanted] }, { caller: 't', signal: new AbortController().signal });
  t.equal(
    PlanReply.parse(reply).text,
    '#1 create-sandbox default/hello attempt 0 on process (the pod has no sandbox)\n' +
      '#2 start-container default/hello/main attempt 0 (it never ran)',
  );
  t.same(runtime.facts(), { sandboxes: [], containers: [] });
});

t.test('with no pods the agent asks nobody anything', async (t) => {
  const { socketPath } = await setup(t);
  await using api = await standInApi(socketPath);
  await eventually('it watches', () => api.watching > 0 || undefined);
  await sleep(300);
  const before = api.seen.length;
  await sleep(1500);
  t.equal(api.seen.length, before);
});

t.test('a host name becomes a node name', async (t) => {
  t.same(['Web_01', 'a.b', '-x-', '主机'].map(nodeNameOf), ['web-01', 'a.b', 'x', 'localhost']);
});
