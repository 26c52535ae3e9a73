// A pod as a row of `kubectl get pods` (kubernetes pkg/printers/internalversion/printers.go, printPod).
import type { ContainerStatus, Pod } from '../objects/pod.ts';
import { age } from './age.ts';

const endReason = ({ state }: ContainerStatus): string | undefined => {
  const { waiting, terminated } = state;
  if (waiting !== undefined && waiting.reason !== '') return waiting.reason;
  if (terminated === undefined) return undefined;
  if (terminated.reason !== undefined && terminated.reason !== '') return terminated.reason;
  return (terminated.signal ?? 0) !== 0 ? `Signal:${terminated.signal}` : `ExitCode:${terminated.exitCode}`;
};

/** `Init:0/2`, `Init:CrashLoopBackOff`…; undefined when all are done. */
function initReason({ spec, status }: Pod): string | undefined {
  const total = spec.initContainers?.length ?? 0;
  for (const [i, one] of (status.initContainerStatuses ?? []).entries()) {
    const { waiting, terminated } = one.state;
    if (terminated?.exitCode === 0) continue;
    if (terminated !== undefined) return `Init:${endReason(one)}`;
    if (waiting !== undefined && waiting.reason !== '' && waiting.reason !== 'PodInitializing')
      return `Init:${waiting.reason}`;
    return `Init:${i}/${total}`;
  }
  return undefined;
}

function shownStatus(pod: Pod): string {
  const { status, metadata } = pod;
  let reason = status.reason ?? status.phase;
  const init = initReason(pod);
  if (init !== undefined) reason = init;
  else {
    let running = false;
    for (const one of [...(status.containerStatuses ?? [])].reverse()) {
      reason = endReason(one) ?? reason;
      running ||= one.ready && one.state.running !== undefined;
    }
    if (reason === 'Completed' && running) reason = isReady(pod) ? 'Running' : 'NotReady';
  }
  if (metadata.deletionTimestamp !== undefined && status.phase !== 'Succeeded' && status.phase !== 'Failed') {
    return status.reason === 'NodeLost' ? 'Unknown' : 'Terminating';
  }
  return reason;
}

const isReady = ({ status }: Pod): boolean =>
  status.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true;

export function podRow(pod: Pod, now: number): readonly (string | number)[] {
  const statuses = pod.status.containerStatuses ?? [];
  const restarts = statuses.reduce((sum, { restartCount }) => sum + restartCount, 0);
  const ended = statuses
    .map(({ lastState }) => Date.parse(lastState?.terminated?.finishedAt ?? ''))
    .filter((at) => !Number.isNaN(at));
  const ago =
    restarts > 0 && ended.length > 0
      ? ` (${age(new Date(ended.reduce((one, other) => Math.max(one, other))).toISOString(), now)} ago)`
      : '';
  return [
    pod.metadata.name,
    `${statuses.filter(({ ready, state }) => ready && state.running !== undefined).length}/${pod.spec.containers.length}`,
    shownStatus(pod),
    `${restarts}${ago}`,
    age(pod.metadata.creationTimestamp, now),
    pod.status.podIP ?? '<none>',
    pod.spec.nodeName ?? '<none>',
  ];
}
