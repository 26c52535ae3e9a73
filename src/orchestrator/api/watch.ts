// GET ?watch=1: changes as JSON lines, in order, until the client, the time or the server ends it.
import { Readable } from 'node:stream';
import type { RouteReply } from '../../base/route.ts';
import type { AnyObject } from '../objects/meta.ts';
import type { Watch, WatchEvent } from '../store/object-store.ts';
import type { ApiContext } from './context.ts';
import { forbidden } from '../objects/cause.ts';
import { badRequest, invalidObject } from './faults.ts';
import { isTrue, type KubeRequest, parameter, wholeNumber } from './request.ts';
import { apiVersionOf, kindSubject, type Resource } from './resource.ts';
import type { Matches } from './selectors.ts';
import { showOne } from './table.ts';

const BOOKMARK_MS = 60_000;
const LONGEST_SECONDS = 3600;
/** Between half an hour and an hour where the client says nothing, so that not all end together. */
const usualSeconds = (): number => Math.round((0.5 + Math.random() / 2) * LONGEST_SECONDS);

interface Scope {
  readonly prefix: string;
  readonly matches: Matches | undefined;
}

export async function watch(
  context: ApiContext,
  resource: Resource,
  request: KubeRequest,
  { prefix, matches }: Scope,
): Promise<RouteReply> {
  if (isTrue(parameter(request, 'sendInitialEvents'))) {
    // Clients then list first, as they do where a server is older than this parameter.
    throw invalidObject({ ...kindSubject(resource, ''), kind: 'ListOptions' }, [
      forbidden('sendInitialEvents', 'sendInitialEvents is forbidden for watch in this version'),
    ]);
  }
  const seconds = Math.min(wholeNumber(request, 'timeoutSeconds') || usualSeconds(), LONGEST_SECONDS);
  const since = parameter(request, 'resourceVersion') ?? '';
  if (!/^\d{0,15}$/.test(since)) throw badRequest(`invalid resource version ${JSON.stringify(since.slice(0, 40))}`);
  const initial = since === '' || since === '0' ? await context.objects.list(prefix) : undefined;
  const changes = await context.objects.watch(prefix, initial?.revision ?? Number(since));
  const line = (type: string, object: AnyObject): string =>
    `${JSON.stringify({ type, object: showOne(resource, request, object, context.now()) })}\n`;
  const signal = AbortSignal.any([request.signal, context.stopping()]);
  // Also where the answer is never read.
  const end = (): void => void changes[Symbol.asyncDispose]();
  if (signal.aborted) end();
  else signal.addEventListener('abort', end, { once: true });
  const lines = changeLines(changes, {
    until: performance.now() + seconds * 1000,
    bookmarks: isTrue(parameter(request, 'allowWatchBookmarks')),
    first: (initial?.items ?? []).filter((one) => matches?.(one) ?? true).map((one) => line('ADDED', one)),
    show(event) {
      const change = seen(event, matches);
      return change === undefined ? undefined : line(change, event.object);
    },
    bookmark: (revision) =>
      `${JSON.stringify({
        type: 'BOOKMARK',
        object: {
          kind: resource.kind,
          apiVersion: apiVersionOf(resource),
          metadata: { resourceVersion: String(revision), creationTimestamp: null },
        },
      })}\n`,
  });
  return { type: 'application/json', body: Readable.from(lines, { objectMode: true, highWaterMark: 4 }) };
}

interface Lines {
  /** Milliseconds of the monotonic clock. */
  readonly until: number;
  readonly bookmarks: boolean;
  readonly first: readonly string[];
  readonly show: (event: WatchEvent) => string | undefined;
  readonly bookmark: (revision: number) => string;
}

async function* changeLines(changes: Watch, options: Lines): AsyncGenerator<string> {
  const { until, bookmarks, first, show, bookmark } = options;
  try {
    yield* first;
    let told = changes.revision();
    for (;;) {
      const left = until - performance.now();
      const batch = await changes.next(Math.max(1, Math.min(BOOKMARK_MS, left)));
      if (batch === undefined) return;
      const lines = batch.map(show).filter((text) => text !== undefined);
      if (lines.length > 0) yield lines.join('');
      const over = performance.now() >= until;
      // With nothing to tell for a minute, or at the end: where the client may go on from.
      if (bookmarks && (over || batch.length === 0) && changes.revision() > told)
        yield bookmark((told = changes.revision()));
      if (over) return;
    }
  } finally {
    await changes[Symbol.asyncDispose]();
  }
}

/** The change as a watcher with selectors sees it: what comes to match is added, what no longer does is deleted. */
function seen({ type, object, previous }: WatchEvent, matches: Matches | undefined): WatchEvent['type'] | undefined {
  if (matches === undefined) return type;
  const is = matches(object);
  const was = previous !== undefined && matches(previous);
  if (type === 'ADDED') return is ? 'ADDED' : undefined;
  if (type === 'DELETED') return is || was ? 'DELETED' : undefined;
  if (is) return was ? 'MODIFIED' : 'ADDED';
  return was ? 'DELETED' : undefined;
}
