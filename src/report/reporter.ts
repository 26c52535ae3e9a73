// The part itself: makes a report of what the inspector found, keeps it, and puts the mail in the outbox.
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Component, Health } from '../base/component.ts';
import { Fault } from '../base/fault.ts';
import type { Logger } from '../base/logging.ts';
import type { Route } from '../base/route.ts';
import { LOCALES, type Locale, type ReportInput } from '../inspector/index.ts';
import type { StateStore } from '../drivers/sqlite/index.ts';
import type { ReportConfig } from './config.ts';
import { localDate } from './dates.ts';
import { REPORT_NOT_FOUND } from './faults.ts';
import { renderJson } from './json.ts';
import { buildMessage, type Message } from './message.ts';
import { openOutbox, type Enqueued, type Outbox } from './outbox.ts';
import { countProblems, foldProblems } from './problems.ts';
import { renderReport, type Rendering } from './render.ts';
import {
  getRendering,
  getReport,
  listReports,
  pruneReports,
  putReport,
  type ReportKind,
  type ReportRow,
} from './report-store.ts';
import { reportRoutes } from './routes.ts';
import type { SmtpTimeouts } from './smtp.ts';
import { loadTemplates, type Templates } from './templates.ts';

export interface ReporterOptions {
  readonly store: StateStore;
  readonly config: ReportConfig;
  /** Mails are written to `reports/` below it when there is no relay. */
  readonly dataDir: string;
  /** The built-in templates: `<locale>/report.html.hbs` and so on. */
  readonly templatesDir: string;
  readonly hostname: string;
  readonly log: Logger;
  readonly now: () => number;
  readonly jitter?: () => number;
  readonly timeouts?: SmtpTimeouts;
}

interface Published {
  readonly id: string;
  /** In the configured language. */
  readonly subject: string;
  readonly text: string;
  readonly mail: Enqueued | undefined;
}

export interface Reporter extends Component {
  /**
   * Renders and stores the report; with `mail`, queues it for the configured recipients. A daily report is mailed
   * once per host and day, whatever happens. Rejects with a Fault when a built-in template is broken.
   */
  publish(input: ReportInput, options: { readonly mail: boolean; readonly kind: ReportKind }): Promise<Published>;
  /** Queues a stored report again, for other recipients when `to` is given. */
  send(id: string, to?: readonly string[]): Promise<Enqueued>;
  /** The mail of a stored report, as it would be sent. */
  message(id: string, locale: Locale): Promise<Message>;
  /** The newest report, or undefined when none was made yet. */
  latest(): Promise<ReportRow | undefined>;
  /** The path of the newest report as a page; undefined when there is none. */
  latestPath(): string | undefined;
  readonly outbox: Outbox;
  readonly routes: readonly Route[];
}

const KEEP_MS = 90 * 86_400_000;

/** Makes the part; it works once started. */
export function openReporter(options: ReporterOptions): Reporter {
  const { store, config, log, now, hostname } = options;
  const from = config.from ?? `jdosinspector@${hostname}`;
  const outbox = openOutbox({ ...options, smtp: config.smtp, directory: join(options.dataDir, 'reports') });
  let templateTrouble: Fault | undefined;
  let newest: string | undefined;

  const builtIn = (): Promise<Templates> => loadTemplates(options.templatesDir);

  /** The user's templates when they work for this input, else the built-in ones and a notice in every report. */
  const renderAll = async (input: ReportInput, id: string): Promise<readonly Rendering[]> => {
    const render = (templates: Templates, notices: readonly string[]): readonly Rendering[] =>
      LOCALES.map((locale) =>
        renderReport(input, templates[locale], {
          locale,
          timeZone: config.timezone,
          link: linkTo(config.publicUrl, id, locale),
          notices,
        }),
      );
    if (config.templates === undefined) return render(await builtIn(), []);
    try {
      const renderings = render(await loadTemplates(config.templates, options.templatesDir), []);
      templateTrouble = undefined;
      return renderings;
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      templateTrouble = error;
      log.error({ err: error }, 'a template is broken, the built-in ones are used');
      return render(await builtIn(), [error.message]);
    }
  };

  const toMessage = (report: ReportRow, rendering: Rendering, json: string, to: readonly string[], dedupeKey: string) =>
    buildMessage({
      dedupeKey,
      host: report.host,
      day: localDate(report.period.to, report.timeZone),
      date: new Date(report.createdAt),
      from,
      replyTo: config.replyTo,
      to,
      subject: rendering.subject,
      text: rendering.text,
      html: rendering.html,
      reportId: report.id,
      attachments: [
        { filename: 'report.html', content: rendering.fullHtml, contentType: 'text/html; charset=utf-8' },
        { filename: 'findings.csv', content: rendering.csv, contentType: 'text/csv; charset=utf-8' },
        { filename: 'report.json', content: json, contentType: 'application/json' },
      ],
    });

  const stored = async (id: string, locale: Locale) => {
    const found = await getReport(store, id);
    const rendering = await getRendering(store, id, locale);
    if (found === undefined || rendering === undefined) throw new Fault(REPORT_NOT_FOUND, `there is no report ${id}`);
    return { ...found, rendering };
  };

  const reporter: Reporter = {
    name: 'report',
    outbox,
    async start(signal) {
      await builtIn();
      if (config.templates !== undefined) templateTrouble = await brokenTemplates(config.templates, options);
      await pruneReports(store, now() - KEEP_MS);
      newest = (await reporter.latest())?.id;
      await outbox.start(signal);
    },
    stop: () => outbox.stop(),
    health: () => (templateTrouble === undefined ? outbox.health() : templateHealth(templateTrouble)),
    async publish(input, { mail, kind }) {
      const day = localDate(input.period.to, config.timezone);
      const report = reportRow(input, { kind, day, createdAt: now(), timeZone: config.timezone });
      const renderings = await renderAll(input, report.id);
      const json = renderJson(report.id, input, config.timezone);
      await putReport(store, report, json, renderings);
      newest = report.id;
      const rendering = renderings.find((r) => r.locale === config.locale);
      if (rendering === undefined) throw new TypeError(`no rendering for ${config.locale}`);
      const key = kind === 'daily' ? `daily|${report.host}|${day}` : `manual|${report.host}|${report.runId}`;
      const queued = mail
        ? await outbox.enqueue(await toMessage(report, rendering, json, config.to, key), {
            reportId: report.id,
            name: `${day}-${report.runId}`,
          })
        : undefined;
      return { id: report.id, subject: rendering.subject, text: rendering.text, mail: queued };
    },
    async send(id, to = config.to) {
      const { report, json, rendering } = await stored(id, config.locale);
      const message = await toMessage(report, rendering, json, to, `send|${id}|${randomUUID()}`);
      return outbox.enqueue(message, { reportId: id, name: report.id });
    },
    async message(id, locale) {
      const { report, json, rendering } = await stored(id, locale);
      return toMessage(report, rendering, json, config.to, `view|${id}|${locale}`);
    },
    latest: async () => (await listReports(store, 1))[0],
    latestPath: () => (newest === undefined ? undefined : `/jdos/v1/reports/${encodeURIComponent(newest)}?format=html`),
    get routes() {
      return reportRoutes({ ...options, from, reporter });
    },
  };
  return reporter;
}

interface RowOptions {
  readonly kind: ReportKind;
  readonly day: string;
  readonly createdAt: number;
  readonly timeZone: string;
}

function reportRow(input: ReportInput, { kind, day, createdAt, timeZone }: RowOptions): ReportRow {
  const { run, period } = input;
  return {
    id: `${day}-${kind}-${run.id.replaceAll(/[^A-Za-z0-9._-]+/g, '-')}`,
    createdAt,
    kind,
    host: input.host.name,
    runId: run.id,
    period: { from: period.from, to: period.to },
    timeZone,
    score: run.score,
    ...countProblems(foldProblems(run.results, input.change)),
  };
}

const linkTo = (publicUrl: string | undefined, id: string, locale: Locale): string | undefined =>
  publicUrl === undefined
    ? undefined
    : `${publicUrl.replace(/\/+$/, '')}/jdos/v1/reports/${encodeURIComponent(id)}?format=html&locale=${locale}`;

async function brokenTemplates(directory: string, options: ReporterOptions): Promise<Fault | undefined> {
  try {
    await loadTemplates(directory, options.templatesDir);
    return undefined;
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    options.log.error({ err: error }, 'a template is broken, the built-in ones are used');
    return error;
  }
}

const templateHealth = (fault: Fault): Health => ({
  state: 'limited',
  reason: fault.message,
  costs: 'reports are made with the built-in templates',
  remedy: fault.remedy,
});
