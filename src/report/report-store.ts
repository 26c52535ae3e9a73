// Reports on disk: what they were made from and what they look like in both languages.
import type { Locale } from '../inspector/index.ts';
import type { Row, StateStore } from '../drivers/sqlite/index.ts';
import type { Rendering } from './render.ts';

const REPORT_KINDS = ['daily', 'manual'] as const;
export type ReportKind = (typeof REPORT_KINDS)[number];

export interface ReportRow {
  readonly id: string;
  /** Unix milliseconds. */
  readonly createdAt: number;
  readonly kind: ReportKind;
  readonly host: string;
  readonly runId: string;
  readonly period: { readonly from: number; readonly to: number };
  readonly timeZone: string;
  readonly score: number;
  readonly crit: number;
  readonly warn: number;
  readonly unknown: number;
}

const COLUMNS = 'id, created_at, kind, host, run_id, period_from, period_to, time_zone, score, crit, warn, unknown';

const toReport = (row: Row): ReportRow => ({
  id: String(row['id']),
  createdAt: Number(row['created_at']),
  kind: row['kind'] === 'daily' ? 'daily' : 'manual',
  host: String(row['host']),
  runId: String(row['run_id']),
  period: { from: Number(row['period_from']), to: Number(row['period_to']) },
  timeZone: String(row['time_zone']),
  score: Number(row['score']),
  crit: Number(row['crit']),
  warn: Number(row['warn']),
  unknown: Number(row['unknown']),
});

/** Stores a report and its renderings in one transaction; one with the same id is replaced. */
export async function putReport(
  store: StateStore,
  report: ReportRow,
  json: string,
  renderings: readonly Rendering[],
): Promise<void> {
  await store.write(
    { sql: 'DELETE FROM report WHERE id = ?', values: [report.id] },
    {
      sql: `INSERT INTO report (${COLUMNS}, json) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      values: [
        report.id,
        report.createdAt,
        report.kind,
        report.host,
        report.runId,
        report.period.from,
        report.period.to,
        report.timeZone,
        report.score,
        report.crit,
        report.warn,
        report.unknown,
        json,
      ],
    },
    ...renderings.map((r) => ({
      sql: `INSERT INTO report_rendering (report_id, locale, subject, text, html, full_html, csv) VALUES (?, ?, ?, ?, ?, ?, ?)`,
      values: [report.id, r.locale, r.subject, r.text, r.html, r.fullHtml, r.csv],
    })),
  );
}

/** The newest first, those before `before` (created, id) when it is given. */
export async function listReports(
  store: StateStore,
  limit: number,
  before?: { readonly at: number; readonly id: string },
): Promise<readonly ReportRow[]> {
  const { at, id } = before ?? { at: Number.MAX_SAFE_INTEGER, id: '' };
  const rows = await store.all(
    `SELECT ${COLUMNS} FROM report WHERE (created_at, id) < (?, ?) ORDER BY created_at DESC, id DESC LIMIT ?`,
    at,
    id,
    limit,
  );
  return rows.map(toReport);
}

/** A report with its JSON document, or undefined. */
export async function getReport(
  store: StateStore,
  id: string,
): Promise<{ readonly report: ReportRow; readonly json: string } | undefined> {
  const row = await store.get(`SELECT ${COLUMNS}, json FROM report WHERE id = ?`, id);
  return row === undefined ? undefined : { report: toReport(row), json: String(row['json']) };
}

/** A report in one language, or undefined. */
export async function getRendering(store: StateStore, id: string, locale: Locale): Promise<Rendering | undefined> {
  const row = await store.get('SELECT * FROM report_rendering WHERE report_id = ? AND locale = ?', id, locale);
  if (row === undefined) return undefined;
  return {
    locale,
    subject: String(row['subject']),
    text: String(row['text']),
    html: String(row['html']),
    fullHtml: String(row['full_html']),
    csv: String(row['csv']),
  };
}

/** Deletes reports older than `before`. */
export const pruneReports = (store: StateStore, before: number): Promise<number> =>
  store.write({ sql: 'DELETE FROM report WHERE created_at < ?', values: [before] });
