// A trace as a waterfall: the tree of its spans with bars over time, as lines for a terminal.
import { formatSeconds } from '../base/units.ts';
import { displayWidth, type Io, paint, printable } from './io.ts';

interface ShownSpan {
  readonly spanId: string;
  readonly parentSpanId: string | null;
  readonly name: string;
  readonly service: string;
  readonly startUnixNano: string;
  readonly durationMs: number;
  readonly status: { readonly code: string; readonly message: string };
}

interface Placed {
  readonly span: ShownSpan;
  readonly depth: number;
  readonly orphan: boolean;
  /** Milliseconds that it starts before its parent, or ends after it; 0 where it lies within. */
  readonly early: number;
}

/** Deeper spans are not indented further, and say how deep they are. */
const MAX_INDENT = 16;
const MIN_BAR = 10;
/** A child this little before its parent is rounding, not a wrong clock. */
const SKEW_MS = 0.001;

const millisBetween = (from: string, to: string): number => Number(BigInt(to) - BigInt(from)) / 1e6;

/** Spans in the order of the tree, children by start; orphans and what hangs in a circle stand at the top, marked. */
function plant(spans: readonly ShownSpan[]): readonly Placed[] {
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  const children = new Map<string, ShownSpan[]>();
  const tops: ShownSpan[] = [];
  for (const span of spans) {
    const parent = span.parentSpanId;
    if (parent === null || !byId.has(parent)) tops.push(span);
    else if (children.get(parent)?.push(span) === undefined) children.set(parent, [span]);
  }
  const placed: Placed[] = [];
  const done = new Set<ShownSpan>();
  const grow = (top: ShownSpan): void => {
    const rest: [span: ShownSpan, depth: number][] = [[top, 0]];
    for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
      const [span, depth] = next;
      if (done.has(span)) continue;
      done.add(span);
      const parent = depth === 0 ? undefined : byId.get(span.parentSpanId ?? '');
      const early = parent === undefined ? 0 : millisBetween(span.startUnixNano, parent.startUnixNano);
      placed.push({ span, depth, orphan: depth === 0 && span.parentSpanId !== null, early: Math.max(0, early) });
      for (const child of (children.get(span.spanId) ?? []).toReversed()) rest.push([child, depth + 1]);
    }
  };
  for (const top of tops) grow(top);
  for (const span of spans) if (!done.has(span)) grow(span);
  return placed;
}

/** The text in exactly `width` columns. */
function fit(text: string, width: number): string {
  if (displayWidth(text) <= width) return text + ' '.repeat(width - displayWidth(text));
  let kept = '';
  for (const character of text) {
    if (displayWidth(kept + character) > width - 1) break;
    kept += character;
  }
  return `${kept}…${' '.repeat(Math.max(0, width - 1 - displayWidth(kept)))}`;
}

const labelOf = ({ span, depth, orphan }: Placed): string => {
  const indent = '  '.repeat(Math.min(depth, MAX_INDENT)) + (depth > MAX_INDENT ? `(${depth}) ` : '');
  return `${indent}${orphan ? '⋯ ' : ''}${printable(span.name) || '(no name)'}`;
};

/** `startUnixNano` and `durationMs` are those of the whole trace. */
export function waterfall(
  trace: { readonly startUnixNano: string; readonly durationMs: number; readonly spans: readonly ShownSpan[] },
  io: Io,
): string[] {
  const placed = plant(trace.spans);
  const longest = (texts: readonly string[], most: number): number =>
    Math.min(
      most,
      texts.reduce((width, text) => Math.max(width, displayWidth(text)), 0),
    );
  const labels = placed.map(labelOf);
  const services = placed.map(({ span }) => printable(span.service));
  const times = placed.map(({ span }) => formatSeconds(span.durationMs / 1000));
  const room = Math.max(60, io.columns);
  const widths = {
    label: longest(labels, Math.floor(room * 0.4)),
    service: longest(services, Math.floor(room * 0.2)),
    time: longest(times, 10),
  };
  const bar = Math.max(MIN_BAR, room - widths.label - widths.service - widths.time - 9);
  return placed.flatMap((one, index) => {
    const { span, early, depth } = one;
    const failed = span.status.code === 'error';
    const line = [
      failed ? paint(io, 'red', '✖') : ' ',
      fit(labels[index] ?? '', widths.label),
      paint(io, 'dim', fit(services[index] ?? '', widths.service)),
      `${' '.repeat(Math.max(0, widths.time - displayWidth(times[index] ?? '')))}${times[index]}`,
      `▏${paint(io, failed ? 'red' : 'green', barOf(span, trace, bar))}`,
    ];
    const under = ' '.repeat(2 + 2 * (Math.min(depth, MAX_INDENT) + 1));
    const notes = [
      ...(failed && span.status.message !== '' ? [`${under}${paint(io, 'red', printable(span.status.message))}`] : []),
      ...(early > SKEW_MS
        ? [`${under}${paint(io, 'yellow', `clock: starts ${formatSeconds(early / 1000)} before its parent`)}`]
        : []),
    ];
    return [line.join(' ').trimEnd(), ...notes];
  });
}

function barOf(
  span: ShownSpan,
  { startUnixNano, durationMs }: { readonly startUnixNano: string; readonly durationMs: number },
  width: number,
): string {
  const scale = durationMs > 0 ? width / durationMs : 0;
  const from = Math.min(width - 1, Math.max(0, Math.floor(millisBetween(startUnixNano, span.startUnixNano) * scale)));
  const length = Math.min(width - from, Math.round(span.durationMs * scale));
  return ' '.repeat(from) + (length === 0 ? '▏' : '█'.repeat(length));
}
