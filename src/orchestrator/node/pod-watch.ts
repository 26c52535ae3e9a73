// Keeps the node's pods as the API has them: a list, then a watch, from the start again when the API forgot where we were.
import { setTimeout as sleep } from 'node:timers/promises';
import { Fault } from '../../base/fault.ts';
import type { Logger } from '../../base/logging.ts';
import { z } from '../../base/schema.ts';
import { API_REFUSED, type ApiClient } from './api-client.ts';
import { parsePod } from './pod-api.ts';
import type { Pods } from './pods.ts';

const List = z.object({ metadata: z.object({ resourceVersion: z.string() }), items: z.array(z.unknown()) });
const WatchEvent = z.object({ type: z.string(), object: z.looseObject({}) });
const Bookmark = z.object({ metadata: z.object({ resourceVersion: z.string() }) });
const Failure = z.object({ code: z.number().optional(), message: z.string().optional() });

const WATCH_SECONDS = 300;
/** A watch that outlives the time it was given by this much has lost its server. */
const LATE_MS = 30_000;
const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 2000;
const NEWS_AFTER = 6;

interface PodWatchOptions {
  readonly client: ApiClient;
  readonly nodeName: string;
  readonly pods: Pods;
  readonly log: Logger;
  /** In [0, 1). */
  readonly random: () => number;
  /** Told whether the API answers. */
  readonly onState: (failure: unknown) => void;
  readonly signal: AbortSignal;
}

/** Runs until `signal` aborts; never rejects. */
export async function watchPods(options: PodWatchOptions): Promise<void> {
  const { log, random, onState, signal } = options;
  let failures = 0;
  let from: string | undefined;
  while (!signal.aborted) {
    try {
      from ??= await list(options);
      onState(undefined);
      failures = 0;
      const began = performance.now();
      from = await follow(options, from);
      // A server that ends each watch at once must not be asked in a tight loop.
      if (performance.now() - began < 1000) await pause(1000, signal);
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Fault && error.status === 410) {
        from = undefined;
        continue;
      }
      onState(error);
      // The serve process takes a moment to come: that is no news.
      if (failures === NEWS_AFTER) log.warn({ err: error }, 'the API does not answer the node, pods stay as they are');
      failures += 1;
      const most = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** failures);
      await pause(most * (0.5 + random() / 2), signal);
      // The serve process is another one, and may have another store: what it has is read whole.
      from = undefined;
    }
  }
}

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  sleep(ms, undefined, { signal, ref: false }).catch(() => undefined);

const selector = (nodeName: string): { fieldSelector: string } => ({ fieldSelector: `spec.nodeName=${nodeName}` });

async function list({ client, nodeName, pods }: PodWatchOptions): Promise<string> {
  const { body } = await client.send('GET', '/api/v1/pods', { query: selector(nodeName) });
  const { metadata, items } = List.parse(body);
  pods.replace(items.map(withKind).map(parsePod));
  return metadata.resourceVersion;
}

/** Objects in lists come without their kind. */
const withKind = (item: unknown): unknown => ({ apiVersion: 'v1', kind: 'Pod', ...(item as object) });

/** One watch; gives the version to go on from. */
async function follow({ client, nodeName, pods, random, signal }: PodWatchOptions, since: string): Promise<string> {
  let from = since;
  const seconds = Math.round(WATCH_SECONDS * (1 + random()));
  const over = AbortSignal.any([signal, AbortSignal.timeout(seconds * 1000 + LATE_MS)]);
  const query = {
    ...selector(nodeName),
    watch: true,
    allowWatchBookmarks: true,
    resourceVersion: from,
    timeoutSeconds: seconds,
  };
  for await (const line of client.lines('/api/v1/pods', query, over)) {
    const { type, object } = WatchEvent.parse(JSON.parse(line));
    if (type === 'ERROR') {
      const { code = 500, message = 'watch failed' } = Failure.parse(object);
      throw new Fault({ ...API_REFUSED, status: code }, message);
    }
    from = Bookmark.parse(object).metadata.resourceVersion;
    if (type === 'BOOKMARK') continue;
    const pod = parsePod(object);
    if (type === 'DELETED') pods.delete(pod.metadata.uid);
    else pods.put(pod);
  }
  return from;
}
