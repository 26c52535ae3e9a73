// Events about pods and the node: the same happening is counted up instead of told again, and no object may flood the API.
import { randomBytes } from 'node:crypto';
import type { Logger } from '../../base/logging.ts';
import type { ObjectMeta } from '../objects/meta.ts';
import type { ApiClient } from './api-client.ts';
import type { Happening } from './apply.ts';
import type { Clock } from '../clock.ts';
import { timeOf } from './times.ts';

interface InvolvedObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  readonly uid: string;
}

interface EventRecorder {
  tell(about: InvolvedObject, happening: Happening): void;
}

interface Known {
  readonly name: string;
  count: number;
  readonly first: string;
  at: number;
}

/** The kubelet's limits (client-go: tools/record/events_cache.go). */
const BURST = 25;
const REFILL_MS = 300_000;
const KEPT = 4096;
/** The API keeps events for an hour: after that there is nothing to count up. */
const FORGET_MS = 3_600_000;

export const podReference = ({ metadata }: { readonly metadata: ObjectMeta }): InvolvedObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  namespace: metadata.namespace ?? 'default',
  name: metadata.name,
  uid: metadata.uid,
});

export function recordEvents(options: {
  readonly client: ApiClient;
  readonly nodeName: string;
  readonly clock: Clock;
  readonly log: Logger;
}): EventRecorder {
  const { client, nodeName, clock, log } = options;
  const known = new Map<string, Known>();
  const buckets = new Map<string, { tokens: number; at: number }>();
  /** One after the other, so that a count does not overtake the event it counts. */
  let queue: Promise<void> = Promise.resolve();

  const mayTell = (uid: string): boolean => {
    const now = clock.now();
    const bucket = buckets.get(uid) ?? { tokens: BURST, at: now };
    const tokens = Math.min(BURST, bucket.tokens + (now - bucket.at) / REFILL_MS);
    buckets.delete(uid);
    buckets.set(uid, { tokens: tokens >= 1 ? tokens - 1 : tokens, at: now });
    trim(buckets);
    return tokens >= 1;
  };

  const write = async (about: InvolvedObject, happening: Happening, known: Known, seen: string): Promise<void> => {
    const namespace = about.namespace ?? 'default';
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/events`;
    if (known.count > 1) {
      const body = { count: known.count, lastTimestamp: seen };
      const { status } = await client.send('PATCH', `${path}/${known.name}`, { body, accept: [404] });
      if (status !== 404) return;
    }
    const { type, reason, message, container } = happening;
    await client.send('POST', path, {
      body: {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { name: known.name, namespace },
        involvedObject: {
          ...about,
          ...(container === undefined ? {} : { fieldPath: `spec.containers{${container}}` }),
        },
        reason,
        message,
        type,
        source: { component: 'jdos-agent', host: nodeName },
        reportingComponent: 'jdos-agent',
        reportingInstance: nodeName,
        firstTimestamp: known.first,
        lastTimestamp: seen,
        count: known.count,
      },
      accept: [404, 409],
    });
  };

  return {
    tell(about, happening) {
      if (!mayTell(about.uid)) return;
      const { type, reason, message, container = '' } = happening;
      const key = [about.uid, container, type, reason, message].join('\n');
      const seen = timeOf(clock.wall());
      const before = known.get(key);
      const entry: Known =
        before !== undefined && clock.now() - before.at < FORGET_MS
          ? before
          : { name: eventName(about.name), count: 0, first: seen, at: 0 };
      entry.count += 1;
      entry.at = clock.now();
      known.delete(key);
      known.set(key, entry);
      trim(known);
      const told = { ...entry };
      queue = queue.then(() =>
        write(about, happening, told, seen).catch((error: unknown) => {
          log.debug({ err: error, reason, pod: about.name }, 'event was not written');
        }),
      );
    },
  };
}

/** Unique, and in the order of time, as client-go's: the object's name and a hexadecimal number. */
const eventName = (name: string): string => `${name.slice(0, 230)}.${randomBytes(8).toString('hex')}`;

function trim(map: Map<string, unknown>): void {
  const oldest = map.size > KEPT ? map.keys().next() : undefined;
  if (oldest?.done === false) map.delete(oldest.value);
}
