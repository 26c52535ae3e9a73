// How pods are called in Docker: names that make every creation happen once, and labels that say whose a container is.
import { Fault } from '../../../base/fault.ts';
import type { Pod } from '../../objects/pod.ts';
import { CONTAINER_FOREIGN, CONTAINER_NAME_INVALID } from '../faults.ts';

/** As kubelet and cri-dockerd name theirs, so that tools for those understand ours. */
export const POD_NAME = 'io.kubernetes.pod.name';
export const POD_NAMESPACE = 'io.kubernetes.pod.namespace';
export const POD_UID = 'io.kubernetes.pod.uid';
export const CONTAINER_NAME = 'io.kubernetes.container.name';
export const SANDBOX_ID = 'io.kubernetes.sandbox.id';
export const TYPE = 'io.kubernetes.docker.type';
export const ATTEMPT = 'jdos.io/attempt';
/** Two installations on one engine leave each other's containers alone. */
export const INSTALLATION = 'jdos.io/installation';

/** The container name of every sandbox; no container of a pod can have it, for its capitals. */
const SANDBOX = 'POD';

export const installationLabel = (installation: string): string => `${INSTALLATION}=${installation}`;

const nameOf = (container: string, { metadata }: Pod, attempt: number): string => {
  const { name, namespace = 'default', uid } = metadata;
  const parts = [container, name, namespace, uid];
  // Docker's names have no room for more, and an underscore would make two names one.
  if (parts.every((part) => /^[A-Za-z0-9][A-Za-z0-9.-]*$/.test(part))) return ['k8s', ...parts, attempt].join('_');
  throw new Fault(CONTAINER_NAME_INVALID, `${JSON.stringify(parts.join('_'))} cannot name a container in Docker`);
};

export const sandboxName = (pod: Pod, attempt: number): string => nameOf(SANDBOX, pod, attempt);
export const containerName = (pod: Pod, container: string, attempt: number): string => nameOf(container, pod, attempt);

const podLabels = ({ metadata }: Pod, attempt: number, installation: string): Readonly<Record<string, string>> => ({
  [POD_NAME]: metadata.name,
  [POD_NAMESPACE]: metadata.namespace ?? 'default',
  [POD_UID]: metadata.uid,
  [ATTEMPT]: String(attempt),
  [INSTALLATION]: installation,
});

export const sandboxLabels = (pod: Pod, attempt: number, installation: string): Record<string, string> => ({
  ...podLabels(pod, attempt, installation),
  [TYPE]: 'podsandbox',
  [CONTAINER_NAME]: SANDBOX,
});

export const containerLabels = (
  pod: Pod,
  about: { readonly container: string; readonly attempt: number; readonly sandboxId: string },
  installation: string,
): Record<string, string> => ({
  ...podLabels(pod, about.attempt, installation),
  [TYPE]: 'container',
  [CONTAINER_NAME]: about.container,
  [SANDBOX_ID]: about.sandboxId,
});

interface Labelled {
  readonly Id: string;
  readonly Config: { readonly Labels: Readonly<Record<string, string>> };
}

/** The container, where it is this installation's. Throws a Fault where it is another's. */
export function ours<T extends Labelled>(container: T, installation: string): T {
  if (container.Config.Labels[INSTALLATION] === installation) return container;
  throw new Fault(CONTAINER_FOREIGN, `container ${container.Id} in Docker does not belong to this installation`);
}
