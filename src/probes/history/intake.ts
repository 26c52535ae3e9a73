// From the lines of collections to the samples of series: counters become rates, labels are summed over, gaps stay gaps.
import { LineReader } from '../line-reader.ts';
import { hasLabels, parseSeries, without } from '../sample-text.ts';
import { Accumulator, interval, type Moment, rate } from './rollup.ts';
import type { KeptFamily, KeptMetric } from './series.ts';

/** The chosen families of one collection, as sample lines. */
export interface Lines extends Moment {
  readonly collector: string;
  readonly periodSeconds: number;
  /** UTF-8, each in a buffer of its own. */
  readonly families: readonly { readonly name: string; readonly text: Uint8Array<ArrayBuffer> }[];
}

/** A series of which samples come in. */
export interface Live {
  /** Its name as it stands in a sample line, without the labels that are summed over. */
  readonly text: string;
  readonly metric: string;
  readonly family: KeptFamily;
  /** The thing it is about, where only the worst of many are kept. */
  readonly subject: string | undefined;
  /** The samples of the minute under way. */
  readonly minute: Accumulator;
  /** What a sum has of the collection under way; NaN when a part of it is not known. */
  pending: number;
  /** The collection in which a line of it stood last. */
  round: number;
  /** One stood in the collection before as well. */
  steady: boolean;
}

/** One line of the exposition; several may be summed into one series. */
interface Line {
  /** Undefined for what is not kept. */
  readonly series: Live | undefined;
  /** The value of the counter in the collection `round`. */
  before: number;
  round: number;
}

interface Source {
  last: Moment | undefined;
  round: number;
}

interface Intake {
  take(lines: Lines): void;
  readonly series: ReadonlyMap<string, Live>;
  /** Forgets what did not come for `rounds` collections of any collector. */
  forget(rounds: number): void;
  /** Series that were beyond the limit, since the start. */
  readonly dropped: ReadonlySet<string>;
}

/** Most names kept of series that were beyond the limit. */
const DROPPED_NAMES = 1000;

export function openIntake(families: readonly KeptFamily[], maxSeries: number): Intake {
  const rules = new Map<string, { readonly rule: KeptMetric; readonly family: KeptFamily }>(
    families.flatMap((family) => family.metrics.map((rule) => [rule.metric, { rule, family }] as const)),
  );
  const sources = new Map<string, Source>();
  const lines = new Map<string, Line>();
  const series = new Map<string, Live>();
  const dropped = new Set<string>();
  const readers = new Map<string, LineReader<Line>>();
  const touched: Live[] = [];
  let round = 0;

  const newLine = (head: string, rule: KeptMetric, family: KeptFamily): Line => {
    const line: Line = { series: liveOf(head, rule, family), before: Number.NaN, round: -1 };
    lines.set(head, line);
    return line;
  };
  const liveOf = (head: string, rule: KeptMetric, family: KeptFamily): Live | undefined => {
    const name = parseSeries(head);
    if (name === undefined || (rule.where !== undefined && !hasLabels(name, rule.where))) return undefined;
    const over = rule.sum ?? rule.largest;
    const text = over === undefined ? head : without(name, over);
    const known = series.get(text);
    if (known !== undefined) return known;
    if (series.size >= maxSeries) {
      if (dropped.size < DROPPED_NAMES) dropped.add(text);
      return undefined;
    }
    const subject = family.worst === undefined ? undefined : (name.labels[family.worst.label] ?? '');
    const live: Live = {
      text,
      metric: name.metric,
      family,
      subject,
      minute: new Accumulator(),
      pending: 0,
      round: -1,
      steady: false,
    };
    series.set(text, live);
    return live;
  };
  const takeLine = (line: Line, value: number, { as, largest }: KeptMetric, since: number, seconds: number): void => {
    const live = line.series;
    if (live === undefined) {
      line.round = round;
      return;
    }
    if (live.round !== round) {
      live.steady = live.round === since;
      live.round = round;
      live.pending = largest === undefined ? 0 : -Infinity;
      touched.push(live);
    }
    if (largest !== undefined) live.pending = Math.max(live.pending, value);
    else if (as === 'value') live.pending += value;
    else {
      // What joins a sum that goes on adds from its second value on: where containers come and go there is no rate else.
      const joins = live.steady && Number.isNaN(line.before);
      const known =
        line.round === since && seconds > 0 ? rate(line.before, value, seconds) : joins && seconds > 0 ? 0 : undefined;
      live.pending += known ?? Number.NaN;
      line.before = value;
    }
    line.round = round;
  };

  return {
    series,
    dropped,
    take({ collector, periodSeconds, families: given, at, uptime }) {
      const now = { at, uptime };
      const source = sources.get(collector) ?? { last: undefined, round: -1 };
      const seconds = source.last === undefined ? undefined : interval(source.last, now, periodSeconds);
      round += 1;
      for (const { name, text } of given) {
        const found = rules.get(name);
        if (found === undefined) continue;
        const { rule, family } = found;
        let reader = readers.get(name);
        if (reader === undefined)
          readers.set(name, (reader = new LineReader((head) => lines.get(head) ?? newLine(head, rule, family))));
        reader.read(text, (line, value) => takeLine(line, value, rule, source.round, seconds ?? 0));
      }
      for (const live of touched) live.minute.add(live.pending);
      touched.length = 0;
      sources.set(collector, { last: now, round });
    },
    forget(rounds) {
      const oldest = round - rounds;
      const before = lines.size;
      for (const [head, line] of lines) if (line.round < oldest) lines.delete(head);
      if (lines.size < before) readers.clear();
      for (const [text, live] of series) if (live.round < oldest) series.delete(text);
    },
  };
}
