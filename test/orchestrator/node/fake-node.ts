// One pod's worker over a runtime and an API in memory; restarting it forgets everything that the agent remembers.
import { openLog } from '../../../src/base/logging.ts';
import type { Happening } from '../../../src/orchestrator/node/apply.ts';
import { observe } from '../../../src/orchestrator/node/observations.ts';
import { openPods, type Pods } from '../../../src/orchestrator/node/pods.ts';
import { openPodSync, type PodApi, type PodSync } from '../../../src/orchestrator/node/sync.ts';
import type { Pod } from '../../../src/orchestrator/objects/pod.ts';
import { type FakeClock, fakeClock, type FakeRuntime, fakeRuntime } from './fake-runtime.ts';
import { WALL } from './samples.ts';

export interface FakeNode {
  readonly clock: FakeClock;
  readonly runtime: FakeRuntime;
  readonly told: Happening[];
  /** What the API has, by uid. */
  readonly objects: Map<string, Pod>;
  set(pod: Pod): void;
  /** One look at the pod; gives what the worker gave. */
  sync(uid?: string): Promise<number | undefined>;
  /** The agent is started again: the memory is gone, facts and objects stay. */
  restart(): void;
  /** Follows the waits until the clock has moved by `ms`. */
  run(ms: number, uid?: string): Promise<void>;
  apiDown: boolean;
}

export function fakeNode(): FakeNode {
  const clock = fakeClock(WALL);
  const runtime = fakeRuntime(clock);
  const objects = new Map<string, Pod>();
  const told: Happening[] = [];
  let version = 1;
  const change = (pod: Pod, update: (now: Pod) => Pod): Promise<Pod | undefined> => {
    if (node.apiDown) return Promise.reject(new Error('the API is down'));
    const now = objects.get(pod.metadata.uid);
    if (now === undefined) return Promise.resolve(undefined);
    version += 1;
    const after = update(now);
    const stored = { ...after, metadata: { ...after.metadata, resourceVersion: String(version) } };
    objects.set(pod.metadata.uid, stored);
    return Promise.resolve(stored);
  };
  const api: PodApi = {
    writeStatus: (pod, status) => change(pod, (now) => ({ ...now, status })),
    annotate: (pod, annotations) =>
      change(pod, (now) => ({
        ...now,
        metadata: { ...now.metadata, annotations: { ...now.metadata.annotations, ...annotations } },
      })),
    confirmDeletion: async (pod) => {
      if (node.apiDown) throw new Error('the API is down');
      objects.delete(pod.metadata.uid);
      pods.delete(pod.metadata.uid);
    },
    uidOf: async (_, name) => [...objects.values()].find(({ metadata }) => metadata.name === name)?.metadata.uid,
  };
  let pods: Pods;
  let worker: PodSync;
  const node: FakeNode = {
    clock,
    runtime,
    told,
    objects,
    apiDown: false,
    set(pod) {
      objects.set(pod.metadata.uid, pod);
      pods.put(pod);
    },
    sync: (uid = 'u1') => worker.sync(uid),
    restart() {
      pods = openPods(() => undefined);
      pods.replace([...objects.values()]);
      worker = openPodSync({
        runtimes: [runtime],
        observations: observe([runtime]),
        pods,
        api,
        tell: (_, happening) => told.push(happening),
        clock,
        hostIP: () => '192.0.2.1',
        ownUid: 0,
        log: openLog('test', 'silent'),
      });
    },
    async run(ms, uid) {
      const end = clock.now() + ms;
      for (;;) {
        const wait = await node.sync(uid);
        if (wait === undefined || clock.now() + wait > end) break;
        clock.pass(wait);
      }
      clock.pass(end - clock.now());
    },
  };
  node.restart();
  return node;
}
