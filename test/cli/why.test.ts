// The story of a pod, told from what the API says.
import t from 'tap';
import { story } from '../../src/cli/why.ts';
import { golden } from '../support/golden.ts';

const NOW = Date.parse('2026-11-22T08:01:00Z');
const at = (second: number): string => `2026-11-22T08:00:${String(second).padStart(2, '0')}Z`;
type Pod = Parameters<typeof story>[0];
type Status = Pod['status'];
const pod = (status: Partial<Status>, more: Partial<Pod> = {}): Pod => ({
  metadata: {
    name: 'hello',
    namespace: 'default',
    uid: 'u1',
    creationTimestamp: at(0),
    annotations: { 'jdos.io/runtime': 'process' },
  },
  spec: { nodeName: 'node-a', restartPolicy: 'Always' },
  status: { phase: 'Pending', initContainerStatuses: [], containerStatuses: [], ...status },
  ...more,
});
const container = (state: object, lastState: object = {}, restartCount = 0) =>
  [{ name: 'main', state, lastState, restartCount }] as Status['containerStatuses'];
const failed = { terminated: { exitCode: 3, reason: 'Error', finishedAt: at(55) } };

t.test('each story is short, in order, and ends with what to do', async (t) => {
  const stories: readonly (readonly [Pod, Parameters<typeof story>[1]])[] = [
    [pod({}, { spec: {} }), []],
    [pod({ phase: 'Running', containerStatuses: container({ running: { startedAt: at(2) } }) }), []],
    [
      pod({
        phase: 'Running',
        containerStatuses: container(
          { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 10s restarting failed container=main' } },
          failed,
          1,
        ),
      }),
      [],
    ],
    [pod({ phase: 'Running', containerStatuses: container({ running: { startedAt: at(57) } }, failed, 2) }), []],
    [
      pod({
        phase: 'Failed',
        containerStatuses: container({
          terminated: { exitCode: 137, reason: 'ExitCodeLost', message: 'nobody waited', finishedAt: at(30) },
        }),
      }),
      [],
    ],
    [
      pod({ containerStatuses: container({ waiting: { reason: 'ContainerCreating' } }) }),
      [
        {
          involvedObject: { uid: 'u1' },
          type: 'Warning',
          reason: 'FailedCreatePodSandBox',
          message: 'no image. Try: load it',
          count: 3,
          lastTimestamp: at(50),
        },
        { involvedObject: { uid: 'u1' }, type: 'Normal', reason: 'Scheduled', message: 'x' },
      ],
    ],
  ];
  await golden(t, 'why.txt', `${stories.map(([of, events]) => story(of, events, NOW).join('\n')).join('\n\n')}\n`);
});
