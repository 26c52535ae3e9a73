// One container's status, the way the kubelet words it: waiting, running or terminated, and how the last run ended.
import type { Container, ContainerState, ContainerStatus, Pod } from '../objects/pod.ts';
import type { RuntimeName } from '../runtimes/runtime.ts';
import { effectiveDelay, type Trouble } from './back-off.ts';
import type { PodMemory } from './memory.ts';
import { lastRun, type PodFacts, previousRun, type Run } from './runs.ts';
import { timeOf } from './times.ts';

export interface StatusGround {
  readonly pod: Pod;
  readonly runtime: RuntimeName;
  readonly facts: PodFacts;
  readonly memory: PodMemory;
  /** Monotonic milliseconds. */
  readonly now: number;
  /** Why nothing of the pod is started. */
  readonly refusal?: string;
}

type Waiting = NonNullable<ContainerState['waiting']>;

/** For an end that nobody saw: as the kubelet writes where it lost a container (kubelet_pods.go). */
const LOST_EXIT_CODE = 137;
const LOST = 'nobody waited for the process when it ended, so its exit code is unknown; counted as a failure';

/** `idle` is the reason a container waits for that may not start yet; `restarts` whether an ended one starts again. */
export function containerStatus(
  ground: StatusGround,
  container: Container,
  idle: string,
  restarts: (run: Run) => boolean,
): ContainerStatus {
  const { facts, runtime } = ground;
  const run = lastRun(facts, container.name);
  const previous = previousRun(facts, container.name);
  const state = stateOf(ground, container, run, idle, restarts);
  const last = run?.state === 'exited' && state.waiting !== undefined ? run : previous;
  const running = state.running !== undefined;
  return {
    name: container.name,
    state,
    lastState: last === undefined ? {} : { terminated: terminated(last, runtime) },
    ready: running,
    started: running,
    restartCount: run?.attempt ?? 0,
    image: container.image ?? run?.image ?? '',
    imageID: run?.imageId ?? '',
    ...(run === undefined ? {} : { containerID: `${runtime}://${run.id}` }),
  };
}

function stateOf(
  ground: StatusGround,
  container: Container,
  run: Run | undefined,
  idle: string,
  restarts: (run: Run) => boolean,
): ContainerState {
  const { memory, runtime, now, refusal } = ground;
  if (run?.state === 'running') return { running: { startedAt: timeOf(run.startedAt ?? run.createdAt) } };
  if (run?.state === 'exited' && !restarts(run)) return { terminated: terminated(run, runtime) };
  const trouble = memory.troubles.get(container.name);
  if (trouble !== undefined) return { waiting: troubleWaiting(container, trouble) };
  if (refusal !== undefined) return { waiting: { reason: 'CreateContainerConfigError', message: refusal } };
  if (run?.state !== 'exited') return { waiting: { reason: idle } };
  const backOff = memory.backOffs.get(container.name);
  const due = backOff?.endedAt === undefined ? now : backOff.endedAt + effectiveDelay(backOff);
  if (backOff === undefined || due <= now) return { terminated: terminated(run, runtime) };
  return {
    waiting: { reason: 'CrashLoopBackOff', message: backOffMessage(ground.pod, container.name, backOff.delayMs) },
  };
}

/** After the second failed pull the kubelet calls the wait by its own name (image_manager.go). */
function troubleWaiting({ image = '' }: Container, { reason, message, failures }: Trouble): Waiting {
  if (reason !== 'ErrImagePull' || failures < 2) return { reason, message };
  return { reason: 'ImagePullBackOff', message: `Back-off pulling image "${image}": ${reason}: ${message}` };
}

/** The kubelet's words (kuberuntime_manager.go). */
const backOffMessage = ({ metadata }: Pod, container: string, delayMs: number): string =>
  `back-off ${duration(delayMs / 1000)} restarting failed container=${container} ` +
  `pod=${metadata.name}_${metadata.namespace ?? 'default'}(${metadata.uid})`;

/** Go's notation: `40s`, `1m20s`, `5m0s`. */
const duration = (seconds: number): string =>
  seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;

function terminated(run: Run, runtime: RuntimeName): NonNullable<ContainerState['terminated']> {
  const lost = run.exitCode === undefined && run.signal === undefined;
  const exitCode = run.exitCode ?? (run.signal === undefined ? LOST_EXIT_CODE : 128 + run.signal);
  const message = run.message ?? (lost ? LOST : undefined);
  return {
    exitCode,
    ...(run.signal === undefined ? {} : { signal: run.signal }),
    reason: run.reason ?? (lost ? 'ExitCodeLost' : exitCode === 0 ? 'Completed' : 'Error'),
    ...(message === undefined ? {} : { message }),
    ...(run.startedAt === undefined ? {} : { startedAt: timeOf(run.startedAt) }),
    ...(run.finishedAt === undefined ? {} : { finishedAt: timeOf(run.finishedAt) }),
    containerID: `${runtime}://${run.id}`,
  };
}
