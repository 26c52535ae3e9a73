// Names of pods and containers from the names of the kubelet's log files: no runtime has to answer for them.
import type { HostFiles } from '../host-files.ts';
import type { Facts } from './identity.ts';

export interface LogNames {
  /** By pod uid. */
  readonly pods: ReadonlyMap<string, Facts>;
  /** By container id. */
  readonly containers: ReadonlyMap<string, Facts>;
}

/** `/var/log/pods/NAMESPACE_POD_UID`. */
const POD = /^([a-z0-9-]+)_([a-z0-9.-]+)_([0-9a-f-]{32,36})$/;
/** `/var/log/containers/POD_NAMESPACE_CONTAINER-ID.log`. */
const CONTAINER = /^([a-z0-9.-]+)_([a-z0-9-]+)_([a-z0-9-]+)-([0-9a-f]{64})\.log$/;

export function parseLogNames(pods: readonly string[], containers: readonly string[]): LogNames {
  const names = { pods: new Map<string, Facts>(), containers: new Map<string, Facts>() };
  for (const file of pods) {
    const [, namespace, pod, uid] = POD.exec(file) ?? [];
    if (uid !== undefined) names.pods.set(uid, { namespace, pod });
  }
  for (const file of containers) {
    const [, pod, namespace, container, id] = CONTAINER.exec(file) ?? [];
    if (id !== undefined) names.containers.set(id, { namespace, pod, container });
  }
  return names;
}

const namesIn = (host: HostFiles, directory: string): readonly string[] => {
  try {
    return host.list(directory);
  } catch {
    return []; // no kubelet here
  }
};

export const readLogNames = (host: HostFiles): LogNames =>
  parseLogNames(namesIn(host, '/var/log/pods'), namesIn(host, '/var/log/containers'));
