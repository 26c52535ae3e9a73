// Namespaces as a resource of the API.
import { refuseFinalizers, validateMeta } from '../objects/meta-validation.ts';
import { namespaceShape } from '../objects/namespace-shape.ts';
import { dnsLabel } from '../objects/names.ts';
import type { AnyObject } from '../objects/meta.ts';
import { age } from './age.ts';
import { AGE, column, NAME } from './columns.ts';
import type { Resource } from './resource.ts';

/** Made at the first start, and never deleted. */
export const BUILT_IN_NAMESPACES = ['default', 'kube-system'] as const;
export const NAME_LABEL = 'kubernetes.io/metadata.name';

export const phaseOf = (object: AnyObject): string =>
  String((object['status'] as { phase?: unknown } | undefined)?.phase ?? '');

export const namespaces: Resource = {
  group: '',
  version: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  singular: 'namespace',
  description: 'A place for pods and events with names of their own; deleted together with all that is in it.',
  shortNames: ['ns'],
  namespaced: false,
  fields: namespaceShape,
  // As in Kubernetes: too much would go with one slip of a selector.
  collection: false,
  write: 'admin',
  status: 'admin',
  prepare: (object) => ({
    ...object,
    metadata: { ...object.metadata, labels: { ...object.metadata.labels, [NAME_LABEL]: object.metadata.name } },
    spec: { finalizers: ['kubernetes'] },
    status: { phase: 'Active', ...(object['status'] as object | undefined) },
  }),
  validate: (object) => [...validateMeta(object, dnsLabel), ...refuseFinalizers(object)],
  selectable: (object) => ({ 'status.phase': phaseOf(object) }),
  columns: [NAME, column('Status', 'Active, or Terminating while what is in it is removed'), AGE],
  cells: (object, now) => [object.metadata.name, phaseOf(object), age(object.metadata.creationTimestamp, now)],
  deletion: ({ metadata }) =>
    (BUILT_IN_NAMESPACES as readonly string[]).includes(metadata.name)
      ? { how: 'refused', why: 'this namespace may not be deleted' }
      : {
          how: 'controller',
          mark: (object) => ({ ...object, status: { ...(object['status'] as object), phase: 'Terminating' } }),
        },
};
