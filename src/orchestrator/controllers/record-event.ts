// Events of the controllers: the same happening to the same object is one event that is counted up.
import { createHash } from 'node:crypto';
import { timestamp } from '../api/age.ts';
import { type ApiContext, keyOf } from '../api/context.ts';
import { events } from '../api/events.ts';
import type { Event } from '../objects/event.ts';
import type { AnyObject } from '../objects/meta.ts';

interface Happening {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

export async function recordEvent(
  { objects, now, newUid }: ApiContext,
  component: string,
  about: AnyObject,
  { type, reason, message }: Happening,
): Promise<void> {
  const { name, namespace = 'default', uid } = about.metadata;
  const id = createHash('sha256').update([uid, component, type, reason, message].join('\n')).digest('hex').slice(0, 16);
  const eventName = `${name.slice(0, 230)}.${id}`;
  const key = keyOf(events, namespace, eventName);
  const seen = timestamp(now());
  const known = (await objects.get(key)) as Event | undefined;
  if (known !== undefined) {
    const counted = { ...known, count: (known.count ?? 1) + 1, lastTimestamp: seen };
    await objects.update(key, counted as unknown as AnyObject);
    return;
  }
  await objects.create(key, {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: eventName, namespace, uid: newUid(), resourceVersion: '', creationTimestamp: seen },
    involvedObject: { apiVersion: about.apiVersion, kind: about.kind, name, namespace, uid },
    type,
    reason,
    message,
    source: { component },
    reportingComponent: component,
    firstTimestamp: seen,
    lastTimestamp: seen,
    count: 1,
  });
}
