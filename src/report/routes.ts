// Reports and mails over HTTP.
import { Fault, faultKind } from '../base/fault.ts';
import { route, type Route, type RouteReply } from '../base/route.ts';
import { z } from '../base/schema.ts';
import { LOCALES } from '../inspector/index.ts';
import { Address } from './config.ts';
import { MAIL_NOT_CONFIGURED, REPORT_NOT_FOUND } from './faults.ts';
import { mailTest } from './mail-test.ts';
import { getRendering, getReport, listReports } from './report-store.ts';
import type { Reporter, ReporterOptions } from './reporter.ts';

const BAD_CURSOR = faultKind('JD_REPORT_CURSOR', 400, 'use the `next` of the last page as it was given');

/** A report is data and nothing else: no script, no image, no frame, no form, nothing loaded from anywhere. */
const HTML_HEADERS = {
  'content-security-policy':
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
} as const;

const FORMATS = ['json', 'html', 'text', 'eml'] as const;
const Page = z.object({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(400).optional(),
});
const Id = z.object({ id: z.string().min(1).max(200) });
const MAIL_TEST_DEADLINE_MS = 200_000;

interface Keyed {
  readonly createdAt: number;
  readonly id: string;
}

const cursorOf = ({ createdAt, id }: Keyed): string => Buffer.from(`${createdAt},${id}`).toString('base64url');

function before(cursor: string | undefined): { readonly at: number; readonly id: string } | undefined {
  if (cursor === undefined) return undefined;
  const match = /^(\d{1,16}),(.+)$/.exec(Buffer.from(cursor, 'base64url').toString('utf8'));
  if (match?.[1] === undefined || match[2] === undefined) throw new Fault(BAD_CURSOR, 'the cursor is not one of ours');
  return { at: Number(match[1]), id: match[2] };
}

const page = <T extends Keyed>(found: readonly T[], limit: number): object => {
  const items = found.slice(0, limit);
  const last = items.at(-1);
  return found.length > limit && last !== undefined ? { items, next: cursorOf(last) } : { items };
};

type RouteOptions = ReporterOptions & { readonly from: string; readonly reporter: Reporter };

/** The routes of the part. */
export function reportRoutes({
  store,
  config,
  hostname,
  now,
  timeouts,
  from,
  reporter,
}: RouteOptions): readonly Route[] {
  const showReport = async (
    id: string,
    format: (typeof FORMATS)[number],
    locale: (typeof LOCALES)[number],
  ): Promise<RouteReply> => {
    if (format === 'eml') {
      const { bytes } = await reporter.message(id, locale);
      const name = `${id.replaceAll(/[^A-Za-z0-9._-]+/g, '-')}.eml`;
      return {
        type: 'message/rfc822',
        headers: { 'content-disposition': `attachment; filename="${name}"` },
        body: bytes,
      };
    }
    if (format === 'json') {
      const found = await getReport(store, id);
      if (found !== undefined) return { type: 'application/json; charset=utf-8', body: found.json };
    } else {
      const found = await getRendering(store, id, locale);
      if (found !== undefined && format === 'text') return { type: 'text/plain; charset=utf-8', body: found.text };
      if (found !== undefined) return { type: 'text/html; charset=utf-8', headers: HTML_HEADERS, body: found.fullHtml };
    }
    throw new Fault(REPORT_NOT_FOUND, `there is no report ${id}`);
  };

  return [
    route({
      method: 'GET',
      path: '/jdos/v1/reports',
      right: 'read',
      summary: 'Health reports, newest first.',
      query: Page,
      handler: async ({ query }) => ({
        body: page(await listReports(store, query.limit + 1, before(query.cursor)), query.limit),
      }),
    }),
    route({
      method: 'GET',
      path: '/jdos/v1/reports/:id',
      right: 'read',
      summary: 'One health report as JSON, HTML, text or the mail itself.',
      params: Id,
      query: z.object({ format: z.enum(FORMATS).default('json'), locale: z.enum(LOCALES).default(config.locale) }),
      handler: ({ params, query }) => showReport(params.id, query.format, query.locale),
    }),
    route({
      method: 'POST',
      path: '/jdos/v1/reports/:id/send',
      right: 'operate',
      summary: 'Mail a report again, to the configured recipients or to those given.',
      params: Id,
      body: z.strictObject({ to: z.array(Address).min(1).max(50).optional() }).prefault({}),
      handler: async ({ params, body }) => {
        if (config.smtp === undefined) throw new Fault(MAIL_NOT_CONFIGURED, 'there is no relay to send mails through');
        return { status: 202, body: await reporter.send(params.id, body.to) };
      },
    }),
    route({
      method: 'GET',
      path: '/jdos/v1/mail',
      right: 'read',
      summary: 'The outbox: every mail, its state and what the relay said for each recipient; newest first.',
      query: Page,
      handler: async ({ query }) => ({
        body: page(await reporter.outbox.list(query.limit + 1, before(query.cursor)), query.limit),
      }),
    }),
    route({
      method: 'POST',
      path: '/jdos/v1/mail/test',
      right: 'admin',
      summary: 'Send a test mail and show the SMTP dialogue.',
      body: z.strictObject({ to: z.union([Address, z.array(Address).min(1).max(10)]) }),
      deadlineMs: MAIL_TEST_DEADLINE_MS,
      handler: async ({ body, signal }) => {
        if (config.smtp === undefined) throw new Fault(MAIL_NOT_CONFIGURED, 'there is no relay to send mails through');
        const result = await mailTest({
          smtp: config.smtp,
          from,
          host: hostname,
          to: [body.to].flat(),
          now: new Date(now()),
          signal,
          ...(timeouts === undefined ? {} : { timeouts }),
        });
        return { body: result };
      },
    }),
  ];
}
