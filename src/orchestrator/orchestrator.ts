// The orchestrator as a part: the Kubernetes API over a store, and the controllers that act on it.
import { randomUUID } from 'node:crypto';
import type { Component } from '../base/component.ts';
import type { Logger } from '../base/logging.ts';
import type { Route } from '../base/route.ts';
import type { StateStore } from '../drivers/sqlite/index.ts';
import type { AgentCalls } from './api/agent-calls.ts';
import { apiRoutes } from './api/api.ts';
import type { ApiContext } from './api/context.ts';
import { openControllers } from './controllers/controllers.ts';
import { ensureNamespaces } from './controllers/namespaces.ts';
import { openSqliteObjects } from './store/sqlite-store.ts';

export interface OrchestratorOptions {
  /** Holds the tables of `orchestratorMigrations`. */
  readonly store: StateStore;
  readonly version: string;
  readonly log: Logger;
  /** Unix milliseconds. */
  readonly now: () => number;
  readonly newUid?: () => string;
  /** What the node agent is asked. */
  readonly call: AgentCalls;
}

interface Orchestrator extends Component {
  readonly routes: readonly Route[];
}

export function openOrchestrator({
  store,
  version,
  log,
  now,
  call,
  newUid = randomUUID,
}: OrchestratorOptions): Orchestrator {
  const objects = openSqliteObjects({ store, now });
  const stopping = new AbortController();
  const context: ApiContext = { objects, now, newUid, stopping: () => stopping.signal };
  const controllers = openControllers(context, log);
  return {
    name: 'orchestrator',
    routes: apiRoutes(context, { version, call }),
    async start() {
      await ensureNamespaces(context);
      controllers.start();
    },
    async stop() {
      stopping.abort();
      await controllers.stop();
    },
    health() {
      const reason = controllers.failure();
      return reason === undefined ? { state: 'available' } : { state: 'failing', reason };
    },
  };
}
