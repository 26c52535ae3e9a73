// The lines of the status for the node and for each of its runtimes.
import type { Health } from '../../base/component.ts';
import { Fault } from '../../base/fault.ts';
import { adviceOf } from './reasons.ts';
import type { Observations } from './observations.ts';
import type { Pods } from './pods.ts';
import type { Runtime } from '../runtimes/runtime.ts';

export interface NodeState {
  readonly pods: Pods;
  readonly runtimes: readonly Runtime[];
  readonly observations: Observations;
  /** Why the API did not answer the last time, or undefined. */
  readonly apiFailure: unknown;
  /** A process of the daemon takes a moment to come: until then its silence is no failure. */
  readonly starting: boolean;
}

/** What the node is for: said where it cannot do it. */
const COSTS = 'changes to pods wait; what runs goes on';

export function nodeHealth({ pods, runtimes, observations, apiFailure, starting }: NodeState): Health {
  const count = pods.all().length;
  const stands = runtimes.map(({ name }) => {
    const { state = 'starting', reason } = observations.health(name) ?? {};
    return state === 'available' || reason === undefined ? `${name}: ${state}` : `${name}: ${state} (${reason})`;
  });
  const summary = [`${count} ${count === 1 ? 'pod' : 'pods'}`, ...stands].join('; ');
  if (apiFailure instanceof Fault && apiFailure.status === 404)
    return { state: 'missing', summary, reason: 'the serve process has no Kubernetes API', costs: COSTS };
  if (!pods.listed && starting) return { state: 'starting', summary };
  if (apiFailure !== undefined || !pods.listed) {
    const reason = apiFailure === undefined ? 'the API was not asked yet' : adviceOf(apiFailure);
    return { state: 'failing', summary, reason, costs: COSTS };
  }
  if (runtimes.some(({ name }) => observations.works(name))) return { state: 'available', summary };
  return { state: 'limited', summary, costs: 'no pod can be started here' };
}

/** One line for the node, one for each runtime. */
export const nodeParts = (state: NodeState): ReadonlyMap<string, Health> =>
  new Map<string, Health>([
    ['node', nodeHealth(state)],
    ...state.runtimes.flatMap(({ name }): [string, Health][] => {
      const health = state.observations.health(name);
      return health === undefined ? [] : [[name, health]];
    }),
  ]);
