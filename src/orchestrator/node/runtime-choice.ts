// Which runtime a pod runs on, and what may not run there.
import { type Pod, RUNTIME_ANNOTATION } from '../objects/pod.ts';
import { ROOT_PROCESS_ANNOTATION } from '../objects/pod-admission.ts';
import { type RuntimeName, RUNTIMES } from '../runtimes/runtime.ts';
import { containersOf } from './runs.ts';

/**
 * The pod's own word, else what was chosen when it was first seen, else docker where the host has it. Docker that is down
 * for a moment counts: a pod that was made then would be a process for ever.
 */
export function chooseRuntime({ metadata, spec }: Pod, hasDocker: boolean): RuntimeName {
  const said = spec.runtimeClassName ?? metadata.annotations?.[RUNTIME_ANNOTATION];
  return RUNTIMES.find((name) => name === said) ?? (hasDocker ? 'docker' : 'process');
}

/** Why the pod may not be started, with the remedy. `ownUid` is the user that the agent runs as. */
export function refusalOf(pod: Pod, runtime: RuntimeName, ownUid: number): string | undefined {
  if (runtime !== 'process' || pod.metadata.annotations?.[ROOT_PROCESS_ANNOTATION] !== 'false') return undefined;
  const general = pod.spec.securityContext?.runAsUser ?? ownUid;
  const root = containersOf(pod).find(({ securityContext }) => (securityContext?.runAsUser ?? general) === 0);
  if (root === undefined) return undefined;
  return (
    `container ${root.name} would run as root on the host itself, which whoever made this pod may not. ` +
    'Try: set securityContext.runAsUser to a user that is not 0, or have an admin create the pod'
  );
}
