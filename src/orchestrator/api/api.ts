// All routes of the Kubernetes API, and of the plan beside it.
import type { Route } from '../../base/route.ts';
import type { AgentCalls } from './agent-calls.ts';
import type { ApiContext } from './context.ts';
import { discoveryRoutes } from './discovery.ts';
import { logRoute } from './log.ts';
import { openApiRoutes } from './openapi.ts';
import { planRoute } from './plan.ts';
import { notServedRoutes } from './not-served.ts';
import { reviewRoutes } from './reviews.ts';
import { resourceRoutes } from './routes.ts';

interface ApiParts {
  readonly version: string;
  /** What the node agent is asked. */
  readonly call: AgentCalls;
}

/** Every route, over what `context` holds. */
export const apiRoutes = (context: ApiContext, { version, call }: ApiParts): readonly Route[] => [
  ...discoveryRoutes({ version }),
  ...openApiRoutes(version),
  ...resourceRoutes(context),
  ...reviewRoutes(),
  ...notServedRoutes(),
  logRoute(context, call),
  planRoute(context, call),
];
