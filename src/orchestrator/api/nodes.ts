// Nodes as a resource of the API. The node agent makes and updates its own.
import { refuseFinalizers, validateMeta } from '../objects/meta-validation.ts';
import { nodeShape } from '../objects/node-shape.ts';
import { isReadyNode, type Node } from '../objects/node.ts';
import type { AnyObject } from '../objects/meta.ts';
import { age } from './age.ts';
import { AGE, column, NAME, wide } from './columns.ts';
import type { Resource } from './resource.ts';

const ROLE_LABEL = 'node-role.kubernetes.io/';

function cells(object: AnyObject, now: number): readonly string[] {
  const node = object as Node;
  const { conditions = [], addresses = [], nodeInfo = {} } = node.status ?? {};
  const ready = conditions.find(({ type }) => type === 'Ready');
  const status = ready === undefined ? 'Unknown' : isReadyNode(node) ? 'Ready' : 'NotReady';
  const roles = Object.keys(node.metadata.labels ?? {})
    .filter((key) => key.startsWith(ROLE_LABEL))
    .map((key) => key.slice(ROLE_LABEL.length))
    .toSorted();
  const address = (type: string): string => addresses.find((one) => one.type === type)?.address ?? '<none>';
  return [
    node.metadata.name,
    node.spec?.unschedulable === true ? `${status},SchedulingDisabled` : status,
    roles.length === 0 ? '<none>' : roles.join(','),
    age(node.metadata.creationTimestamp, now),
    nodeInfo.kubeletVersion ?? '',
    address('InternalIP'),
    address('ExternalIP'),
    nodeInfo.osImage ?? '<unknown>',
    nodeInfo.kernelVersion ?? '<unknown>',
    nodeInfo.containerRuntimeVersion ?? '<unknown>',
  ];
}

export const nodes: Resource = {
  group: '',
  version: 'v1',
  kind: 'Node',
  plural: 'nodes',
  singular: 'node',
  description: 'A host that runs pods, as its node agent tells of it.',
  shortNames: ['no'],
  namespaced: false,
  fields: nodeShape,
  write: 'admin',
  status: 'admin',
  prepare: (object) => object,
  validate: (object) => [...validateMeta(object), ...refuseFinalizers(object)],
  selectable: (object) => ({ 'spec.unschedulable': String((object as Node).spec?.unschedulable === true) }),
  columns: [
    NAME,
    column('Status', 'Whether its agent answers and can run pods'),
    column('Roles', `Labels ${ROLE_LABEL}…`),
    AGE,
    column('Version', 'Version of its agent'),
    wide('Internal-IP', 'Address within the cluster'),
    wide('External-IP', 'Address from outside'),
    wide('OS-Image', 'Operating system'),
    wide('Kernel-Version', 'Kernel'),
    wide('Container-Runtime', 'What runs its pods'),
  ],
  cells,
  deletion: () => ({ how: 'now' }),
};
