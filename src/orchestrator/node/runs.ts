// The runs of a pod's containers in order: which is the last, which the one before, which ended how.
import type { Container, Pod, RestartPolicy } from '../objects/pod.ts';
import type { ObservedContainer, ObservedSandbox, RuntimeFacts } from '../runtimes/runtime.ts';

/** A container as a runtime has it, or as the API remembers it where no runtime has it any more. */
export type Run = ObservedContainer & { readonly gone?: true };

export interface PodFacts {
  readonly sandboxes: readonly ObservedSandbox[];
  readonly runs: readonly Run[];
}

/** Ordered by attempt and never by time: a clock that is set must not change which run is the last. */
const byAttempt = <T extends { readonly attempt: number }>(a: T, b: T): number => b.attempt - a.attempt;

/** The runs of one container, last first. */
export const runsOf = (facts: PodFacts, container: string): readonly Run[] =>
  facts.runs.filter(({ name }) => name === container).sort(byAttempt);

export const lastRun = (facts: PodFacts, container: string): Run | undefined => runsOf(facts, container)[0];

/** The last run that ended before the last run. */
export const previousRun = (facts: PodFacts, container: string): Run | undefined => {
  const [last, ...older] = runsOf(facts, container);
  return older.find((run) => run.state === 'exited' && run.attempt < (last?.attempt ?? 0));
};

export const lastSandbox = (facts: PodFacts): ObservedSandbox | undefined => [...facts.sandboxes].sort(byAttempt)[0];

/** An end that nobody saw is a failure: what is unknown is not well. */
export const endedWell = (run: Run): boolean => run.state === 'exited' && run.exitCode === 0;

export const restarts = (policy: RestartPolicy, run: Run): boolean =>
  policy === 'Always' || (policy === 'OnFailure' && !endedWell(run));

/** An init container that ended well is done, whatever the policy; one that did not is started again unless it is Never. */
export const initFailed = (policy: RestartPolicy, run: Run | undefined): boolean =>
  policy === 'Never' && run?.state === 'exited' && !endedWell(run);

export const containersOf = (pod: Pod): readonly Container[] => [
  ...(pod.spec.initContainers ?? []),
  ...pod.spec.containers,
];

/**
 * The facts of one pod. A container that the API knows to have run, and that no runtime has any more, is remembered as
 * ended: without this, a pod that must not restart would, after somebody removed its container by hand.
 */
export function podFacts(pod: Pod | undefined, uid: string, facts: RuntimeFacts): PodFacts {
  const sandboxes = facts.sandboxes.filter(({ podUid }) => podUid === uid);
  const runs: Run[] = facts.containers.filter(({ podUid }) => podUid === uid);
  const statuses = [...(pod?.status.initContainerStatuses ?? []), ...(pod?.status.containerStatuses ?? [])];
  for (const { name, state, lastState, restartCount, image, imageID, containerID } of statuses) {
    if (pod === undefined || containerID === undefined || runs.some((run) => run.name === name)) continue;
    const ended = state.terminated ?? lastState.terminated;
    const millis = (time: string | undefined): number | undefined =>
      time === undefined ? undefined : Date.parse(time);
    const startedAt = millis(ended?.startedAt ?? state.running?.startedAt);
    const finishedAt = millis(ended?.finishedAt);
    const known = state.running === undefined && ended !== undefined && ended.reason !== 'ExitCodeLost';
    runs.push({
      id: containerID.replace(/^\w+:\/\//, ''),
      sandboxId: '',
      podUid: uid,
      namespace: pod.metadata.namespace ?? '',
      podName: pod.metadata.name,
      name,
      attempt: restartCount,
      state: 'exited',
      image,
      imageId: imageID,
      createdAt: startedAt ?? 0,
      ...(startedAt === undefined ? {} : { startedAt }),
      ...(finishedAt === undefined ? {} : { finishedAt }),
      ...(known
        ? { exitCode: ended.exitCode, reason: ended.exitCode === 0 ? 'Completed' : 'Error' }
        : { reason: 'ExitCodeLost', message: 'the container is not there any more: it was removed from outside' }),
      gone: true,
    });
  }
  return { sandboxes, runs };
}
