// A pod's status from the facts: pure, and the same words as the kubelet's (kubelet_pods.go, status/generate.go).
import type { Container, ContainerStatus, PodPhase, PodStatus } from '../objects/pod.ts';
import { settle, verdict, type Verdict } from './conditions.ts';
import { containerStatus, type StatusGround } from './container-status.ts';
import { SANDBOX } from './memory.ts';
import { isPastDeadline } from './plan.ts';
import { containersOf, endedWell, initFailed, lastRun, lastSandbox, restarts, type Run } from './runs.ts';
import { timeOf } from './times.ts';

interface StatusOptions extends StatusGround {
  readonly hostIP: string;
  /** Unix milliseconds, for the times that people read. */
  readonly wall: number;
}

export function podStatus(options: StatusOptions): PodStatus {
  const { pod, facts, hostIP, wall, memory, now } = options;
  const policy = pod.spec.restartPolicy;
  const deleted = pod.metadata.deletionTimestamp !== undefined;
  const pastDeadline = isPastDeadline(pod, memory, now);
  const ended = deleted || pastDeadline || pod.status.phase === 'Succeeded' || pod.status.phase === 'Failed';
  const inits = pod.spec.initContainers ?? [];
  const begun = pod.spec.containers.some(({ name }) => lastRun(facts, name) !== undefined);
  const initialized = begun || inits.every(({ name }) => isDone(lastRun(facts, name)));
  const statusOf = (container: Container, idle: string, again: (run: Run) => boolean): ContainerStatus =>
    containerStatus(withSandboxTrouble(options, container), container, idle, again);
  const initStatuses = inits.map((init) =>
    statusOf(init, 'PodInitializing', (run) => !ended && !endedWell(run) && policy !== 'Never'),
  );
  const statuses = pod.spec.containers.map((container) =>
    statusOf(container, initialized || inits.length === 0 ? 'ContainerCreating' : 'PodInitializing', (run) =>
      ended ? false : restarts(policy, run),
    ),
  );
  const phase = phaseOf(options, initialized, ended, pastDeadline);
  const ip = lastSandbox(facts)?.ip;
  const over = pastDeadline && pod.status.reason === undefined && phase === 'Failed';
  return {
    phase,
    ...(over
      ? { reason: 'DeadlineExceeded', message: 'Pod was active on the node longer than the specified deadline' }
      : kept(pod.status)),
    conditions: settle(
      pod.status.conditions,
      verdicts(options, phase, initialized, initStatuses, statuses),
      timeOf(wall),
    ),
    hostIP,
    ...(ip === undefined ? {} : { podIP: ip, podIPs: [{ ip }] }),
    startTime: pod.status.startTime ?? timeOf(wall),
    ...(inits.length === 0 ? {} : { initContainerStatuses: initStatuses }),
    containerStatuses: statuses,
    ...(pod.status.qosClass === undefined ? {} : { qosClass: pod.status.qosClass }),
  };
}

const isDone = (run: Run | undefined): boolean => run !== undefined && endedWell(run);

const kept = ({ reason, message }: PodStatus): Pick<PodStatus, 'reason' | 'message'> => ({
  ...(reason === undefined ? {} : { reason }),
  ...(message === undefined ? {} : { message }),
});

/** What keeps the sandbox from being made keeps every container waiting. */
function withSandboxTrouble(options: StatusOptions, { name }: Container): StatusGround {
  const trouble = options.memory.troubles.get(SANDBOX);
  if (trouble === undefined || options.memory.troubles.has(name)) return options;
  const troubles = new Map(options.memory.troubles).set(name, trouble);
  return { ...options, memory: { ...options.memory, troubles } };
}

function phaseOf({ pod, facts }: StatusOptions, initialized: boolean, ended: boolean, pastDeadline: boolean): PodPhase {
  const { phase } = pod.status;
  if (phase === 'Succeeded' || phase === 'Failed') return phase;
  const policy = pod.spec.restartPolicy;
  const all = containersOf(pod).map(({ name }) => lastRun(facts, name));
  const runs = pod.spec.containers.map(({ name }) => lastRun(facts, name));
  if (ended && all.every((run) => run?.state !== 'running'))
    return runs.every(isDone) && !pastDeadline ? 'Succeeded' : 'Failed';
  if ((pod.spec.initContainers ?? []).some(({ name }) => initFailed(policy, lastRun(facts, name)))) return 'Failed';
  if (!initialized) return 'Pending';
  if (runs.some((run) => run === undefined || run.state === 'created')) {
    return runs.some((run) => run?.state === 'running' || (run?.attempt ?? 0) > 0) ? 'Running' : 'Pending';
  }
  if (runs.some((run) => run?.state === 'running' || (run !== undefined && restarts(policy, run)))) return 'Running';
  return runs.every(isDone) ? 'Succeeded' : 'Failed';
}

function verdicts(
  { pod, facts }: StatusOptions,
  phase: PodPhase,
  initialized: boolean,
  inits: readonly ContainerStatus[],
  statuses: readonly ContainerStatus[],
): readonly Verdict[] {
  const over = phase === 'Succeeded' || phase === 'Failed';
  const names = (of: readonly ContainerStatus[]): string => `[${of.map(({ name }) => name).join(' ')}]`;
  const unready = statuses.filter(({ ready }) => !ready);
  const why: readonly [string, string?] = over
    ? [phase === 'Succeeded' ? 'PodCompleted' : 'PodFailed']
    : ['ContainersNotReady', `containers with unready status: ${names(unready)}`];
  const undone = inits.filter(({ state }) => state.terminated?.exitCode !== 0);
  const scheduled: Verdict = { type: 'PodScheduled', status: 'True' };
  return [
    ...(pod.status.conditions?.some(({ type }) => type === 'PodScheduled') ? [] : [scheduled]),
    { type: 'PodReadyToStartContainers', status: lastSandbox(facts)?.ready === true ? 'True' : 'False' },
    verdict(
      'Initialized',
      initialized,
      'ContainersNotInitialized',
      `containers with incomplete status: ${names(undone)}`,
    ),
    ...['ContainersReady', 'Ready'].map((type) => verdict(type, unready.length === 0 && !over, ...why)),
  ];
}
