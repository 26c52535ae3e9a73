// The fields that all kinds share, and conditions.
import {
  anything,
  dropped,
  type Field,
  flag,
  integer,
  list,
  map,
  object,
  set,
  text,
  time,
  withoutEffect,
} from './shape.ts';

const ownerReference = object({
  apiVersion: text,
  kind: text,
  name: text,
  uid: text,
  controller: flag,
  blockOwnerDeletion: flag,
});

const metaShape: Field = object({
  name: text,
  generateName: text,
  namespace: text,
  labels: map(text),
  annotations: map(text),
  ownerReferences: withoutEffect(
    list(ownerReference, 'uid'),
    'has no effect in this version; nothing is deleted with its owner',
  ),
  finalizers: set(text),
  uid: text,
  resourceVersion: text,
  generation: integer,
  creationTimestamp: time,
  deletionTimestamp: time,
  deletionGracePeriodSeconds: integer,
  selfLink: dropped(text),
  // Who owns which field is not kept: server-side apply is refused.
  managedFields: dropped(anything),
});

export const typeShape: Readonly<Record<string, Field>> = { apiVersion: text, kind: text, metadata: metaShape };

/** Conditions of a Pod, Node or Namespace; merged by type. */
export const conditionsShape: Field = list(
  object({
    type: text,
    status: text,
    reason: text,
    message: text,
    observedGeneration: integer,
    lastProbeTime: time,
    lastHeartbeatTime: time,
    lastTransitionTime: time,
  }),
  'type',
);
