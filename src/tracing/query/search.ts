// Exact search: newest traces first, the limit applied after the order, over hot spans and blocks of all partitions.
import type { HotWindow } from '../store/hot.ts';
import type { Candidate, Partition } from '../store/partition.ts';
import type { Piece } from '../store/block.ts';
import { type Span, summarize, type Summary, together } from '../span.ts';

/** A place in the list: by start and, where two traces start in the same microsecond, by id. */
export interface Place {
  /** Unix microseconds. */
  readonly start: number;
  readonly traceId: string;
}

export interface Filter {
  /** One span has to match all three. */
  readonly service?: string | undefined;
  readonly operation?: string | undefined;
  /** Microseconds. */
  readonly minDuration: number;
  /** Bounds of the start of the trace, both included, Unix microseconds. */
  readonly from: number;
  readonly to: number;
  readonly limit: number;
  /** Only what comes after this place. */
  readonly after?: Place | undefined;
}

interface SearchIn {
  readonly hot: readonly HotWindow[];
  readonly partitions: readonly Partition[];
}

/**
 * How long after the start of a trace parts of it can arrive without its root and still be placed by the true start when
 * a page does not begin at the newest trace.
 */
const LATE_MICROS = 3_600_000_000;

/** Whether `a` comes before `b`: newer, or the greater id. */
const before = (a: Place, b: Place): boolean => a.start > b.start || (a.start === b.start && a.traceId > b.traceId);

/**
 * The summaries of the newest traces that match. A part of a trace starts no earlier than the trace, so parts are visited
 * from the newest, each trace is placed by the start of all its parts, and the walk ends where no better one can come.
 */
export function search(filter: Filter, where: SearchIn): readonly Summary[] {
  const best: Summary[] = [];
  const visited = new Set<string>();
  const worst = (): number => (best.length < filter.limit ? filter.from : (best.at(-1)?.start ?? filter.from));
  const upper = Math.min(filter.to, filter.after?.start ?? Number.MAX_SAFE_INTEGER);

  const consider = (traceId: string): void => {
    if (visited.has(traceId)) return;
    visited.add(traceId);
    const summary = wholeSummary(traceId, where);
    if (summary === undefined || summary.start < filter.from || summary.start > filter.to) return;
    if (filter.after !== undefined && !before(filter.after, summary)) return;
    const at = best.findIndex((other) => before(summary, other));
    best.splice(at < 0 ? best.length : at, 0, summary);
    if (best.length > filter.limit) best.pop();
  };

  for (const { start, root, traceId, spans } of hotPieces(where.hot, filter)) {
    if (start < worst()) break;
    if ((start <= upper || root === undefined) && spans.some((span) => matches(span, filter))) consider(traceId);
  }

  for (const { partition, candidate } of newestFirst(where.partitions, filter)) {
    if (candidate.newest < worst()) break;
    // Newer than the page: only parts of traces that began earlier can be wanted.
    if (candidate.oldest > upper && !(candidate.rootless && candidate.oldest <= upper + LATE_MICROS)) continue;
    const pieces = partition
      .pieces(candidate.block)
      .filter(
        (piece) =>
          piece.longest >= filter.minDuration &&
          (piece.start <= upper || piece.root === undefined) &&
          !visited.has(piece.traceId),
      )
      .sort((a, b) => b.start - a.start);
    const holds = matcher(partition, candidate.block, filter);
    for (const piece of pieces) {
      if (piece.start < worst()) break;
      if (holds(piece)) consider(piece.traceId);
    }
  }
  return best;
}

/** Traces of the hot windows that are long enough, newest first. */
const hotPieces = (hot: readonly HotWindow[], { minDuration }: Filter) =>
  hot
    .flatMap(({ traces }) => [...traces.values()].map((spans) => ({ ...summarize(spans), held: spans })))
    .filter(({ longest }) => longest >= minDuration)
    .map(({ start, root, traceId, held }) => ({ start, root, traceId, spans: held }))
    .sort((a, b) => b.start - a.start);

/** Looks into a piece, where its summary does not tell whether it matches; the block is unpacked at most once. */
function matcher(partition: Partition, block: number, filter: Filter): (piece: Piece) => boolean {
  if (filter.service === undefined) return () => true;
  let read: ((piece: Piece) => readonly Span[]) | undefined;
  return (piece) => (read ??= partition.open(block))(piece).some((span) => matches(span, filter));
}

const matches = ({ source, name, duration }: Span, { service, operation, minDuration }: Filter): boolean =>
  duration >= minDuration &&
  (service === undefined || source.service === service) &&
  (operation === undefined || name === operation);

function wholeSummary(traceId: string, { hot, partitions }: SearchIn): Summary | undefined {
  const pieces: Summary[] = partitions.flatMap((partition) => partition.find(traceId).map(({ piece }) => piece));
  for (const window of hot) {
    const spans = window.find(traceId);
    if (spans.length > 0) pieces.push(summarize(spans));
  }
  return together(pieces);
}

/** The candidates of all partitions in one order. */
function* newestFirst(
  partitions: readonly Partition[],
  wanted: Filter,
): IterableIterator<{ readonly partition: Partition; readonly candidate: Candidate }> {
  const walks = partitions.map((partition) => {
    const walk = partition.candidates(wanted);
    return { partition, walk, head: walk.next() };
  });
  try {
    for (;;) {
      let next: (typeof walks)[number] | undefined;
      for (const one of walks)
        if (one.head.done !== true && (next === undefined || one.head.value.newest > next.head.value.newest))
          next = one;
      if (next === undefined || next.head.done === true) return;
      yield { partition: next.partition, candidate: next.head.value };
      next.head = next.walk.next();
    }
  } finally {
    for (const { walk } of walks) walk.return?.();
  }
}
