// What the status says, state by state, in Kubernetes' words.
import t from 'tap';
import { remember, withTrouble, SANDBOX } from '../../../src/orchestrator/node/memory.ts';
import { podFacts } from '../../../src/orchestrator/node/runs.ts';
import { podStatus } from '../../../src/orchestrator/node/status.ts';
import type { ContainerState, Pod, PodStatus } from '../../../src/orchestrator/objects/pod.ts';
import type { RuntimeFacts } from '../../../src/orchestrator/runtimes/runtime.ts';
import { pod, run, sandbox, WALL } from './samples.ts';

interface Given {
  readonly pod?: Pod;
  readonly facts?: Partial<RuntimeFacts>;
  readonly later?: number;
  readonly trouble?: 'main' | typeof SANDBOX;
  /** How often the trouble came in a row. */
  readonly failures?: number;
  readonly refusal?: string;
}

function status({ pod: of = pod(), facts = {}, later = 0, trouble, failures = 1, refusal }: Given): PodStatus {
  const found = podFacts(of, 'u1', { sandboxes: [], containers: [], ...facts });
  let memory = remember(undefined, of, found, { now: 0, wall: WALL });
  if (trouble !== undefined) {
    const what = { reason: 'ErrImagePull', message: 'no. Try: yes', failures, retryAt: 10 };
    memory = withTrouble(memory, trouble, what);
  }
  return podStatus({
    pod: of,
    runtime: 'docker',
    facts: found,
    memory,
    now: later,
    wall: WALL + later,
    hostIP: '192.0.2.1',
    ...(refusal === undefined ? {} : { refusal }),
  });
}

const word = ({ waiting, running, terminated }: ContainerState): string =>
  waiting !== undefined
    ? `waiting ${waiting.reason}`
    : running !== undefined
      ? 'running'
      : terminated !== undefined
        ? `terminated ${terminated.reason} ${terminated.exitCode}`
        : '-';

/** Phase, each container as `state/last state/restarts`, and the conditions that hold. */
const line = (given: Given): string => {
  const { phase, reason, initContainerStatuses = [], containerStatuses = [], conditions = [] } = status(given);
  const containers = [...initContainerStatuses, ...containerStatuses].map(
    (each) => `${each.name}: ${word(each.state)} / ${word(each.lastState)} / ${each.restartCount}`,
  );
  const hold = conditions.filter((each) => each.status === 'True').map(({ type }) => type);
  return [[phase, reason].filter(Boolean).join(' '), ...containers, hold.join(' ')].join(' | ');
};

const here = [sandbox()];
const failed = { exitCode: 1, reason: 'Error' } as const;
const never = { restartPolicy: 'Never' } as const;
const init = { initContainers: [{ name: 'init' }] };
const lost = (({ exitCode: _, ...rest }) => rest)(run('main', 0, 'exited', { reason: 'ExitCodeLost' }));

t.test('the status of every state', async (t) => {
  const table: readonly (readonly [Given, string])[] = [
    [{}, 'Pending | main: waiting ContainerCreating / - / 0 | PodScheduled Initialized'],
    [{ trouble: SANDBOX }, 'Pending | main: waiting ErrImagePull / - / 0 | PodScheduled Initialized'],
    [
      { facts: { sandboxes: here }, trouble: 'main' },
      'Pending | main: waiting ErrImagePull / - / 0 | PodScheduled PodReadyToStartContainers Initialized',
    ],
    [{ refusal: 'no' }, 'Pending | main: waiting CreateContainerConfigError / - / 0 | PodScheduled Initialized'],
    [
      { pod: pod({ spec: init }), facts: { sandboxes: here, containers: [run('init', 0, 'running')] } },
      'Pending | init: running / - / 0 | main: waiting PodInitializing / - / 0 | PodScheduled PodReadyToStartContainers',
    ],
    [
      { pod: pod({ spec: init }), facts: { sandboxes: here, containers: [run('init', 1, 'exited', failed)] } },
      'Pending | init: waiting CrashLoopBackOff / terminated Error 1 / 1 | main: waiting PodInitializing / - / 0 | PodScheduled PodReadyToStartContainers',
    ],
    [
      {
        pod: pod({ spec: { ...init, ...never } }),
        facts: { sandboxes: here, containers: [run('init', 0, 'exited', failed)] },
      },
      'Failed | init: terminated Error 1 / - / 0 | main: waiting PodInitializing / - / 0 | PodScheduled PodReadyToStartContainers',
    ],
    [
      { facts: { sandboxes: here, containers: [run('main', 0, 'running')] } },
      'Running | main: running / - / 0 | PodScheduled PodReadyToStartContainers Initialized ContainersReady Ready',
    ],
    [
      { facts: { sandboxes: here, containers: [run('main', 2, 'exited', failed), run('main', 3, 'running')] } },
      'Running | main: running / terminated Error 1 / 3 | PodScheduled PodReadyToStartContainers Initialized ContainersReady Ready',
    ],
    [
      { facts: { sandboxes: here, containers: [run('main', 0, 'exited', failed)] } },
      'Running | main: terminated Error 1 / - / 0 | PodScheduled PodReadyToStartContainers Initialized',
    ],
    [
      { facts: { sandboxes: here, containers: [run('main', 2, 'exited', failed)] } },
      'Running | main: waiting CrashLoopBackOff / terminated Error 1 / 2 | PodScheduled PodReadyToStartContainers Initialized',
    ],
    [
      { facts: { sandboxes: here, containers: [run('main', 2, 'exited', { exitCode: 137, reason: 'OOMKilled' })] } },
      'Running | main: waiting CrashLoopBackOff / terminated OOMKilled 137 / 2 | PodScheduled PodReadyToStartContainers Initialized',
    ],
    [
      { pod: pod({ spec: never }), facts: { sandboxes: here, containers: [run('main', 0, 'exited')] } },
      'Succeeded | main: terminated Completed 0 / - / 0 | PodScheduled PodReadyToStartContainers Initialized',
    ],
    [
      { pod: pod({ spec: never }), facts: { sandboxes: here, containers: [lost] } },
      'Failed | main: terminated ExitCodeLost 137 / - / 0 | PodScheduled PodReadyToStartContainers Initialized',
    ],
    [
      { pod: pod({ deleted: 30 }), facts: { sandboxes: here, containers: [run('main', 0, 'running')] } },
      'Running | main: running / - / 0 | PodScheduled PodReadyToStartContainers Initialized ContainersReady Ready',
    ],
    [
      { pod: pod({ deleted: 30 }), facts: { sandboxes: here, containers: [run('main', 0, 'exited', failed)] } },
      'Failed | main: terminated Error 1 / - / 0 | PodScheduled PodReadyToStartContainers Initialized',
    ],
    [
      { pod: pod({ deleted: 30 }), facts: { sandboxes: here, containers: [run('main', 0, 'exited')] } },
      'Succeeded | main: terminated Completed 0 / - / 0 | PodScheduled PodReadyToStartContainers Initialized',
    ],
    [
      {
        pod: pod({ spec: { activeDeadlineSeconds: 5 } }),
        facts: { sandboxes: here, containers: [run('main', 0, 'exited')] },
        later: 5000,
      },
      'Failed DeadlineExceeded | main: terminated Completed 0 / - / 0 | PodScheduled PodReadyToStartContainers Initialized',
    ],
  ];
  for (const [given, wanted] of table) t.equal(line(given), wanted);
});

t.test('an end that nobody saw says so', async (t) => {
  const { containerStatuses } = status({ pod: pod({ spec: never }), facts: { sandboxes: here, containers: [lost] } });
  t.match(containerStatuses?.[0]?.state.terminated?.message, /nobody waited/);
  t.equal(containerStatuses?.[0]?.containerID, 'docker://u1-main-0');
});

t.test('the time of a transition moves only with the status', async (t) => {
  const runs = { sandboxes: here, containers: [run('main', 0, 'running')] };
  const first = status({ facts: runs });
  const later = status({ pod: pod({ status: first }), facts: runs, later: 60_000 });
  t.same(later, first, 'a minute later nothing is different');
  const ended = status({
    pod: pod({ status: first }),
    facts: { sandboxes: here, containers: [run('main', 0, 'exited')] },
    later: 60_000,
  });
  const time = (type: string): string | undefined =>
    ended.conditions?.find((each) => each.type === type)?.lastTransitionTime;
  t.equal(time('Ready'), '2026-11-22T08:01:00Z');
  t.equal(time('Initialized'), '2026-11-22T08:00:00Z');
});

t.test('a pull that fails again is a back-off, with the image and the reason', async (t) => {
  const of = pod({ spec: { containers: [{ name: 'main', image: 'a:1' }] } });
  const waiting = (failures: number): ContainerState['waiting'] =>
    status({ pod: of, facts: { sandboxes: here }, trouble: 'main', failures }).containerStatuses?.[0]?.state.waiting;
  t.same(waiting(1), { reason: 'ErrImagePull', message: 'no. Try: yes' });
  t.same(waiting(2), {
    reason: 'ImagePullBackOff',
    message: 'Back-off pulling image "a:1": ErrImagePull: no. Try: yes',
  });
});
