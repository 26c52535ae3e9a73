// Pods and runs for the tests of the node agent.
import type { Pod, PodSpec, PodStatus } from '../../../src/orchestrator/objects/pod.ts';
import type { ObservedContainer, ObservedSandbox } from '../../../src/orchestrator/runtimes/runtime.ts';

export const WALL = Date.parse('2026-11-22T08:00:00Z');

export interface PodParts {
  readonly name?: string;
  readonly uid?: string;
  readonly spec?: Partial<PodSpec>;
  readonly status?: Partial<PodStatus>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly deleted?: number;
}

export const pod = ({ name = 'hello', uid = 'u1', spec, status, annotations, deleted }: PodParts = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name,
    namespace: 'default',
    uid,
    resourceVersion: '1',
    creationTimestamp: '2026-11-22T07:59:00Z',
    ...(annotations === undefined ? {} : { annotations }),
    ...(deleted === undefined
      ? {}
      : { deletionTimestamp: '2026-11-22T08:00:00Z', deletionGracePeriodSeconds: deleted }),
  },
  spec: {
    containers: [{ name: 'main', command: ['sleep', '1000'] }],
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: 30,
    nodeName: 'node-a',
    runtimeClassName: 'process',
    ...spec,
  },
  status: { phase: 'Pending', ...status },
});

export const sandbox = (attempt = 0, ready = true, uid = 'u1'): ObservedSandbox => ({
  id: `${uid}-s${attempt}`,
  podUid: uid,
  namespace: 'default',
  podName: 'hello',
  attempt,
  ready,
  createdAt: WALL,
});

export const run = (
  name: string,
  attempt: number,
  state: ObservedContainer['state'],
  more: Partial<ObservedContainer> = {},
): ObservedContainer => ({
  id: `u1-${name}-${attempt}`,
  sandboxId: 'u1-s0',
  podUid: 'u1',
  namespace: 'default',
  podName: 'hello',
  name,
  attempt,
  state,
  image: '',
  imageId: '',
  createdAt: WALL,
  ...(state === 'created' ? {} : { startedAt: WALL }),
  ...(state === 'exited' ? { finishedAt: WALL, exitCode: 0, reason: 'Completed' as const } : {}),
  ...more,
});
