// What happens to containers, as Docker tells it: a stream that is opened again whenever it ends.
import { setTimeout as sleep } from 'node:timers/promises';
import { explain } from '../../base/fault.ts';
import { jsonLines } from './lines.ts';
import { Event } from './shapes.ts';
import type { Wire } from './wire.ts';

export interface EventListener {
  /** Something happened to this container. */
  event(container: string): void;
  /** From now on events are heard; what happened before may have been missed. */
  connected(): void;
  /** Events are not heard any more. */
  lost(why: string): void;
}

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 15_000;
const OPEN_MS = 10_000;
/** Exits, starts and removals; what is exec'ed within a container is no concern of its pod. */
const ACTIONS = ['create', 'start', 'die', 'oom', 'destroy', 'pause', 'unpause', 'rename'];

export function followEvents(wire: Wire, labels: readonly string[], listener: EventListener): AsyncDisposable {
  const stopping = new AbortController();
  const { signal } = stopping;
  const call = {
    what: 'follow events',
    method: 'GET',
    path: '/events',
    query: { filters: { type: ['container'], event: ACTIONS, label: labels } },
    deadlineMs: OPEN_MS,
  } as const;

  /** Resolves with why it ended. */
  const follow = async (onOpen: () => void): Promise<string> => {
    try {
      // Another version may have taken over: the first question is who answers.
      await wire.version();
      const stream = await wire.stream(call, signal);
      if ('status' in stream) return `Docker refused to tell its events: status ${stream.status}`;
      if (signal.aborted) return 'nobody listens any more';
      onOpen();
      listener.connected();
      for await (const line of jsonLines(stream)) {
        const { data } = Event.safeParse(line);
        if (data !== undefined && !signal.aborted) listener.event(data.Actor.ID);
      }
      return 'Docker ended the stream of events';
    } catch (error) {
      return explain(error);
    }
  };
  const run = async (): Promise<void> => {
    let delayMs = FIRST_RETRY_MS;
    while (!signal.aborted) {
      let open = false;
      const why = await follow(() => (open = true));
      if (signal.aborted) return;
      if (open) {
        delayMs = FIRST_RETRY_MS;
        listener.lost(why);
      }
      await sleep(delayMs, undefined, { signal, ref: false }).catch(() => undefined);
      delayMs = Math.min(LAST_RETRY_MS, delayMs * 2);
    }
  };
  void run();
  return {
    // An engine that hangs is not waited for: what it says from now on reaches nobody.
    async [Symbol.asyncDispose]() {
      stopping.abort();
    },
  };
}
