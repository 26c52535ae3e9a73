// Who a container is: the labels that cAdvisor and the kubelet give it, put together from what is known.
import type { Place } from './place.ts';

/** Labels of all series of a container; an empty one is not known, or there is no such thing. */
export interface Identity {
  /** The name in the pod; `POD` for the container that holds the pod's namespaces. */
  readonly container: string;
  readonly namespace: string;
  readonly pod: string;
  readonly image: string;
  /** The runtime's name for it. */
  readonly name: string;
}

/** What a source says. Everything absent is not known to it. */
export type Facts = { readonly [part in keyof Identity]?: string | undefined } & {
  /** The CPU shares that the runtime was asked for. */
  readonly shares?: number | undefined;
};

/** Of a pod's sandbox, as the kubelet calls it. */
export const SANDBOX = 'POD';

const NOBODY: Identity = { container: '', namespace: '', pod: '', image: '', name: '' };

/** `k8s_CONTAINER_POD_NAMESPACE_UID_ATTEMPT`, as cri-dockerd and CRI-O name containers; no part has an underscore. */
export function kubernetesName(name: string): Facts {
  const [k8s, container, pod, namespace, uid, attempt] = name.split('_');
  return k8s === 'k8s' && uid !== undefined && attempt !== undefined ? { container, pod, namespace, name } : { name };
}

/** The labels that the kubelet gives to the containers of Docker and of its kin. */
export const fromLabels = (labels: Readonly<Record<string, string>>): Facts => ({
  container: labels['io.kubernetes.container.name'],
  pod: labels['io.kubernetes.pod.name'],
  namespace: labels['io.kubernetes.pod.namespace'],
});

/** The first source that knows a part has the word on it. */
export function merge(facts: readonly Facts[]): Facts {
  const merged: { -readonly [part in keyof Facts]: Facts[part] } = {};
  for (const one of facts) {
    merged.container ??= one.container || undefined;
    merged.namespace ??= one.namespace || undefined;
    merged.pod ??= one.pod || undefined;
    merged.image ??= one.image || undefined;
    merged.name ??= one.name || undefined;
    merged.shares ??= one.shares;
  }
  return merged;
}

const SHORT = 12;

/** The labels. Without a name from the runtime it is the id: for Docker its beginning, as `docker ps` prints it. */
export function identityOf(
  place: Place,
  { container = '', namespace = '', pod = '', image = '', name }: Facts,
): Identity {
  if (place.kind !== 'container') return { ...NOBODY, namespace, pod };
  const { containerId = place.name ?? '', runtime } = place;
  const fallback = runtime === 'docker' || runtime === 'unknown' ? containerId.slice(0, SHORT) : containerId;
  return { container, namespace, pod, image, name: name ?? fallback };
}

/** Whether nothing is left to ask for. */
export function isComplete(place: Place, { container, namespace, pod, image, name }: Facts): boolean {
  if (place.kind === 'slice') return true;
  if (place.kind === 'pod') return pod !== undefined && namespace !== undefined;
  if (place.runtime === 'lxc' || place.runtime === 'nspawn') return true;
  if (place.podUid === undefined) return name !== undefined && image !== undefined;
  if (container === SANDBOX) return namespace !== undefined && pod !== undefined;
  return (
    [container, namespace, pod].every((part) => part !== undefined) && (image !== undefined || place.runtime === 'jdos')
  );
}
