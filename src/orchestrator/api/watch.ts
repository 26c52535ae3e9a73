// GET ?watch=1: changes as JSON lines, in order, until the client, the time or the server ends it.
import { Readable } from 'node:stream';
import type { RouteReply } from '../../base/route.ts';
import type { AnyObject } from '../objects/meta.ts';
import type { Watch, WatchEvent } from '../store/object-store.ts';
import type { ApiContext } from './context.ts';
import { checkRevision, type ListOptions } from './list-options.ts';
import { isTrue, type KubeRequest, parameter, wholeNumber } from './request.ts';
import type { Resource } from './resource.ts';
import type { Matches } from './selectors.ts';
import { showBookmark, showOne } from './table.ts';

const BOOKMARK_MS = 60_000;
const LONGEST_SECONDS = 3600;
/** Between half an hour and an hour where the client says nothing, so that not all end together. */
const usualSeconds = (): number => Math.round((0.5 + Math.random() / 2) * LONGEST_SECONDS);

interface Scope {
  readonly prefix: string;
  readonly matches: Matches | undefined;
  readonly options: ListOptions;
}

export async function watch(
  context: ApiContext,
  resource: Resource,
  request: KubeRequest,
  { prefix, matches, options }: Scope,
): Promise<RouteReply> {
  const seconds = Math.min(wholeNumber(request, 'timeoutSeconds') || usualSeconds(), LONGEST_SECONDS);
  const bookmarks = isTrue(parameter(request, 'allowWatchBookmarks'));
  const begins = options.initialEvents ?? options.revision === undefined;
  const initial = begins ? await context.objects.list(prefix) : undefined;
  if (initial !== undefined) checkRevision(options, initial.revision);
  // What changed since that list is in the history: between the two nothing is missed.
  const changes = await context.objects.watch(prefix, initial?.revision ?? options.revision);
  const line = (type: string, object: AnyObject): string =>
    toLine(type, showOne(resource, request, object, context.now()));
  const bookmark = (revision: number, complete: boolean): string =>
    toLine('BOOKMARK', showBookmark(resource, request, revision, complete));
  const signal = AbortSignal.any([request.signal, context.stopping()]);
  // Also where the answer is never read.
  const end = (): void => void changes[Symbol.asyncDispose]();
  if (signal.aborted) end();
  else signal.addEventListener('abort', end, { once: true });
  const lines = changeLines(changes, {
    until: performance.now() + seconds * 1000,
    bookmarks,
    *first() {
      for (const one of initial?.items ?? []) if (matches?.(one) ?? true) yield line('ADDED', one);
      if (initial !== undefined && options.initialEvents === true && bookmarks) yield bookmark(initial.revision, true);
    },
    show(event) {
      const change = seen(event, matches);
      return change === undefined ? undefined : line(change, event.object);
    },
    bookmark: (revision) => bookmark(revision, false),
  });
  const body = Readable.from(lines, { objectMode: true, highWaterMark: 4 });
  // A generator that was never begun has no end of its own.
  body.once('close', end);
  return { type: 'application/json', body };
}

const toLine = (type: string, object: object): string => `${JSON.stringify({ type, object })}\n`;

interface Lines {
  /** Milliseconds of the monotonic clock. */
  readonly until: number;
  readonly bookmarks: boolean;
  readonly first: () => Iterable<string>;
  readonly show: (event: WatchEvent) => string | undefined;
  readonly bookmark: (revision: number) => string;
}

async function* changeLines(changes: Watch, options: Lines): AsyncGenerator<string> {
  const { until, bookmarks, first, show, bookmark } = options;
  try {
    yield* first();
    let told = changes.revision();
    for (;;) {
      const left = until - performance.now();
      const batch = await changes.next(Math.max(1, Math.min(BOOKMARK_MS, left)));
      // Ended: by the client, by a stop, or because the client did not read. It may go on from the last it has read.
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
