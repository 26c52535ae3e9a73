// Binds pods to nodes: the ready node whose labels a pod's nodeSelector matches, else the pod says why it waits.
import { timestamp } from '../api/age.ts';
import { type ApiContext, prefixOf } from '../api/context.ts';
import { nodes } from '../api/nodes.ts';
import type { AnyObject, Condition } from '../objects/meta.ts';
import { isReadyNode, type Node } from '../objects/node.ts';
import type { Pod } from '../objects/pod.ts';
import { recordEvent } from './record-event.ts';

const COMPONENT = 'jdos-scheduler';

type Binding = { readonly node: string } | { readonly because: string };

/** Pure: the first node by name that can take the pod, or what is wrong with all of them, in Kubernetes' words. */
export function chooseNode({ spec }: Pod, all: readonly Node[]): Binding {
  const wanted = Object.entries(spec.nodeSelector ?? {});
  const reasons = new Map<string, number>();
  const candidates = all.filter((node) => {
    const labels = node.metadata.labels ?? {};
    const why = !wanted.every(([key, value]) => labels[key] === value)
      ? "node(s) didn't match Pod's node affinity/selector"
      : node.spec?.unschedulable === true
        ? 'node(s) were unschedulable'
        : !isReadyNode(node)
          ? 'node(s) were not ready'
          : undefined;
    if (why !== undefined) reasons.set(why, (reasons.get(why) ?? 0) + 1);
    return why === undefined;
  });
  const [first] = candidates.map(({ metadata }) => metadata.name).toSorted();
  if (first !== undefined) return { node: first };
  const list = [...reasons].map(([why, count]) => `${count} ${why}`).join(', ');
  const because = list === '' ? 'no nodes available to schedule pods' : `0/${all.length} nodes are available: ${list}.`;
  return { because };
}

/** The conditions with the one about scheduling; its time moves only where its status changes. */
function withScheduled(conditions: readonly Condition[], next: Condition, now: number): readonly Condition[] {
  const before = conditions.find(({ type }) => type === 'PodScheduled');
  const lastTransitionTime =
    before?.status === next.status && before.lastTransitionTime !== undefined
      ? before.lastTransitionTime
      : timestamp(now);
  return [...conditions.filter(({ type }) => type !== 'PodScheduled'), { ...next, lastTransitionTime }];
}

export async function bindPod(context: ApiContext, key: string): Promise<number | undefined> {
  const { objects, now } = context;
  const pod = (await objects.get(key)) as Pod | undefined;
  if (pod === undefined || !isUnbound(pod)) return undefined;
  const { items } = await objects.list(prefixOf(nodes, undefined));
  const binding = chooseNode(pod, items as readonly Node[]);
  const had = pod.status.conditions ?? [];
  const bound = 'node' in binding;
  const condition: Condition = bound
    ? { type: 'PodScheduled', status: 'True' }
    : { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: binding.because };
  const before = had.find(({ type }) => type === 'PodScheduled');
  if (!bound && before?.message === binding.because) return undefined;
  const next = {
    ...pod,
    spec: bound ? { ...pod.spec, nodeName: binding.node } : pod.spec,
    status: { ...pod.status, conditions: withScheduled(had, condition, now()) },
  };
  await objects.update(key, next as unknown as AnyObject);
  const { namespace = 'default', name } = pod.metadata;
  await recordEvent(
    context,
    COMPONENT,
    pod as unknown as AnyObject,
    bound
      ? {
          type: 'Normal',
          reason: 'Scheduled',
          message: `Successfully assigned ${namespace}/${name} to ${binding.node}`,
        }
      : { type: 'Warning', reason: 'FailedScheduling', message: binding.because },
  );
  return undefined;
}

export const isUnbound = ({ spec, metadata }: Pod): boolean =>
  (spec.nodeName ?? '') === '' && metadata.deletionTimestamp === undefined;
