// Namespaces: the built-in ones are there, and one that is being deleted is emptied and then removed.
import { timestamp } from '../api/age.ts';
import { type ApiContext, keyOf, prefixOf } from '../api/context.ts';
import { BUILT_IN_NAMESPACES, NAME_LABEL, namespaces, phaseOf } from '../api/namespaces.ts';
import { removeOne } from '../api/remove.ts';
import { resources } from '../api/resources.ts';
import { Fault } from '../../base/fault.ts';
import type { AnyObject, Condition } from '../objects/meta.ts';
import { OBJECT_EXISTS } from '../store/object-store.ts';

const NOTHING_ASKED = { graceSeconds: undefined, uid: undefined, resourceVersion: undefined, dryRun: false };

/** Makes `default` and `kube-system` where they are not there. */
export async function ensureNamespaces({ objects, newUid, now }: ApiContext): Promise<void> {
  for (const name of BUILT_IN_NAMESPACES) {
    const meta = { name, uid: newUid(), resourceVersion: '', generation: 1, creationTimestamp: timestamp(now()) };
    const object: AnyObject = {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { ...meta, labels: { [NAME_LABEL]: name } },
      spec: { finalizers: ['kubernetes'] },
      status: { phase: 'Active' },
    };
    await objects.create(keyOf(namespaces, undefined, name), object).catch((error: unknown) => {
      if (!(error instanceof Fault && error.code === OBJECT_EXISTS.code)) throw error;
    });
  }
}

/** Takes a namespace that is being deleted one step on. Whatever belongs to it is deleted, events last. */
export async function reconcileNamespace(context: ApiContext, name: string): Promise<number | undefined> {
  const { objects } = context;
  const key = keyOf(namespaces, undefined, name);
  const namespace = await objects.get(key);
  if (namespace === undefined || phaseOf(namespace) !== 'Terminating') return undefined;
  const left: string[] = [];
  for (const resource of resources.filter((one) => one.namespaced && one.kind !== 'Event')) {
    const { items } = await objects.list(prefixOf(resource, name));
    for (const { metadata } of items) {
      const target = { namespace: name, name: metadata.name, key: keyOf(resource, name, metadata.name) };
      if (metadata.deletionTimestamp === undefined) await removeOne(context, resource, target, NOTHING_ASKED);
    }
    const still = (await objects.list(prefixOf(resource, name))).items.length;
    if (still > 0) left.push(`${resource.plural}. has ${still} resource instances`);
  }
  if (left.length > 0) {
    const told = withRemaining(namespace, left, context.now());
    if (told !== undefined) await objects.update(key, told);
    return undefined;
  }
  for (const resource of resources.filter((one) => one.kind === 'Event')) {
    for (const event of (await objects.list(prefixOf(resource, name))).items) {
      await objects.remove(keyOf(resource, name, event.metadata.name), event);
    }
  }
  await objects.remove(key, namespace);
  return undefined;
}

/** The namespace with a condition that says what it still waits for; undefined where it says so already. */
function withRemaining(namespace: AnyObject, left: readonly string[], now: number): AnyObject | undefined {
  const status = namespace['status'] as { readonly conditions?: readonly Condition[] };
  const message = `Some resources are remaining: ${left.join(', ')}`;
  const before = status.conditions?.find(({ type }) => type === 'NamespaceContentRemaining');
  if (before?.message === message) return undefined;
  const condition: Condition = {
    type: 'NamespaceContentRemaining',
    status: 'True',
    reason: 'SomeResourcesRemain',
    message,
    lastTransitionTime: before?.lastTransitionTime ?? timestamp(now),
  };
  return { ...namespace, status: { ...status, conditions: [condition] } };
}
