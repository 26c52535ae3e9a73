// The first section of the report: what to do today, a line per problem, at most seven, the worst first.
import { isFinding, type Locale, type ReportInput, type Result } from '../inspector/index.ts';
import { formatSeconds } from '../base/units.ts';
import { clockTime, localDate, shortMoment } from './dates.ts';
import { countResults } from './coverage.ts';
import { plain } from './plain.ts';
import type { Problem } from './problems.ts';
import { formatCount, formatValue } from './quantity.ts';
import { SYMBOL, WORDS, type Shown, type Trend } from './words.ts';

/** A ratio and its limit as widths in percent; the cells of the bar. */
export interface Gauge {
  readonly text: string;
  /** Up to the smaller of value and limit, from there to the larger, and the rest; sums to 100. */
  readonly before: number;
  readonly between: number;
  readonly after: number;
  /** Whether the middle part is filled (the value lies beyond the limit) or still free. */
  readonly over: boolean;
}

export interface ActionLine {
  readonly mark: string;
  readonly kind: Shown;
  readonly word: string;
  readonly code: string;
  readonly title: string;
  /** How many targets share the cause; undefined for one. */
  readonly times: number | undefined;
  /** The check's own conclusion on the worst target. */
  readonly line: string;
  readonly trend: Trend | undefined;
  readonly tag: string | undefined;
  readonly since: string;
  readonly also: string | undefined;
  readonly recovering: string | undefined;
  readonly evidence: string | undefined;
  readonly command: string | undefined;
  readonly remedy: string | undefined;
  readonly gauge: Gauge | undefined;
}

interface Actions {
  readonly folded: string;
  readonly lines: readonly ActionLine[];
  readonly rest: string | undefined;
}

const ACTIONS_IN_MAIL = 7;
const ACTIONS_IN_FULL = 500;
const TARGETS_IN_MAIL = 4;
const TARGETS_IN_FULL = 50;

interface Reader {
  readonly locale: Locale;
  readonly timeZone: string;
  readonly full?: boolean;
}

/** The lines for the problems, and how many findings were folded into them. */
export function buildActions(problems: readonly Problem[], input: ReportInput, reader: Reader): Actions {
  const seen = countResults(input.run.results.filter(isFinding));
  const all = countResults(input.run.results);
  const muted = all.abnormal + all.unknown - seen.abnormal - seen.unknown;
  const words = WORDS[reader.locale];
  const shown = problems.slice(0, reader.full === true ? ACTIONS_IN_FULL : ACTIONS_IN_MAIL);
  const left = problems.slice(shown.length);
  const marks = (['crit', 'warn', 'unknown'] as const)
    .map((kind) => ({ kind, count: left.filter((p) => p.kind === kind).length }))
    .filter(({ count }) => count > 0)
    .map(({ kind, count }) => `${SYMBOL[kind]}${count}`);
  const [abnormal, unknown, folded] = [seen.abnormal, seen.unknown, problems.length].map((n) =>
    formatCount(n, reader.locale),
  );
  return {
    folded: words.folded(abnormal ?? '', unknown ?? '', folded ?? '', muted),
    lines: shown.map((problem, i) => actionLine(problem, i + 1, input, reader)),
    rest: left.length === 0 ? undefined : words.rest(left.length, marks.join(' ')),
  };
}

function actionLine(problem: Problem, rank: number, input: ReportInput, reader: Reader): ActionLine {
  const { locale } = reader;
  const words = WORDS[locale];
  const [worst, ...others] = problem.findings;
  const text = input.checks.get(problem.code);
  const remedy = text?.remedy[locale];
  return {
    mark: `${SYMBOL[problem.kind]}${rank}`,
    kind: problem.kind,
    word: words.verdict[problem.kind],
    code: problem.code,
    title: plain(text?.title[locale] ?? problem.code, 80),
    times: others.length === 0 ? undefined : problem.findings.length,
    line: plain(worst.line[locale], 240),
    trend: problem.trend,
    tag: problem.trend === undefined ? undefined : words.trend[problem.trend],
    since: sinceText(worst.since, input.run.finishedAt, reader),
    also: others.length === 0 ? undefined : alsoText(worst, others, reader),
    recovering: worst.streak > 0 && worst.verdict !== 'unknown' ? words.recovering(worst.streak) : undefined,
    evidence: worst.evidence.length === 0 ? undefined : plain(worst.evidence.slice(0, 8).join(' · '), 300),
    command: worst.command === undefined ? undefined : plain(worst.command, 160),
    remedy: remedy === undefined || remedy === '' ? undefined : plain(remedy, 300),
    gauge: gaugeOf(worst, locale),
  };
}

/** `已 4 h 48 m(03:12 起)`; the day stands there when it was not today. */
function sinceText(since: number, now: number, { locale, timeZone }: Reader): string {
  const sameDay = localDate(since, timeZone) === localDate(now, timeZone);
  const moment = sameDay ? clockTime(since, timeZone) : shortMoment(since, timeZone);
  return WORDS[locale].since(formatSeconds(Math.max(0, now - since) / 1000), moment);
}

function alsoText(worst: Result, others: readonly Result[], { locale, full }: Reader): string {
  const words = WORDS[locale];
  const shown = others.slice(0, full === true ? TARGETS_IN_FULL : TARGETS_IN_MAIL);
  const texts = shown.map((other) => {
    const value = other.value === undefined ? '' : ` ${formatValue(other.value, other.unit, locale)}`;
    const own = other.limit !== undefined && other.limit !== worst.limit;
    const limit =
      own && other.limit !== undefined ? ` (${words.limit(formatValue(other.limit, other.unit, locale))})` : '';
    return plain(other.target, 60) + value + limit;
  });
  return words.also(texts.join(words.listComma), others.length - shown.length);
}

function gaugeOf({ value, limit, unit }: Result, locale: Locale): Gauge | undefined {
  if (unit !== 'ratio' || value === undefined || limit === undefined) return undefined;
  if (value < 0 || value > 1 || limit < 0 || limit > 1) return undefined;
  const before = Math.round(Math.min(value, limit) * 100);
  const between = Math.round(Math.max(value, limit) * 100) - before;
  const text = `${formatValue(value, unit, locale)} (${WORDS[locale].limit(formatValue(limit, unit, locale))})`;
  return { text, before, between, after: 100 - before - between, over: value > limit };
}
