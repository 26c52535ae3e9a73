// The controllers, driven by one watch of the store: each change puts the keys it concerns into their queues.
import { setTimeout as sleep } from 'node:timers/promises';
import { explain, Fault } from '../../base/fault.ts';
import type { Logger } from '../../base/logging.ts';
import { type ApiContext, keyOf, prefixOf } from '../api/context.ts';
import { namespaces, phaseOf } from '../api/namespaces.ts';
import { nodes } from '../api/nodes.ts';
import { pods } from '../api/pods.ts';
import type { AnyObject } from '../objects/meta.ts';
import { isReadyNode, type Node } from '../objects/node.ts';
import type { Pod } from '../objects/pod.ts';
import type { WatchEvent } from '../store/object-store.ts';
import { systemClock } from '../clock.ts';
import { type KeyQueue, openKeyQueue, type Work } from '../key-queue.ts';
import { bindPod, isUnbound } from './binder.ts';
import { expireEvents } from './expiry.ts';
import { reconcileNamespace } from './namespaces.ts';
import { watchNode } from './nodes.ts';

const EVERYTHING = '/registry/';
const COMPACT_MS = 60_000;
const EXPIRE_MS = 300_000;
const WAIT_MS = 600_000;
const AGAIN_MS = 1000;

interface Controllers {
  start(): void;
  stop(): Promise<void>;
  /** Why something goes wrong again and again. */
  failure(): string | undefined;
}

export function openControllers(context: ApiContext, log: Logger): Controllers {
  const { objects } = context;
  const queue = (controller: string, work: Work): KeyQueue =>
    openKeyQueue(work, {
      atOnce: 1,
      clock: systemClock,
      onFailure(key, error) {
        // A conflict is another writer who was faster: the next try sees what they wrote.
        if (!(error instanceof Fault && error.status === 409))
          log.warn({ err: error, controller, key }, 'reconcile failed');
      },
    });
  const binder = queue('binder', (key) => bindPod(context, key));
  const nodeWatch = queue('nodes', (key) => watchNode(context, key));
  const emptying = queue('namespaces', (name) => reconcileNamespace(context, name));
  const queues = [binder, nodeWatch, emptying];
  const stopping = new AbortController();
  const timers: NodeJS.Timeout[] = [];
  let following: Promise<void> | undefined;
  let failure: string | undefined;

  const addUnbound = async (): Promise<void> => {
    const { items } = await objects.list(prefixOf(pods, undefined));
    for (const pod of items as readonly unknown[] as readonly Pod[]) if (isUnbound(pod)) binder.add(keyOfPod(pod));
  };
  /** Whether a pod could now go where it could not before. */
  const offersMore = (object: AnyObject, previous: AnyObject | undefined): boolean => {
    const offer = (node: Node): string =>
      JSON.stringify([isReadyNode(node), node.spec?.unschedulable === true, node.metadata.labels]);
    return previous === undefined || offer(object as Node) !== offer(previous as Node);
  };
  const dispatch = async ({ type, key, object, previous }: WatchEvent): Promise<void> => {
    if (key.startsWith(prefixOf(pods, undefined))) {
      if (type !== 'DELETED' && isUnbound(object as unknown as Pod)) binder.add(key);
      if (type === 'DELETED') emptying.add(object.metadata.namespace ?? '');
    } else if (key.startsWith(prefixOf(nodes, undefined))) {
      nodeWatch.add(key);
      if (offersMore(object, previous) || type === 'DELETED') await addUnbound();
    } else if (key.startsWith(prefixOf(namespaces, undefined)) && phaseOf(object) === 'Terminating') {
      emptying.add(object.metadata.name);
    }
  };
  /** Begins with everything there is, and goes on with what changes. */
  const follow = async (): Promise<void> => {
    const { items, revision } = await objects.list(prefixOf(namespaces, undefined));
    await using watch = await objects.watch(EVERYTHING, revision);
    stopping.signal.addEventListener('abort', () => void watch[Symbol.asyncDispose](), { once: true });
    for (const one of items) if (phaseOf(one) === 'Terminating') emptying.add(one.metadata.name);
    const { items: hosts } = await objects.list(prefixOf(nodes, undefined));
    for (const { metadata } of hosts) nodeWatch.add(keyOf(nodes, undefined, metadata.name));
    await addUnbound();
    failure = undefined;
    while (!stopping.signal.aborted) {
      const batch = await watch.next(WAIT_MS);
      if (batch === undefined) return;
      for (const event of batch) await dispatch(event);
    }
  };
  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      try {
        await follow();
      } catch (error) {
        failure = explain(error);
        log.error({ err: error }, 'controllers begin anew');
      }
      await sleep(AGAIN_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  };
  const every = (ms: number, work: () => Promise<void>): void => {
    const timer = setInterval(() => {
      work().catch((error: unknown) => log.warn({ err: error }, 'objects cannot be tidied'));
    }, ms);
    timers.push(timer.unref());
  };

  return {
    start() {
      if (following !== undefined) return;
      following = run();
      every(COMPACT_MS, () => objects.compact());
      every(EXPIRE_MS, () => expireEvents(context));
    },
    async stop() {
      stopping.abort();
      for (const timer of timers) clearInterval(timer);
      await following;
      await Promise.all(queues.map((each) => each.close()));
    },
    failure: () => failure ?? queues.map((each) => each.failure()).find((why) => why !== undefined),
  };
}

const keyOfPod = ({ metadata }: Pod): string => keyOf(pods, metadata.namespace, metadata.name);
