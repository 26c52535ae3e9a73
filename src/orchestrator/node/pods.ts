// The pods of this node as the API last told them; before the first whole list nothing is said about what is missing.
import type { Pod } from '../objects/pod.ts';

export interface Pods {
  get(uid: string): Pod | undefined;
  named(namespace: string, name: string): Pod | undefined;
  all(): readonly Pod[];
  /** Whether a whole list was read since the start. */
  readonly listed: boolean;
  /** A whole list: what is not in it is gone. */
  replace(pods: readonly Pod[]): void;
  put(pod: Pod): void;
  delete(uid: string): void;
}

/** `onChange` is told the uid of each pod that came, went or is another than before. */
export function openPods(onChange: (uid: string) => void): Pods {
  const byUid = new Map<string, Pod>();
  let listed = false;
  const pods: Pods = {
    get: (uid) => byUid.get(uid),
    named: (namespace, name) =>
      [...byUid.values()].find(({ metadata }) => metadata.name === name && metadata.namespace === namespace),
    all: () => [...byUid.values()],
    get listed() {
      return listed;
    },
    replace(list) {
      const uids = new Set(list.map(({ metadata }) => metadata.uid));
      listed = true;
      for (const uid of [...byUid.keys()]) if (!uids.has(uid)) pods.delete(uid);
      for (const pod of list) pods.put(pod);
    },
    put(pod) {
      const { uid, resourceVersion } = pod.metadata;
      const before = byUid.get(uid);
      byUid.set(uid, pod);
      if (before?.metadata.resourceVersion !== resourceVersion) onChange(uid);
    },
    delete(uid) {
      if (byUid.delete(uid)) onChange(uid);
    },
  };
  return pods;
}
