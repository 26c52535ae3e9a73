// Nodes whose agent no longer says anything: Ready becomes Unknown, so that no pod is sent there and everyone sees it.
import { timestamp } from '../api/age.ts';
import type { ApiContext } from '../api/context.ts';
import type { AnyObject, Condition } from '../objects/meta.ts';
import type { Node } from '../objects/node.ts';
import { recordEvent } from './record-event.ts';

const SILENT_MS = 180_000;

/** Looks again when the heartbeat would be too old. */
export async function watchNode(context: ApiContext, key: string): Promise<number | undefined> {
  const { objects, now } = context;
  const node = (await objects.get(key)) as Node | undefined;
  const ready = node?.status?.conditions?.find(({ type }) => type === 'Ready');
  if (node === undefined || ready === undefined || ready.status === 'Unknown') return undefined;
  const heard = Date.parse(ready.lastHeartbeatTime ?? '');
  // An agent that gives no time of its heartbeat cannot be judged by it.
  if (Number.isNaN(heard)) return undefined;
  const left = heard + SILENT_MS - now();
  if (left > 0) return Math.min(left + 1000, SILENT_MS);
  const unknown: Condition = {
    ...ready,
    status: 'Unknown',
    reason: 'NodeStatusUnknown',
    message: 'The node agent stopped posting node status.',
    lastTransitionTime: timestamp(now()),
  };
  const conditions = node.status?.conditions?.map((one) => (one.type === 'Ready' ? unknown : one));
  await objects.update(key, { ...node, status: { ...node.status, conditions } } as unknown as AnyObject);
  await recordEvent(context, 'jdos-node-controller', node as unknown as AnyObject, {
    type: 'Warning',
    reason: 'NodeNotReady',
    message: `Node ${node.metadata.name} has said nothing for ${SILENT_MS / 1000} s`,
  });
  return undefined;
}
