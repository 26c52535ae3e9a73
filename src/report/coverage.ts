// What was looked at and what was not: the matrix and the coverage, whose counts reconcile.
import { AREAS, isFinding, type Area, type Locale, type Result, type Run } from '../inspector/index.ts';
import { plain } from './plain.ts';
import { formatCount, formatShare } from './quantity.ts';
import { SYMBOL, WORDS, type Shown, type Words } from './words.ts';

/** checked = ok + abnormal + unknown + skipped. */
interface ResultCounts {
  readonly checked: number;
  readonly ok: number;
  readonly abnormal: number;
  readonly unknown: number;
  readonly skipped: number;
}

export interface MatrixCell extends ResultCounts {
  readonly area: string;
  readonly key: Area;
  /** `none`: nothing of this area applies to the host. */
  readonly kind: Shown | 'none';
  readonly symbol: string;
  /** `0`, `3`, `3 ?1`, `?1`, `–`. */
  readonly text: string;
}

/** A part of the coverage bar, in percent of its width. */
interface CoverageBar {
  readonly kind: 'ok' | 'abnormal' | 'unknown' | 'skipped';
  readonly percent: number;
}

export interface Coverage extends ResultCounts {
  readonly percent: string;
  readonly sentence: string;
  readonly bar: readonly CoverageBar[];
  /** What a partial run could not look at. */
  readonly missing: readonly string[];
}

/** Counts results by what they say. */
export function countResults(results: readonly Result[]): ResultCounts {
  const count = (...verdicts: readonly Result['verdict'][]): number =>
    results.filter((r) => verdicts.includes(r.verdict)).length;
  return {
    checked: results.length,
    ok: count('ok'),
    abnormal: count('warn', 'crit'),
    unknown: count('unknown'),
    skipped: count('skipped'),
  };
}

/** One cell per area, always all of them. What is muted is counted, but colours nothing. */
export function matrixOf(results: readonly Result[], words: Words): readonly MatrixCell[] {
  return AREAS.map((key): MatrixCell => {
    const own = results.filter((r) => r.area === key);
    const counts = countResults(own);
    const found = countResults(own.filter(isFinding));
    const kind = own.some((r) => isFinding(r) && r.verdict === 'crit')
      ? 'crit'
      : found.abnormal > 0
        ? 'warn'
        : found.unknown > 0
          ? 'unknown'
          : counts.checked > counts.skipped
            ? 'ok'
            : 'none';
    const text =
      kind === 'none'
        ? '–'
        : [
            ...(found.abnormal > 0 || found.unknown === 0 ? [String(found.abnormal)] : []),
            ...(found.unknown > 0 ? [`?${found.unknown}`] : []),
          ].join(' ');
    return { area: words.area[key], key, kind, symbol: kind === 'none' ? '–' : SYMBOL[kind], text, ...counts };
  });
}

/** Coverage is what was seen of what applies to the host; 100 % only when nothing is unknown. */
export function coverageOf(counts: ResultCounts, run: Run, locale: Locale): Coverage {
  const words = WORDS[locale];
  const applies = counts.checked - counts.skipped;
  const percent = applies === 0 ? words.none : formatShare(counts.ok + counts.abnormal, applies);
  const show = (value: number): string => formatCount(value, locale);
  return {
    ...counts,
    percent,
    sentence: words.coverage(percent, {
      checked: show(counts.checked),
      ok: show(counts.ok),
      abnormal: show(counts.abnormal),
      unknown: show(counts.unknown),
      skipped: show(counts.skipped),
    }),
    bar: barOf(counts),
    missing: run.missing.slice(0, 10).map((text) => plain(text[locale], 160)),
  };
}

/** Widths that sum to 100; what is there at all is at least 1 % wide, so that it can be seen. */
function barOf(counts: ResultCounts): readonly CoverageBar[] {
  if (counts.checked === 0) return [];
  const parts = (['ok', 'abnormal', 'unknown', 'skipped'] as const)
    .filter((kind) => counts[kind] > 0)
    .map((kind) => ({ kind, percent: Math.max(1, Math.floor((counts[kind] / counts.checked) * 100)) }));
  const widest = parts.reduce((a, b) => (b.percent > a.percent ? b : a), parts[0] ?? { kind: 'ok', percent: 100 });
  const rest = 100 - parts.reduce((sum, part) => sum + part.percent, 0);
  return parts.map((part) => (part === widest ? { ...part, percent: part.percent + rest } : part));
}
