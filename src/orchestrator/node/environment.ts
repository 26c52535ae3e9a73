// A container's environment with the pod's own fields filled in (the downward API's fieldRef).
import { expand } from '../runtimes/expand.ts';
import type { Container, EnvVar, Pod } from '../objects/pod.ts';

interface PodAddresses {
  readonly hostIP: string;
  readonly podIP: string | undefined;
}

/** A value may refer to the variables before it (core/v1 EnvVar); of two with one name, the later counts. */
export function environmentOf(
  pod: Pod,
  container: Container,
  addresses: PodAddresses,
): readonly { readonly name: string; readonly value: string }[] {
  // Without a prototype: `__proto__` is a name like any other.
  const known = Object.create(null) as Record<string, string>;
  for (const { name, value = '', valueFrom } of container.env ?? [])
    known[name] =
      valueFrom === undefined ? expand(value, known) : fieldOf(pod, valueFrom.fieldRef.fieldPath, addresses);
  return Object.entries(known).map(([name, value]) => ({ name, value }));
}

/** A field by the paths that Kubernetes allows here; admission has refused all others. */
function fieldOf(pod: Pod, path: string, { hostIP, podIP }: PodAddresses): string {
  const { metadata, spec } = pod;
  const keyed = /^metadata\.(labels|annotations)\['(.*)'\]$/.exec(path);
  if (keyed !== null) return metadata[keyed[1] as 'labels' | 'annotations']?.[keyed[2] ?? ''] ?? '';
  const fields: Readonly<Record<string, NonNullable<EnvVar['value']> | undefined>> = {
    'metadata.name': metadata.name,
    'metadata.namespace': metadata.namespace,
    'metadata.uid': metadata.uid,
    'spec.nodeName': spec.nodeName,
    'spec.serviceAccountName': 'default',
    'status.hostIP': hostIP,
    'status.hostIPs': hostIP,
    'status.podIP': podIP,
    'status.podIPs': podIP,
  };
  return fields[path] ?? '';
}
