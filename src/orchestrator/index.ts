// Workloads: the Kubernetes API over a store, its controllers, and what runs pods on this host.
export { agentCalls } from './api/agent-calls.ts';
export { openNodeAgent } from './node/agent.ts';
export { openOrchestrator, type OrchestratorOptions } from './orchestrator.ts';
export { openDockerRuntime } from './runtimes/docker.ts';
export { openProcessRuntime } from './runtimes/process.ts';
export { orchestratorMigrations } from './store/migrations.ts';
