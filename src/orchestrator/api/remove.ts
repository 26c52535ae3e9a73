// DELETE: at once, after a grace period that the node agent ends, or by a controller; with preconditions.
import type { RouteReply } from '../../base/route.ts';
import type { AnyObject } from '../objects/meta.ts';
import { timestamp } from './age.ts';
import { type ApiContext, keyOf, namespaceOf, prefixOf, read, retrying, type Target, targetOf } from './context.ts';
import { type DeleteOptions, deleteOptions } from './delete-options.ts';
import { conflict, forbiddenObject } from './faults.ts';
import { type KubeRequest, parameter } from './request.ts';
import { type Resource, subjectOf } from './resource.ts';
import { parseSelectors } from './selectors.ts';
import { success } from './status.ts';

export async function remove(context: ApiContext, resource: Resource, request: KubeRequest): Promise<RouteReply> {
  const target = targetOf(resource, request);
  const { gone, object } = await removeOne(context, resource, target, deleteOptions(request));
  // As Kubernetes answers: what stays for a while is shown, and so is a pod.
  const { uid } = object.metadata;
  const subject = { name: target.name, kind: resource.plural, uid };
  return { type: 'application/json', body: gone && resource.kind !== 'Pod' ? success(subject) : object };
}

/** What is matched by the selectors; every one is tried. */
export async function removeAll(context: ApiContext, resource: Resource, request: KubeRequest): Promise<RouteReply> {
  const options = deleteOptions(request);
  const namespace = namespaceOf(resource, request);
  const matches = parseSelectors(
    resource,
    parameter(request, 'labelSelector') ?? '',
    parameter(request, 'fieldSelector') ?? '',
  );
  const { items, revision } = await context.objects.list(prefixOf(resource, namespace));
  const removed: AnyObject[] = [];
  let failed: unknown;
  for (const object of items.filter((one) => matches?.(one) ?? true)) {
    const { name, namespace: own } = object.metadata;
    const target = { name, namespace: own, key: keyOf(resource, own, name) };
    const done = await removeOne(context, resource, target, options).catch((error: unknown) => {
      // Gone already is what was wanted.
      if ((error as { status?: unknown }).status !== 404) failed ??= error;
    });
    if (done !== undefined) removed.push(done.object);
  }
  if (failed !== undefined) throw failed;
  const { kind, version } = resource;
  return {
    type: 'application/json',
    body: { kind: `${kind}List`, apiVersion: version, metadata: { resourceVersion: String(revision) }, items: removed },
  };
}

interface Removed {
  readonly gone: boolean;
  readonly object: AnyObject;
}

export function removeOne(
  context: ApiContext,
  resource: Resource,
  target: Target,
  options: DeleteOptions,
): Promise<Removed> {
  const { objects } = context;
  return retrying(resource, target.name, async () => {
    const current = await read(context, resource, target);
    checkPreconditions(resource, target, options, current);
    const deletion = resource.deletion(current, options.graceSeconds);
    switch (deletion.how) {
      case 'refused':
        throw forbiddenObject(subjectOf(resource, target.name), deletion.why);
      case 'now':
        return { gone: true, object: options.dryRun ? current : await objects.remove(target.key, current) };
      case 'grace': {
        const marked = markDeleted(current, deletion.seconds, context.now());
        const kept = marked === current || options.dryRun;
        return { gone: false, object: kept ? marked : await objects.update(target.key, marked) };
      }
      case 'controller': {
        const marked = deletion.mark(markDeleted(current, undefined, context.now()));
        const kept = current.metadata.deletionTimestamp !== undefined || options.dryRun;
        return { gone: false, object: kept ? marked : await objects.update(target.key, marked) };
      }
    }
  });
}

/** Marked once; a second deletion can only bring the end nearer. */
function markDeleted(object: AnyObject, seconds: number | undefined, now: number): AnyObject {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0, generation = 0 } = object.metadata;
  const again = deletionTimestamp !== undefined;
  if (again && (seconds === undefined || seconds >= deletionGracePeriodSeconds)) return object;
  // The time at which the grace is over, counted from the first deletion.
  const from = again ? Date.parse(deletionTimestamp) - deletionGracePeriodSeconds * 1000 : now;
  return {
    ...object,
    metadata: {
      ...object.metadata,
      generation: again ? generation : generation + 1,
      deletionTimestamp: timestamp(from + (seconds ?? 0) * 1000),
      ...(seconds === undefined ? {} : { deletionGracePeriodSeconds: seconds }),
    },
  };
}

function checkPreconditions(
  resource: Resource,
  { name }: Target,
  { uid, resourceVersion }: DeleteOptions,
  { metadata }: AnyObject,
): void {
  const failed = (what: string, wanted: string, is: string): never => {
    const why = `Precondition failed: ${what} in precondition: ${wanted}, ${what} in object meta: ${is}`;
    throw conflict(subjectOf(resource, name), why);
  };
  if (uid !== undefined && uid !== metadata.uid) failed('UID', uid, metadata.uid);
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) {
    failed('ResourceVersion', resourceVersion, metadata.resourceVersion);
  }
}
