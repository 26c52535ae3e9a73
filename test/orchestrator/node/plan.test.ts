// What the node agent decides, rule by rule: the printed plan is the test.
import t from 'tap';
import { plan, type PodView } from '../../../src/orchestrator/node/plan.ts';
import { remember } from '../../../src/orchestrator/node/memory.ts';
import { podFacts } from '../../../src/orchestrator/node/runs.ts';
import { render } from '../../../src/orchestrator/node/step.ts';
import { refusalOf } from '../../../src/orchestrator/node/runtime-choice.ts';
import type { Pod } from '../../../src/orchestrator/objects/pod.ts';
import type { RuntimeFacts } from '../../../src/orchestrator/runtimes/runtime.ts';
import { golden } from '../../support/golden.ts';
import { pod, run, sandbox, WALL } from './samples.ts';

interface Case {
  readonly says: string;
  readonly pod?: Pod | undefined;
  readonly facts?: Partial<RuntimeFacts> | 'unknown';
  /** Milliseconds since the agent looked at the facts first. */
  readonly later?: number;
}

const failed = { exitCode: 1, reason: 'Error' } as const;
const two = { containers: [{ name: 'main' }, { name: 'side' }] };
const withInit = { initContainers: [{ name: 'first' }, { name: 'second' }] };

const CASES: readonly Case[] = [
  { says: 'a new pod gets its sandbox first, then its containers', pod: pod({ spec: two }) },
  { says: 'a sandbox that is there is used', facts: { sandboxes: [sandbox()] } },
  { says: 'a pod that runs is left alone', facts: { sandboxes: [sandbox()], containers: [run('main', 0, 'running')] } },
  {
    says: 'a container that was created before a crash of the agent is started, not made anew',
    facts: { sandboxes: [sandbox()], containers: [run('main', 0, 'created')] },
  },
  {
    says: 'Always: the first restart comes at once, also after a good end',
    facts: { sandboxes: [sandbox()], containers: [run('main', 0, 'exited')] },
  },
  {
    says: 'the second restart waits ten seconds',
    facts: { sandboxes: [sandbox()], containers: [run('main', 0, 'exited'), run('main', 1, 'exited', failed)] },
  },
  {
    says: 'and comes when they have passed; older dead runs go',
    facts: { sandboxes: [sandbox()], containers: [run('main', 0, 'exited'), run('main', 1, 'exited', failed)] },
    later: 10_000,
  },
  {
    says: 'a run of ten minutes that ends is started again at once, whatever its number',
    facts: {
      sandboxes: [sandbox()],
      containers: [run('main', 7, 'exited', { ...failed, startedAt: WALL - 600_000, finishedAt: WALL })],
    },
  },
  {
    says: 'OnFailure: a good end is the end',
    pod: pod({ spec: { restartPolicy: 'OnFailure' } }),
    facts: { sandboxes: [sandbox()], containers: [run('main', 0, 'exited')] },
  },
  {
    says: 'OnFailure: an end that nobody saw is a failure',
    pod: pod({ spec: { restartPolicy: 'OnFailure' } }),
    facts: {
      sandboxes: [sandbox()],
      containers: [(({ exitCode: _, ...rest }) => rest)(run('main', 0, 'exited', { reason: 'ExitCodeLost' }))],
    },
  },
  {
    says: 'Never: a failure is the end',
    pod: pod({ spec: { restartPolicy: 'Never' } }),
    facts: { sandboxes: [sandbox()], containers: [run('main', 0, 'exited', failed)] },
  },
  {
    says: 'Never: what the API knows to have run is not started again when its container was removed by hand',
    pod: pod({
      spec: { restartPolicy: 'Never' },
      status: {
        phase: 'Running',
        containerStatuses: [
          {
            name: 'main',
            state: { running: { startedAt: '2026-11-22T07:00:00Z' } },
            lastState: {},
            ready: true,
            started: true,
            restartCount: 0,
            image: '',
            imageID: '',
            containerID: 'process://x',
          },
        ],
      },
    }),
    facts: { sandboxes: [sandbox()] },
  },
  { says: 'init containers come one by one, before all others', pod: pod({ spec: withInit }) },
  {
    says: 'the next waits for the one before',
    pod: pod({ spec: withInit }),
    facts: { sandboxes: [sandbox()], containers: [run('first', 0, 'running')] },
  },
  {
    says: 'after a good end the next is started',
    pod: pod({ spec: withInit }),
    facts: { sandboxes: [sandbox()], containers: [run('first', 0, 'exited')] },
  },
  {
    says: 'an init container that fails is tried again',
    pod: pod({ spec: { ...withInit, restartPolicy: 'OnFailure' } }),
    facts: { sandboxes: [sandbox()], containers: [run('first', 0, 'exited', failed)] },
  },
  {
    says: 'Never: an init container that fails ends the pod',
    pod: pod({ spec: { ...withInit, restartPolicy: 'Never' } }),
    facts: { sandboxes: [sandbox()], containers: [run('first', 0, 'exited', failed)] },
  },
  {
    says: 'when all init containers are done the others are started',
    pod: pod({ spec: { ...withInit, ...two } }),
    facts: { sandboxes: [sandbox()], containers: [run('first', 0, 'exited'), run('second', 0, 'exited')] },
  },
  {
    says: 'a sandbox that is gone takes its containers along; a new one is made, and init containers run again',
    pod: pod({ spec: { initContainers: [{ name: 'first' }] } }),
    facts: { sandboxes: [sandbox(0, false)], containers: [run('first', 0, 'exited'), run('main', 3, 'running')] },
  },
  {
    says: 'Never: no new sandbox for a pod whose containers ended with the old one',
    pod: pod({ spec: { restartPolicy: 'Never' } }),
    facts: { sandboxes: [sandbox(0, false)], containers: [run('main', 0, 'exited', failed)] },
  },
  {
    says: 'two runs at once: the older one is stopped',
    facts: { sandboxes: [sandbox()], containers: [run('main', 0, 'running'), run('main', 1, 'running')] },
  },
  {
    says: 'deletion: TERM with the grace that was asked for, the last status, containers, the sandbox last',
    pod: pod({ deleted: 5, spec: two }),
    facts: {
      sandboxes: [sandbox()],
      containers: [run('main', 0, 'exited'), run('main', 1, 'running'), run('side', 0, 'running')],
    },
  },
  { says: 'deletion of what never ran is confirmed', pod: pod({ deleted: 30 }) },
  {
    says: 'a pod that the API forgot is stopped with a grace and removed',
    pod: undefined,
    facts: { sandboxes: [sandbox()], containers: [run('main', 0, 'running')] },
  },
  { says: 'nothing is concluded where the runtime does not answer', facts: 'unknown' },
  {
    says: 'nor when the pod is being deleted',
    pod: pod({ deleted: 30 }),
    facts: 'unknown',
  },
  {
    says: 'activeDeadlineSeconds is a time to come back',
    pod: pod({ spec: { activeDeadlineSeconds: 60 } }),
    facts: { sandboxes: [sandbox()], containers: [run('main', 0, 'running')] },
  },
  {
    says: 'activeDeadlineSeconds ends the pod when it has passed',
    pod: pod({ spec: { activeDeadlineSeconds: 60 } }),
    facts: { sandboxes: [sandbox()], containers: [run('main', 0, 'running')] },
    later: 60_000,
  },
  {
    says: 'a pod that failed is never started again',
    pod: pod({ status: { phase: 'Failed', reason: 'DeadlineExceeded' } }),
    facts: { sandboxes: [sandbox()], containers: [run('main', 0, 'exited')] },
  },
  {
    says: 'a process as root is not started for those who may not',
    pod: pod({ annotations: { 'jdos.io/allow-root-process': 'false' } }),
  },
  {
    says: 'with a user of its own it is',
    pod: pod({
      annotations: { 'jdos.io/allow-root-process': 'false' },
      spec: { securityContext: { runAsUser: 1000 } },
    }),
  },
];

function view(given: Case): PodView {
  const object = 'pod' in given ? given.pod : pod();
  const { facts = {} } = given;
  const observed =
    facts === 'unknown' ? undefined : podFacts(object, 'u1', { sandboxes: [], containers: [], ...facts });
  const memory = remember(undefined, object, observed ?? { sandboxes: [], runs: [] }, { now: 0, wall: WALL });
  const refusal = object === undefined ? undefined : refusalOf(object, 'process', 0);
  return {
    uid: 'u1',
    key: 'default/hello',
    pod: object,
    runtime: 'process',
    facts: observed,
    memory,
    ...(refusal === undefined ? {} : { refusal }),
  };
}

t.test('the plan says what is done and why', async (t) => {
  const text = CASES.map(
    (each) => `${each.says}\n${render(plan([view(each)], each.later ?? 0)) || '(nothing)'}\n`,
  ).join('\n');
  await golden(t, 'orchestrator/plan.txt', text);
});
