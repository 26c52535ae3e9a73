// POST: decoded, defaulted, validated, admitted, and then kept.
import { randomInt } from 'node:crypto';
import type { Caller, RouteReply } from '../../base/route.ts';
import type { AnyObject, ObjectMeta } from '../objects/meta.ts';
import { timestamp } from './age.ts';
import { type ApiContext, keyOf, namespaceOf, retrying } from './context.ts';
import { decodeBody, warningHeader } from './decode-body.ts';
import type { Guard } from '../store/object-store.ts';
import {
  alreadyExists,
  badRequest,
  forbiddenObject,
  invalidObject,
  KubeFault,
  notFound,
  TERMINATING,
  TOO_LARGE,
} from './faults.ts';
import { namespaces, phaseOf } from './namespaces.ts';
import { isDryRun, type KubeRequest, readBody } from './request.ts';
import { kindSubject, type Resource, subjectOf } from './resource.ts';
import { causeText } from '../objects/cause.ts';

/** Without vowels and what looks alike, so that no word comes of it (apimachinery/pkg/util/rand). */
const LETTERS = 'bcdfghjklmnpqrstvwxz2456789';
const SUFFIX = 5;
export const MAX_OBJECT = 1024 * 1024;

const generated = (prefix: string): string =>
  prefix.slice(0, 63 - SUFFIX) + Array.from({ length: SUFFIX }, () => LETTERS[randomInt(LETTERS.length)]).join('');

/** Throws 413 for what is too large to be kept. */
function checkSize(object: AnyObject): void {
  const bytes = Buffer.byteLength(JSON.stringify(object));
  if (bytes <= MAX_OBJECT) return;
  throw new KubeFault(TOO_LARGE, 'RequestEntityTooLarge', `the object has ${bytes} bytes, more than ${MAX_OBJECT}`);
}

/** Validates and admits; what `before` had already, others were allowed. Throws 413, 422 and 403. */
export function check(resource: Resource, object: AnyObject, caller: Caller, before?: AnyObject): void {
  const causes = resource.validate(object);
  if (causes.length > 0) throw invalidObject(kindSubject(resource, object.metadata.name ?? ''), causes);
  const known = new Set(before === undefined ? [] : (resource.admit?.(before, caller) ?? []).map(causeText));
  const refused = (resource.admit?.(object, caller) ?? []).filter((one) => !known.has(causeText(one)));
  if (refused.length > 0) {
    const why = `beyond what the role ${caller.role} may ask for (Pod Security level "baseline"): ${refused.slice(0, 20).map(causeText).join(', ')}`;
    throw forbiddenObject(subjectOf(resource, object.metadata.name), why, refused);
  }
  checkSize(object);
}

export async function create(context: ApiContext, resource: Resource, request: KubeRequest): Promise<RouteReply> {
  const dryRun = isDryRun(request);
  const namespace = namespaceOf(resource, request);
  const { object, warnings } = decodeBody(resource, readBody(request), request);
  const prepared = prepareNew(context, resource, object, namespace, request.caller);
  const { name } = prepared.metadata;
  const key = keyOf(resource, namespace, name);
  const stored = await retrying(resource, name, async () => {
    // Written together with the proof that the namespace is still as it was seen: nothing is left behind in one that goes.
    const guard = namespace === undefined ? undefined : await openNamespace(context, resource, namespace, name);
    if (!dryRun) return context.objects.create(key, prepared, guard);
    if ((await context.objects.get(key)) !== undefined) throw alreadyExists(subjectOf(resource, name));
    return prepared;
  });
  const headers = warningHeader([...warnings, ...(resource.warnings?.(prepared) ?? [])]);
  return { status: 201, type: 'application/json', headers, body: stored };
}

/** Kinds whose status comes from elsewhere; a node may bring its own, as kubelets do. */
const withoutStatus = ({ kind }: Resource, object: AnyObject): AnyObject => {
  if (kind === 'Node') return object;
  const { status: _, ...rest } = object;
  return rest as AnyObject;
};

/** The object as it would be kept. Throws 400, 403, 413 and 422. */
export function prepareNew(
  context: ApiContext,
  resource: Resource,
  object: AnyObject,
  namespace: string | undefined,
  caller: Caller,
): AnyObject {
  const metadata = newMeta(context, object.metadata, namespace);
  const prepared = resource.prepare({ ...withoutStatus(resource, object), metadata }, { caller });
  check(resource, prepared, caller);
  return prepared;
}

/** The namespace that a manifest without an address belongs to. */
export const namespaceOfManifest = (resource: Resource, { metadata }: AnyObject): string | undefined =>
  resource.namespaced ? metadata.namespace || 'default' : undefined;

function newMeta(context: ApiContext, given: ObjectMeta, namespace: string | undefined): ObjectMeta {
  if (
    namespace !== undefined &&
    given.namespace !== undefined &&
    given.namespace !== '' &&
    given.namespace !== namespace
  ) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  if ((given.resourceVersion ?? '') !== '')
    throw badRequest('resourceVersion should not be set on objects to be created');
  const { name, generateName, labels, annotations, ownerReferences, finalizers } = given;
  const chosen =
    name !== undefined && name !== '' ? name : (generateName ?? '') === '' ? '' : generated(generateName ?? '');
  return {
    name: chosen,
    ...(generateName === undefined ? {} : { generateName }),
    ...(namespace === undefined ? {} : { namespace }),
    uid: context.newUid(),
    resourceVersion: '',
    generation: 1,
    creationTimestamp: timestamp(context.now()),
    ...(labels === undefined ? {} : { labels }),
    ...(annotations === undefined ? {} : { annotations }),
    ...(ownerReferences === undefined ? {} : { ownerReferences }),
    ...(finalizers === undefined ? {} : { finalizers }),
  };
}

/** Nothing is made in a namespace that is not there, or on its way out. Throws 404 and 403. */
async function openNamespace(context: ApiContext, resource: Resource, namespace: string, name: string): Promise<Guard> {
  const key = keyOf(namespaces, undefined, namespace);
  const found = await context.objects.get(key);
  if (found === undefined) throw notFound(subjectOf(namespaces, namespace));
  const { deletionTimestamp, resourceVersion } = found.metadata;
  if (deletionTimestamp === undefined && phaseOf(found) !== 'Terminating') return { key, resourceVersion };
  const subject = subjectOf(resource, name);
  throw new KubeFault(
    TERMINATING,
    'Forbidden',
    `${subject.kind} ${JSON.stringify(name)} is forbidden: unable to create new content in namespace ${namespace} because it is being terminated`,
    {
      subject,
      causes: [
        {
          reason: 'NamespaceTerminating',
          field: 'metadata.namespace',
          message: `namespace ${namespace} is being terminated`,
        },
      ],
    },
  );
}
