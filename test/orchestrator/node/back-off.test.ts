// Crash loops, by a clock that nobody sets.
import t from 'tap';
import { delayAfter } from '../../../src/orchestrator/node/back-off.ts';
import { fakeNode } from './fake-node.ts';
import { pod } from './samples.ts';

t.test('a process that ends at once is started at 0, 0, 10, 30, 70, 150, 310, 610, 910 seconds', async (t) => {
  const node = fakeNode();
  node.runtime.behaviour = () => ({ ms: 0, exitCode: 1 });
  node.set(pod());
  await node.run(950_000);
  t.same(
    node.runtime.starts.map(({ at }) => at / 1000),
    [0, 0, 10, 30, 70, 150, 310, 610, 910],
  );
  t.same(
    node.runtime.starts.map(({ attempt }) => attempt),
    [0, 1, 2, 3, 4, 5, 6, 7, 8],
    'each start is a new run',
  );
  const status = node.objects.get('u1')?.status;
  t.equal(status?.containerStatuses?.[0]?.state.waiting?.reason, 'CrashLoopBackOff');
  t.equal(
    status?.containerStatuses?.[0]?.state.waiting?.message,
    'back-off 5m0s restarting failed container=main pod=hello_default(u1)',
  );
  t.equal(status?.phase, 'Running');
  t.equal(node.told.filter(({ reason }) => reason === 'BackOff').length, 8, 'each back-off is told once');
});

t.test('ten minutes of running well start the curve anew', async (t) => {
  const node = fakeNode();
  node.runtime.behaviour = (_, attempt) => ({ ms: attempt === 3 ? 601_000 : 0, exitCode: 1 });
  node.set(pod());
  await node.run(31_000);
  t.equal(node.runtime.starts.length, 4);
  node.clock.pass(600_000);
  const since = node.clock.now();
  await node.run(35_000);
  t.same(
    node.runtime.starts.slice(4).map(({ at }) => (at - since) / 1000),
    [0, 10, 30],
  );
});

t.test('a clock that is set an hour back or forth changes nothing', async (t) => {
  for (const jump of [-3_600_000, 3_600_000]) {
    const node = fakeNode();
    node.runtime.behaviour = () => ({ ms: 0, exitCode: 1 });
    node.set(pod());
    await node.run(20_000);
    node.clock.setWall(node.clock.wall() + jump);
    await node.run(300_000);
    t.same(
      node.runtime.starts.map(({ at }) => at / 1000),
      [0, 0, 10, 30, 70, 150, 310],
    );
  }
});

t.test('a restart of the agent makes no restart of a container come sooner', async (t) => {
  const node = fakeNode();
  node.runtime.behaviour = () => ({ ms: 0, exitCode: 1 });
  node.set(pod());
  await node.run(75_000);
  t.equal(node.runtime.starts.at(-1)?.at, 70_000);
  node.restart();
  await node.run(100_000);
  t.same(
    node.runtime.starts.slice(5).map(({ at }) => at / 1000),
    [150],
  );
});

t.test('a start that fails is tried again on the same curve, and says why in the status and in an event', async (t) => {
  const node = fakeNode();
  node.runtime.refuses = new Error('no such image');
  node.set(pod());
  t.equal(await node.sync(), 10_000);
  const waiting = node.objects.get('u1')?.status.containerStatuses?.[0]?.state.waiting;
  t.same(waiting, { reason: 'CreateContainerError', message: 'no such image' });
  t.equal(node.objects.get('u1')?.status.phase, 'Pending');
  t.match(
    node.told.find(({ reason }) => reason === 'Failed'),
    { type: 'Warning', container: 'main' },
  );
  node.clock.pass(10_000);
  t.equal(await node.sync(), 20_000);
  node.runtime.refuses = undefined;
  node.clock.pass(20_000);
  await node.sync();
  t.equal(node.objects.get('u1')?.status.phase, 'Running');
});

t.test('the delay after many runs is bounded', async (t) => {
  t.same([0, 1, 2, 6, 7, 1_000_000].map(delayAfter), [0, 10_000, 20_000, 300_000, 300_000, 300_000]);
});
