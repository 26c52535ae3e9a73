// Every kind that the API serves.
import { events } from './events.ts';
import { namespaces } from './namespaces.ts';
import { nodes } from './nodes.ts';
import { pods } from './pods.ts';
import type { Resource } from './resource.ts';

export const resources: readonly Resource[] = [events, namespaces, nodes, pods];
