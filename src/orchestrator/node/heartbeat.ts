// Registers the node and keeps its status fresh.
import { z } from '../../base/schema.ts';
import type { Condition } from '../objects/meta.ts';
import type { ApiClient } from './api-client.ts';
import { nodeObject, type NodeIdentity, nodeStatus } from './node-object.ts';
import type { Health } from '../../base/component.ts';
import type { RuntimeName } from '../runtimes/runtime.ts';

const NodeShape = z.object({
  metadata: z.object({ uid: z.string() }),
  status: z.object({ conditions: z.array(z.unknown()).optional() }).optional(),
});

/** Tells the API of this node once: makes the object where there is none. Rejects where the API does not answer. */
export async function beat(
  client: ApiClient,
  identity: NodeIdentity,
  runtimes: ReadonlyMap<RuntimeName, Health>,
  wall: number,
): Promise<void> {
  const path = `/api/v1/nodes/${encodeURIComponent(identity.nodeName)}`;
  const found = await client.send('GET', path, { accept: [404] });
  const { body } =
    found.status === 404 ? await client.send('POST', '/api/v1/nodes', { body: nodeObject(identity) }) : found;
  const conditions = NodeShape.parse(body).status?.conditions as readonly Condition[] | undefined;
  const status = nodeStatus(identity, runtimes, conditions, wall);
  await client.send('PATCH', `${path}/status`, { body: { status } });
}
