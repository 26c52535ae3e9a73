// What all Kubernetes objects share (https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/object-meta/).

/** RFC 3339, UTC, whole seconds unless said: `2026-11-22T08:00:00Z`. */
export type Time = string;

interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
}

export interface ObjectMeta {
  readonly name: string;
  readonly generateName?: string;
  readonly namespace?: string;
  readonly uid: string;
  /** Opaque to clients; one counter for the whole store. */
  readonly resourceVersion: string;
  /** Grows with each change of the spec. */
  readonly generation?: number;
  readonly creationTimestamp: Time;
  readonly deletionTimestamp?: Time;
  readonly deletionGracePeriodSeconds?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly OwnerReference[];
  readonly finalizers?: readonly string[];
}

export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
}

/** An object of any kind, as the store and the generic verbs of the API handle it. */
export interface AnyObject extends KubeObject {
  readonly [field: string]: unknown;
}

/** A condition of a Pod, Node or Namespace. `lastTransitionTime` moves only when `status` changes. */
export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: Time;
  readonly lastHeartbeatTime?: Time;
}
