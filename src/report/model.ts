// The report as templates see it: every string final, every list bounded. No decision is left to a template.
import { SCORE_FORMULA, type Locale, type ReportInput, type Result } from '../inspector/index.ts';
import { buildActions, type ActionLine } from './actions.ts';
import { countResults, coverageOf, matrixOf, type Coverage, type MatrixCell } from './coverage.ts';
import { offsetName, shortDate, shortMoment } from './dates.ts';
import { countProblems, foldProblems } from './problems.ts';
import { formatCount, formatDelta, sparkline } from './quantity.ts';
import { plain } from './plain.ts';
import { formatBytes, formatSeconds } from '../base/units.ts';
import { SYMBOL, WORDS, type Shown } from './words.ts';

export interface ModelOptions {
  readonly locale: Locale;
  /** IANA name. */
  readonly timeZone: string;
  /** The report's own page, where there is a public address. */
  readonly link?: string | undefined;
  /** What went wrong while the report was made, for its footer. */
  readonly notices?: readonly string[];
  /** Everything instead of what a mail can hold. */
  readonly full?: boolean;
}

/** A vertical bar of the trend: its height in pixels of {@link TREND_HEIGHT} and what is above it. */
interface TrendBar {
  readonly score: number;
  readonly height: number;
  readonly above: number;
  readonly today: boolean;
}

/** Every key is always there, so that a template's misspelt name is an error and not an empty place. */
export interface ReportModel {
  readonly lang: Locale;
  readonly kind: Shown;
  readonly full: boolean;
  /** Nothing needs a person. */
  readonly green: boolean;
  readonly subject: {
    readonly marks: string;
    readonly host: string;
    readonly date: string;
    readonly score: number;
    readonly delta: string | undefined;
  };
  readonly head: { readonly host: string; readonly facts: string; readonly period: string };
  readonly verdict: {
    readonly symbol: string;
    readonly word: string;
    readonly sentence: string;
    readonly lost: string | undefined;
  };
  readonly score: {
    readonly value: number;
    readonly delta: string | undefined;
    readonly days: number;
    readonly sparkline: string;
    readonly bars: readonly TrendBar[];
    readonly range: string | undefined;
  };
  readonly first: string | undefined;
  readonly actions:
    | {
        readonly numeral: string;
        readonly folded: string;
        readonly lines: readonly ActionLine[];
        readonly rest: string | undefined;
      }
    | undefined;
  readonly changes:
    | {
        readonly numeral: string;
        readonly added: number;
        readonly worse: number;
        readonly better: number;
        readonly unchanged: number;
        readonly gone: number;
        readonly goneNames: string | undefined;
      }
    | undefined;
  readonly matrix: { readonly numeral: string; readonly cells: readonly MatrixCell[] };
  readonly worst:
    | {
        readonly numeral: string;
        readonly rows: readonly { readonly label: string; readonly text: string }[];
        readonly line: string;
      }
    | undefined;
  readonly waiting:
    | {
        readonly numeral: string;
        readonly rows: readonly {
          readonly title: string;
          readonly code: string;
          readonly until: string;
          readonly reason: string;
        }[];
        readonly more: string | undefined;
      }
    | undefined;
  /** Silenced by the configuration, with an end and a reason. */
  readonly muted:
    | {
        readonly numeral: string;
        readonly count: number;
        readonly rows: readonly { readonly title: string; readonly until: string; readonly reason: string }[];
        readonly more: string | undefined;
      }
    | undefined;
  readonly coverage: Coverage & { readonly numeral: string; readonly took: string };
  readonly footer: {
    readonly run: string;
    /** The score taken apart, and the rule by which points are lost. */
    readonly formula: string;
    readonly rule: string;
    readonly zone: string;
    readonly cost: string;
    readonly link: string | undefined;
    readonly notices: readonly string[];
  };
}

const TREND_HEIGHT = 28;
const WAITING_IN_MAIL = 8;
const MUTED_IN_MAIL = 5;
const GONE_NAMES = 5;
const CHINESE = ['一', '二', '三', '四', '五', '六', '七', '八'] as const;

/** The numerals of the sections that are there, in order. */
function numerals(locale: Locale): () => string {
  let used = 0;
  return () => {
    used += 1;
    return locale === 'zh-CN' ? (CHINESE[used - 1] ?? String(used)) : String(used);
  };
}

/** Makes the model of a report. Pure: the same input gives the same strings. */
export function buildModel(input: ReportInput, options: ModelOptions): ReportModel {
  const { locale, timeZone, full = false } = options;
  const words = WORDS[locale];
  const { run, host, period } = input;
  const problems = foldProblems(run.results, input.change);
  const counts = countProblems(problems);
  const partial = run.state === 'partial';
  const kind: Shown =
    counts.crit > 0 ? 'crit' : counts.warn > 0 ? 'warn' : counts.unknown > 0 || partial ? 'unknown' : 'ok';
  const score = Math.round(run.score);
  const delta = input.previous === undefined ? undefined : formatDelta(score - Math.round(input.previous.score));
  const losses = run.deductions
    .map((d) => ({ name: words.area[d.area], points: Number(d.points.toFixed(1)) }))
    .filter((d) => d.points > 0);
  const muted = run.results.filter((r) => r.muted !== undefined && r.verdict !== 'ok' && r.verdict !== 'skipped');
  const next = numerals(locale);
  const seen = countResults(run.results);
  return {
    lang: locale,
    kind,
    full,
    green: kind === 'ok',
    subject: {
      marks: marksOf(counts, partial),
      host: plain(host.name, 80),
      date: shortDate(period.to, timeZone),
      score,
      delta,
    },
    head: {
      host: plain(host.name, 80),
      facts: [
        plain(host.os, 60),
        plain(/^\d/.test(host.kernel) ? `Linux ${host.kernel}` : host.kernel, 60),
        words.cpus(formatCount(host.cpus, locale)),
        formatBytes(host.memoryBytes),
      ].join(' · '),
      period: `${shortMoment(period.from, timeZone)} → ${shortMoment(period.to, timeZone)} (${offsetName(period.to, timeZone)})`,
    },
    verdict: {
      symbol: SYMBOL[kind],
      word: words.verdict[kind],
      sentence: words.conclusion(counts, partial),
      lost: words.lost(losses) || undefined,
    },
    score: { value: score, delta, ...trendOf(input.scores, locale) },
    first: input.previous === undefined ? words.first : undefined,
    actions: problems.length === 0 ? undefined : { numeral: next(), ...buildActions(problems, input, options) },
    changes: input.change === undefined ? undefined : { numeral: next(), ...changesOf(input, locale) },
    matrix: { numeral: next(), cells: matrixOf(run.results, words) },
    worst: input.worst.length === 0 ? undefined : { numeral: next(), ...worstOf(input, locale) },
    waiting: run.waiting.length === 0 ? undefined : { numeral: next(), ...waitingOf(input, options) },
    muted: muted.length === 0 ? undefined : { numeral: next(), ...mutedOf(muted, input, options) },
    coverage: {
      numeral: next(),
      ...coverageOf(seen, run, locale),
      took: words.took(formatSeconds((run.finishedAt - run.startedAt) / 1000)),
    },
    footer: {
      run: plain(run.id, 80),
      formula: words.formula(score, losses),
      rule: SCORE_FORMULA[locale],
      zone: words.zone(timeZone, offsetName(period.to, timeZone)),
      cost: words.cost(
        input.cost.cpuRatio === undefined ? words.notSeen : `${(input.cost.cpuRatio * 100).toFixed(1)} %`,
        input.cost.memoryBytes === undefined ? words.notSeen : formatBytes(input.cost.memoryBytes),
      ),
      link: options.link,
      notices: (options.notices ?? []).map((notice) => plain(notice, 300)),
    },
  };
}

function marksOf(counts: { crit: number; warn: number; unknown: number }, partial: boolean): string {
  const marks = (['crit', 'warn', 'unknown'] as const)
    .filter((kind) => counts[kind] > 0)
    .map((kind) => `${SYMBOL[kind]}${counts[kind]}`);
  if (marks.length > 0) return marks.join(' ');
  return partial ? SYMBOL.unknown : SYMBOL.ok;
}

function trendOf(
  scores: readonly number[],
  locale: Locale,
): Pick<ReportModel['score'], 'days' | 'sparkline' | 'bars' | 'range'> {
  const shown = scores.slice(-14).map(Math.round);
  const bars = shown.map((score, i): TrendBar => {
    const height = Math.max(2, Math.round((Math.max(0, Math.min(100, score)) / 100) * TREND_HEIGHT));
    return { score, height, above: TREND_HEIGHT - height, today: i === shown.length - 1 };
  });
  const range =
    shown.length < 2 ? undefined : WORDS[locale].scoreRange(shown.length, Math.min(...shown), Math.max(...shown));
  return { days: shown.length, sparkline: sparkline(shown), bars: shown.length < 2 ? [] : bars, range };
}

function changesOf(input: ReportInput, locale: Locale): Omit<NonNullable<ReportModel['changes']>, 'numeral'> {
  const words = WORDS[locale];
  const change = input.change ?? { added: [], worse: [], better: [], unchanged: [], gone: [] };
  const names = change.gone.slice(0, GONE_NAMES).map((r) => plain(nameOf(r, input, locale), 60));
  const more = change.gone.length - names.length;
  return {
    added: change.added.length,
    worse: change.worse.length,
    better: change.better.length,
    unchanged: change.unchanged.length,
    gone: change.gone.length,
    goneNames:
      names.length === 0
        ? undefined
        : names.join(words.listComma) + (more > 0 ? words.listComma + words.more(more) : ''),
  };
}

function worstOf(input: ReportInput, locale: Locale): Omit<NonNullable<ReportModel['worst']>, 'numeral'> {
  const rows = input.worst.slice(0, 5).map((w) => ({ label: plain(w.label[locale], 60), text: plain(w.text, 80) }));
  return { rows, line: rows.map((row) => `${row.label} ${row.text}`).join(' · ') };
}

function waitingOf(
  input: ReportInput,
  { locale, timeZone, full }: ModelOptions,
): Omit<NonNullable<ReportModel['waiting']>, 'numeral'> {
  const words = WORDS[locale];
  const sorted = [...input.run.waiting].sort((a, b) => a.until - b.until || (a.code < b.code ? -1 : 1));
  const rows = sorted.slice(0, full === true ? 200 : WAITING_IN_MAIL).map((wait) => ({
    title: plain(input.checks.get(wait.code)?.title[locale] ?? wait.code, 80),
    code: wait.code,
    until: words.until(shortMoment(wait.until, timeZone)),
    reason: plain(wait.reason[locale], 160),
  }));
  const more = sorted.length - rows.length;
  return { rows, more: more > 0 ? words.more(more) : undefined };
}

function mutedOf(
  muted: readonly Result[],
  input: ReportInput,
  { locale, timeZone, full }: ModelOptions,
): Omit<NonNullable<ReportModel['muted']>, 'numeral'> {
  const words = WORDS[locale];
  const rows = muted.slice(0, full === true ? 200 : MUTED_IN_MAIL).map((r) => ({
    title: plain(nameOf(r, input, locale), 100),
    until: words.until(shortMoment(r.muted?.until ?? 0, timeZone)),
    reason: plain(r.muted?.reason ?? '', 160),
  }));
  const more = muted.length - rows.length;
  return { count: muted.length, rows, more: more > 0 ? words.more(more) : undefined };
}

/** The check's title and what it is about, unless that is the host as a whole. */
function nameOf({ code, target }: Result, { checks }: ReportInput, locale: Locale): string {
  const title = checks.get(code)?.title[locale] ?? code;
  return target === 'host' ? title : `${title} ${target}`;
}
