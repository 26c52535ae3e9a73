// Details of containers are asked for once, and never believed longer than changes are heard.
import t from 'tap';
import type { ContainerDetails } from '../../../src/drivers/docker/index.ts';
import { keepInspections } from '../../../src/orchestrator/runtimes/docker/inspections.ts';

const details = (id: string, pid: number): ContainerDetails => ({
  Id: id,
  Name: id,
  Created: '2026-11-22T08:00:00Z',
  Image: 'sha256:0',
  Config: { Image: 'a:1', Labels: {} },
  HostConfig: {},
  State: { Status: 'running', Running: true, Pid: pid, ExitCode: 0, StartedAt: '', FinishedAt: '' },
});

function setUp() {
  const asked: string[] = [];
  const pids = new Map<string, number>();
  const docker = {
    /** What happens between the question and the answer. */
    meanwhile: (): void => undefined,
    async inspect(id: string) {
      asked.push(id);
      const pid = pids.get(id);
      docker.meanwhile();
      return pid === undefined ? undefined : details(id, pid);
    },
  };
  const inspections = keepInspections();
  const busy = new Set<string>();
  const list = async (...states: readonly (readonly [string, string])[]): Promise<readonly number[]> => {
    const summaries = states.map(([Id, State]) => ({ Id, State, Image: 'a:1', Labels: {}, Names: [`/${Id}`] }));
    return (await inspections.of(docker, summaries, (name) => busy.has(name))).map(({ State }) => State.Pid);
  };
  const questions = (): readonly string[] => asked.splice(0).sort();
  return { docker, pids, inspections, list, questions, busy };
}

t.test('while events are not heard, everything is asked each time', async (t) => {
  const { pids, list, questions } = setUp();
  pids.set('a', 1);
  t.same(await list(['a', 'running']), [1]);
  t.same(await list(['a', 'running']), [1]);
  t.same(questions(), ['a', 'a']);
});

t.test('while they are heard, what changed is asked, and what the list says to be in another state', async (t) => {
  const { pids, inspections, list, questions } = setUp();
  inspections.heard(true);
  pids.set('a', 1).set('b', 2);
  t.same(await list(['a', 'running'], ['b', 'running']), [1, 2]);
  t.same(await list(['a', 'running'], ['b', 'running']), [1, 2]);
  t.same(questions(), ['a', 'b']);
  pids.set('a', 3);
  inspections.forget('a');
  t.same(await list(['a', 'running'], ['b', 'running']), [3, 2]);
  t.same(questions(), ['a']);
  t.same(await list(['a', 'running'], ['b', 'exited']), [3, 2]);
  t.same(questions(), ['b']);
  pids.delete('b');
  inspections.forget('b');
  t.same(await list(['a', 'running'], ['b', 'exited']), [3], 'what is removed meanwhile is left out');
});

t.test('a change during the question, and one that nobody heard, are asked again', async (t) => {
  const { docker, pids, inspections, list, questions } = setUp();
  inspections.heard(true);
  pids.set('a', 1);
  docker.meanwhile = () => inspections.forget('a');
  t.same(await list(['a', 'running']), [1]);
  docker.meanwhile = () => undefined;
  questions();
  await list(['a', 'running']);
  t.same(questions(), ['a'], 'the answer was older than the change');
  await list(['a', 'running']);
  t.same(questions(), []);
  inspections.heard(false);
  inspections.heard(true);
  await list(['a', 'running']);
  t.same(questions(), ['a'], 'what happened between two connections is not known');
  const next = setUp();
  next.pids.set('a', 1);
  next.docker.meanwhile = () => next.inspections.heard(true);
  await next.list(['a', 'running']);
  next.docker.meanwhile = () => undefined;
  next.questions();
  await next.list(['a', 'running']);
  t.same(next.questions(), ['a'], 'what was asked before the connection is not kept');
});

t.test('what is being started is not asked about, since the answer would wait for it', async (t) => {
  const { pids, list, questions, busy } = setUp();
  pids.set('a', 1).set('b', 2).set('c', 3);
  busy.add('a').add('c');
  t.same(await list(['a', 'created'], ['b', 'created'], ['c', 'running']), [2, 3]);
  t.same(questions(), ['b', 'c']);
});
