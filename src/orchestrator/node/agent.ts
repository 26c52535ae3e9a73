// The node agent: a client of our own Kubernetes API that keeps this host's pods as they are wanted, like a kubelet.
import { hostname } from 'node:os';
import type { Component, Health } from '../../base/component.ts';
import type { Logger } from '../../base/logging.ts';
import { procedure, type Procedure } from '../../base/route.ts';
import type { Runtime } from '../runtimes/runtime.ts';
import { openApiClient } from './api-client.ts';
import { type Clock, systemClock } from '../clock.ts';
import { podReference, recordEvents } from './events.ts';
import { beat } from './heartbeat.ts';
import { openKeyQueue } from '../key-queue.ts';
import { nodeHealth, nodeParts, type NodeState } from './node-health.ts';
import { hostAddress, identify } from './node-object.ts';
import { observe } from './observations.ts';
import { planFor } from './plan-procedure.ts';
import { podApi } from './pod-api.ts';
import { watchPods } from './pod-watch.ts';
import { openPods } from './pods.ts';
import { PlanRequest, ReadLogRequest } from './procedures.ts';
import { readLog } from './read-log.ts';
import { adviceOf } from './reasons.ts';
import { openPodSync } from './sync.ts';

interface NodeAgentOptions {
  /** Unix socket of the front door. */
  readonly socketPath: string;
  readonly nodeName?: string;
  readonly runtimes: readonly Runtime[];
  readonly version: string;
  readonly log: Logger;
  readonly clock?: Clock;
  /** In [0, 1). */
  readonly random?: () => number;
}

export interface NodeAgent extends Component {
  /** `Node::readLog` and `Node::plan`, for the API. */
  readonly procedures: readonly Procedure[];
  /** Lines for the status: the node and its runtimes. */
  parts(): ReadonlyMap<string, Health>;
}

const AT_ONCE = 32;
const RESYNC_MS = 60_000;
const HEARTBEAT_MS = 60_000;
const HEARTBEAT_RETRY_MS = 2000;
/** Several hints that come together are one. */
const HINT_MS = 50;
const STARTING_MS = 30_000;

/** A name that Kubernetes takes for a node: this host's, in lower case. */
export const nodeNameOf = (host: string = hostname()): string =>
  host
    .toLowerCase()
    .replace(/[^a-z0-9.-]/g, '-')
    .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, '') || 'localhost';

export function openNodeAgent(options: NodeAgentOptions): NodeAgent {
  const { socketPath, runtimes, version, log, clock = systemClock, random = Math.random } = options;
  const nodeName = options.nodeName ?? nodeNameOf();
  const client = openApiClient(socketPath);
  const api = podApi(client);
  const observations = observe(runtimes);
  const pods = openPods((uid) => queue.add(uid));
  const events = recordEvents({ client, nodeName, clock, log });
  const stopping = new AbortController();
  const watches: AsyncDisposable[] = [];
  const timers = new Map<string, Disposable>();
  const startedAt = clock.now();
  let apiFailure: unknown;
  let hinted = false;

  const sync = openPodSync({
    runtimes,
    observations,
    pods,
    api,
    tell: (pod, happening) => events.tell(podReference(pod), happening),
    clock,
    hostIP: hostAddress,
    ownUid: process.getuid?.() ?? 0,
    log,
  });
  const queue = openKeyQueue(sync.sync, {
    atOnce: AT_ONCE,
    clock,
    onFailure(uid, error, failures) {
      if (failures > 1) return;
      log.warn({ err: error, pod_uid: uid }, 'a step of a pod failed and is tried again');
      const pod = pods.get(uid);
      if (pod !== undefined)
        events.tell(podReference(pod), { type: 'Warning', reason: 'FailedSync', message: adviceOf(error) });
    },
  });
  const state = (): NodeState => ({
    pods,
    runtimes,
    observations,
    apiFailure,
    starting: clock.now() - startedAt < STARTING_MS,
  });

  /** One timer of each name. */
  const later = (name: string, ms: number, run: () => Promise<void>): void => {
    if (stopping.signal.aborted) return;
    timers.get(name)?.[Symbol.dispose]();
    timers.set(
      name,
      clock.after(ms, () => void run()),
    );
  };

  /** Looks at everything there is; pods of the API and, once the API gave a whole list, what only the runtimes know. */
  const resync = async (): Promise<void> => {
    if (!pods.listed) return;
    const uids = new Set(pods.all().map(({ metadata }) => metadata.uid));
    for (const { name } of runtimes) {
      const facts = await observations.fresh(name);
      for (const { podUid } of [...(facts?.sandboxes ?? []), ...(facts?.containers ?? [])]) uids.add(podUid);
    }
    for (const uid of uids) queue.add(uid);
  };
  /** Soon, once for all hints that come until then. */
  const hint = (): void => {
    if (hinted) return;
    hinted = true;
    later('hint', HINT_MS, () => {
      hinted = false;
      return resync();
    });
  };
  const resyncLater = (ms: number): void =>
    later('resync', ms, async () => {
      await observations.check();
      await resync();
      resyncLater(RESYNC_MS);
    });
  const heartbeat = async (): Promise<void> => {
    const health = new Map(
      runtimes.flatMap(({ name }) => {
        const found = observations.health(name);
        return found === undefined ? [] : [[name, found] as const];
      }),
    );
    const told = await beat(client, await identity, health, clock.wall()).then(
      () => true,
      (error: unknown) => {
        log.debug({ err: error }, 'the node was not reported');
        return false;
      },
    );
    later('heartbeat', told ? HEARTBEAT_MS : HEARTBEAT_RETRY_MS, heartbeat);
  };
  const identity = identify(nodeName, version);

  const begin = async (): Promise<void> => {
    await observations.check();
    if (stopping.signal.aborted) return;
    void heartbeat();
    resyncLater(RESYNC_MS);
    await watchPods({
      client,
      nodeName,
      pods,
      log,
      random,
      signal: stopping.signal,
      onState(failure) {
        apiFailure = failure;
        // A whole list was read just now: what has no pod in it can be told apart.
        if (failure === undefined) hint();
      },
    });
  };

  return {
    name: 'node',
    procedures: nodeProcedures({ pods, runtimes, observations, clock, sync }),
    parts: () => nodeParts(state()),
    async start() {
      for (const runtime of runtimes) watches.push(runtime.watch(hint));
      void begin();
    },
    async stop() {
      stopping.abort();
      void queue.close();
      for (const timer of timers.values()) timer[Symbol.dispose]();
      await Promise.all([...watches, client].map((each) => each[Symbol.asyncDispose]()));
    },
    health: () => nodeHealth(state()),
  };
}

function nodeProcedures(parts: Parameters<typeof planFor>[1] & Parameters<typeof readLog>[1]): readonly Procedure[] {
  return [
    procedure({
      name: 'Node::readLog',
      right: 'logs',
      request: ReadLogRequest,
      recorded: false,
      handler: (request, { signal }) => readLog(request, parts, signal),
    }),
    procedure({
      name: 'Node::plan',
      right: 'read',
      request: PlanRequest,
      handler: ({ pods }) => planFor(pods, parts),
    }),
  ];
}
