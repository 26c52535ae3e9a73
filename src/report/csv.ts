// findings.csv: what needs a person, one row each, for spreadsheets. RFC 4180, with the byte order mark Excel needs.
import { isFinding, type Locale, type ReportInput } from '../inspector/index.ts';
import { isoMoment } from './dates.ts';
import { plain } from './plain.ts';
import { trendsOf } from './problems.ts';
import { WORDS } from './words.ts';

const COLUMNS = [
  'verdict',
  'code',
  'title',
  'area',
  'target',
  'value',
  'limit',
  'unit',
  'since',
  'change',
  'finding',
  'evidence',
  'command',
  'remedy',
] as const;

/** A number stays one; text that a spreadsheet would run as a formula is led by an apostrophe. */
function cell(value: string | number | undefined): string {
  if (value === undefined) return '';
  if (typeof value === 'number') return String(value);
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** The findings of a run as CSV; column names are the same in every language, words are not. */
export function renderCsv(input: ReportInput, locale: Locale, timeZone: string): string {
  const words = WORDS[locale];
  const trendOf = trendsOf(input.change);
  const rows = input.run.results.filter(isFinding).map((r) => {
    const text = input.checks.get(r.code);
    const trend = trendOf(r);
    return [
      r.verdict === 'skipped' ? r.verdict : words.verdict[r.verdict],
      r.code,
      text?.title[locale],
      words.area[r.area],
      plain(r.target, 400),
      r.value,
      r.limit,
      r.unit,
      isoMoment(r.since, timeZone),
      trend === undefined ? undefined : words.trend[trend],
      plain(r.line[locale], 1000),
      plain(r.evidence.join(' · '), 1700),
      r.command === undefined ? undefined : plain(r.command, 400),
      text?.remedy[locale],
    ];
  });
  return `\ufeff${[[...COLUMNS], ...rows].map((row) => `${row.map(cell).join(',')}\r\n`).join('')}`;
}
