// What a client wants to see: the objects, their metadata alone, or a Table with columns (meta.k8s.io/v1).
import type { AnyObject } from '../objects/meta.ts';
import { badRequest } from './faults.ts';
import { type KubeRequest, parameter } from './request.ts';
import { apiVersionOf, type Resource } from './resource.ts';

type As = 'objects' | 'metadata' | 'table';
const META = 'meta.k8s.io/v1';

/** The form that Accept asks for first, of those there are. */
export function formOf({ headers }: Pick<KubeRequest, 'headers'>): As {
  for (const piece of String(headers['accept'] ?? '').split(',')) {
    const as = /;\s*as=(\w+)/.exec(piece)?.[1];
    const version = /;\s*v=(\w+)/.exec(piece)?.[1];
    if (!/^\s*(application\/json|application\/\*|\*\/\*)/.test(piece)) continue;
    if (as === undefined) return 'objects';
    if (version !== 'v1') continue;
    if (as === 'Table') return 'table';
    if (as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList') return 'metadata';
  }
  return 'objects';
}

const partial = ({ metadata }: AnyObject): AnyObject => ({ kind: 'PartialObjectMetadata', apiVersion: META, metadata });

export interface Shown {
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly items: readonly AnyObject[];
}

/** A list in the form asked for. */
export function showList(resource: Resource, request: KubeRequest, { metadata, items }: Shown, now: number): object {
  const form = formOf(request);
  if (form === 'table') return table(resource, request, { metadata, items }, now);
  if (form === 'metadata') {
    return { kind: 'PartialObjectMetadataList', apiVersion: META, metadata, items: items.map(partial) };
  }
  return { kind: `${resource.kind}List`, apiVersion: apiVersionOf(resource), metadata, items };
}

/** The sign of a watch that everything up to a version was told; `complete` where that is all there was at its beginning. */
export function showBookmark(resource: Resource, request: KubeRequest, revision: number, complete: boolean): object {
  const form = formOf(request);
  const resourceVersion = String(revision);
  if (form === 'table') return { kind: 'Table', apiVersion: META, metadata: { resourceVersion }, rows: [] };
  return {
    kind: form === 'metadata' ? 'PartialObjectMetadata' : resource.kind,
    apiVersion: form === 'metadata' ? META : apiVersionOf(resource),
    metadata: {
      resourceVersion,
      creationTimestamp: null,
      ...(complete ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}),
    },
  };
}

/** One object in the form asked for. */
export function showOne(resource: Resource, request: KubeRequest, object: AnyObject, now: number): object {
  const form = formOf(request);
  if (form === 'metadata') return partial(object);
  if (form === 'objects') return object;
  const { resourceVersion } = object.metadata;
  return table(resource, request, { metadata: { resourceVersion }, items: [object] }, now);
}

function table(resource: Resource, request: KubeRequest, { metadata, items }: Shown, now: number): object {
  const include = parameter(request, 'includeObject') ?? 'Metadata';
  if (!['None', 'Metadata', 'Object', ''].includes(include)) {
    throw badRequest('includeObject must be None, Metadata or Object');
  }
  return {
    kind: 'Table',
    apiVersion: META,
    metadata,
    columnDefinitions: resource.columns.map(({ name, type = 'string', priority = 0, description }, i) => ({
      name,
      type,
      format: i === 0 && name === 'Name' ? 'name' : '',
      description,
      priority,
    })),
    rows: items.map((object) => ({
      cells: resource.cells(object, now),
      ...(include === 'None' ? {} : { object: include === 'Object' ? object : partial(object) }),
    })),
  };
}
