// PUT and PATCH of objects and of their status: what the server owns stays, the rest is validated anew.
import { isDeepStrictEqual } from 'node:util';
import type { RouteReply } from '../../base/route.ts';
import type { AnyObject } from '../objects/meta.ts';
import { type ApiContext, read, retrying, type Target, targetOf } from './context.ts';
import { check } from './create.ts';
import { decodeBody, type DecodedBody, warningHeader } from './decode-body.ts';
import { badRequest, conflict, invalidObject, MODIFIED } from './faults.ts';
import { applyPatch } from './patch.ts';
import { isDryRun, type KubeRequest, mediaType, readBody } from './request.ts';
import { kindSubject, type Resource, subjectOf } from './resource.ts';

export type Part = 'whole' | 'status';

export async function update(
  context: ApiContext,
  resource: Resource,
  request: KubeRequest,
  part: Part,
): Promise<RouteReply> {
  const target = targetOf(resource, request);
  const decoded = decodeBody(resource, readBody(request), request);
  return change(context, resource, request, { target, part, wanted: () => decoded });
}

export async function patch(
  context: ApiContext,
  resource: Resource,
  request: KubeRequest,
  part: Part,
): Promise<RouteReply> {
  const target = targetOf(resource, request);
  const body = readBody(request);
  const apply = applyPatch(resource, mediaType(request.headers), body.value);
  return change(context, resource, request, {
    target,
    part,
    wanted: (current) => decodeBody(resource, { value: apply(current), repeated: body.repeated }, request),
  });
}

interface Change {
  readonly target: Target;
  readonly part: Part;
  readonly wanted: (current: AnyObject) => DecodedBody;
}

async function change(
  context: ApiContext,
  resource: Resource,
  request: KubeRequest,
  { target, part, wanted }: Change,
): Promise<RouteReply> {
  const dryRun = isDryRun(request);
  return retrying(resource, target.name, async () => {
    const current = await read(context, resource, target);
    const { object, warnings } = wanted(current);
    checkIdentity(resource, target, object, current);
    const next =
      part === 'status' ? withStatus(resource, object, current) : withSpec(resource, object, current, request.caller);
    const same = isDeepStrictEqual(next, current);
    const stored = same || dryRun ? next : await context.objects.update(target.key, next);
    return {
      type: 'application/json',
      headers: part === 'status' ? {} : warningHeader([...warnings, ...(resource.warnings?.(next) ?? [])]),
      body: stored,
    };
  });
}

/** The names must be those of the path, and the version, where one is given, that of now. Throws 400 and 409. */
function checkIdentity(resource: Resource, { name, namespace }: Target, object: AnyObject, current: AnyObject): void {
  const { metadata } = object;
  if (metadata.name !== undefined && metadata.name !== name) {
    throw badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${name})`);
  }
  if (namespace !== undefined && (metadata.namespace ?? namespace) !== namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  const subject = subjectOf(resource, name);
  if ((metadata.uid ?? '') !== '' && metadata.uid !== current.metadata.uid) {
    const why = `Precondition failed: UID in precondition: ${metadata.uid}, UID in object meta: ${current.metadata.uid}`;
    throw conflict(subject, why);
  }
  const version = metadata.resourceVersion ?? '';
  if (!/^\d{0,15}$/.test(version)) {
    const why = `metadata.resourceVersion: ${JSON.stringify(version.slice(0, 40))} is none that was given out; leave it empty or take it from the object as it was read`;
    throw badRequest(why, [{ reason: 'FieldValueInvalid', field: 'metadata.resourceVersion', message: why }]);
  }
  if (version !== '' && version !== current.metadata.resourceVersion) throw conflict(subject, MODIFIED);
}

/** The status alone; for what is being deleted too. */
function withStatus(resource: Resource, object: AnyObject, current: AnyObject): AnyObject {
  const next = resource.prepare({ ...current, status: object['status'] ?? {} }, { current });
  return { ...next, metadata: current.metadata };
}

/** All but the status, and what the server owns of the metadata. */
function withSpec(resource: Resource, object: AnyObject, current: AnyObject, caller: KubeRequest['caller']): AnyObject {
  const { status: _, ...given } = object;
  const { labels, annotations, ownerReferences, finalizers } = object.metadata;
  const { labels: _l, annotations: _a, ownerReferences: _o, finalizers: _f, ...owned } = current.metadata;
  const merged: AnyObject = {
    ...given,
    metadata: {
      ...owned,
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
      ...(ownerReferences === undefined ? {} : { ownerReferences }),
      ...(finalizers === undefined ? {} : { finalizers }),
    },
    ...(current['status'] === undefined ? {} : { status: current['status'] }),
  } as AnyObject;
  const next = resource.prepare(merged, { caller, current });
  const specChanged = !isDeepStrictEqual(next['spec'], current['spec']);
  const causes = resource.validateChange?.(next, current) ?? [];
  if (causes.length > 0) throw invalidObject(kindSubject(resource, current.metadata.name), causes);
  // What others put there may be labelled by everyone who may write, but not be changed into something else, nor be given more.
  check(resource, next, caller, specChanged ? undefined : current);
  if (!specChanged) return next;
  return { ...next, metadata: { ...next.metadata, generation: (current.metadata.generation ?? 0) + 1 } };
}
