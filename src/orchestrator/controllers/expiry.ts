// Events are kept for an hour after they were seen last.
import { type ApiContext, keyOf, prefixOf } from '../api/context.ts';
import { events } from '../api/events.ts';
import { Fault } from '../../base/fault.ts';
import type { Event } from '../objects/event.ts';
import type { AnyObject } from '../objects/meta.ts';

const KEEP_MS = 3_600_000;

export async function expireEvents({ objects, now }: ApiContext): Promise<void> {
  const { items } = await objects.list(prefixOf(events, undefined));
  for (const event of items as readonly Event[]) {
    const { name, namespace, creationTimestamp } = event.metadata;
    const seen = Date.parse(event.lastTimestamp ?? event.eventTime ?? creationTimestamp);
    // The clock of the one who wrote it may be wrong: then the time it was made here counts.
    const at = Number.isNaN(seen) || seen > now() ? Date.parse(creationTimestamp) : seen;
    if (now() - at < KEEP_MS) continue;
    await objects.remove(keyOf(events, namespace, name), event as unknown as AnyObject).catch((error: unknown) => {
      // Seen again, or removed by another, meanwhile.
      if (!(error instanceof Fault && error.status < 500)) throw error;
    });
  }
}
