// The Docker Engine over its Unix socket: the one place that knows its API.
export { type Docker, openDocker } from './client.ts';
export { runningContainers } from './running.ts';
export type { ContainerDetails, ContainerSpec, ContainerSummary, Mount } from './shapes.ts';
