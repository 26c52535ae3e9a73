// The inspector over HTTP: runs, what is wrong now, and what each check means.
import { Fault, faultKind } from '../base/fault.ts';
import { route, type Route } from '../base/route.ts';
import { nearest, z } from '../base/schema.ts';
import type { StateStore } from '../drivers/sqlite/index.ts';
import type { Check } from './check.ts';
import { checks } from './checks/index.ts';
import type { InspectorConfig } from './config.ts';
import type { Inspector } from './inspector.ts';
import { changeLimits } from './limits.ts';
import { isFinding, type Finding, type Run, type Verdict } from './model.ts';
import { SCORE_FORMULA } from './score.ts';
import { findRun, listRuns, type RunCursor } from './store.ts';

const INSPECTION_UNKNOWN = faultKind(
  'JD_INSPECTION_UNKNOWN',
  404,
  'list the runs that are kept with GET /jdos/v1/inspections; sweeps are kept for 8 days, reports for 400',
);
const CHECK_UNKNOWN = faultKind('JD_CHECK_UNKNOWN', 404, 'list the codes with GET /jdos/v1/checks');
const CURSOR_INVALID = faultKind('JD_CURSOR_INVALID', 400, 'give `cursor` the value of `next` of the page before');

const ASK_DEADLINE_MS = 60_000;

interface InspectorRoutesOptions {
  readonly inspector: Inspector;
  readonly store: StateStore;
  readonly config: InspectorConfig;
}

export const inspectorRoutes = (options: InspectorRoutesOptions): readonly Route[] => [
  ...runRoutes(options),
  ...checkRoutes(options.config),
];

const runRoutes = ({ inspector, store }: InspectorRoutesOptions): readonly Route[] => [
  route({
    method: 'GET',
    path: '/jdos/v1/inspections',
    right: 'read',
    summary: 'Inspection runs, newest first, without their results',
    query: z.strictObject({
      limit: z.coerce.number().int().min(1).max(200).default(50),
      cursor: z.string().max(200).optional(),
    }),
    async handler({ query }) {
      const after = query.cursor === undefined ? undefined : parseCursor(query.cursor);
      const runs = await listRuns(store, after, query.limit + 1);
      const page = runs.slice(0, query.limit);
      const end = page.at(-1);
      const more = runs.length > query.limit && end !== undefined;
      return { body: { items: page.map(summaryOf), ...(more ? { next: cursorOf(end) } : {}) } };
    },
  }),
  route({
    method: 'GET',
    path: '/jdos/v1/inspections/:id',
    right: 'read',
    summary: 'One inspection run with all its results',
    params: z.object({ id: z.string().max(64) }),
    async handler({ params }) {
      const run = await findRun(store, params.id);
      if (run === undefined) throw new Fault(INSPECTION_UNKNOWN, `there is no inspection ${JSON.stringify(params.id)}`);
      return { body: run };
    },
  }),
  route({
    method: 'POST',
    path: '/jdos/v1/inspections',
    right: 'operate',
    summary: 'Inspect the host now; with mail, send a report of it',
    body: z.strictObject({ mail: z.boolean().default(false) }).optional(),
    deadlineMs: ASK_DEADLINE_MS,
    async handler({ body, signal }) {
      const { run } = await inspector.inspectNow({ mail: body?.mail ?? false, signal });
      return { status: 201, headers: { location: `/jdos/v1/inspections/${run.id}` }, body: run };
    },
  }),
  route({
    method: 'GET',
    path: '/jdos/v1/findings',
    right: 'read',
    summary: 'What is wrong now: the findings of the latest run; muted ones beside them',
    query: z.strictObject({ verdict: z.enum(['crit', 'warn', 'unknown']).optional() }),
    async handler({ query }) {
      const run = await inspector.latest();
      const wanted = (verdict: Verdict): boolean => query.verdict === undefined || verdict === query.verdict;
      const results = (run?.results ?? []).filter((result) => wanted(result.verdict));
      const findings: readonly Finding[] = results.filter(isFinding);
      return {
        body: {
          items: [...findings].sort((a, b) => RANK[a.verdict] - RANK[b.verdict]),
          muted: results.filter((result) => result.muted !== undefined),
          run: run === undefined ? null : summaryOf(run),
        },
      };
    },
  }),
];

const RANK = { crit: 0, warn: 1, unknown: 2, skipped: 3, ok: 4 } as const satisfies Record<Verdict, number>;

const checkRoutes = (config: InspectorConfig): readonly Route[] => [
  route({
    method: 'GET',
    path: '/jdos/v1/checks',
    right: 'read',
    summary: 'All checks: what they mean, their limits and where those come from, what to do, how to mute them',
    handler: () => ({ body: { items: checks.map((check) => describe(check, config)), score: SCORE_FORMULA } }),
  }),
  route({
    method: 'GET',
    path: '/jdos/v1/checks/:code',
    right: 'read',
    summary: 'One check',
    params: z.object({ code: z.string().max(64) }),
    handler({ params }) {
      const check = checks.find(({ code }) => code === params.code.toUpperCase());
      if (check !== undefined) return { body: describe(check, config) };
      const near = nearest(
        params.code,
        checks.map(({ code }) => code),
      );
      const remedy = near === undefined ? {} : { remedy: `did you mean ${near}? GET /jdos/v1/checks lists all codes` };
      throw new Fault(CHECK_UNKNOWN, `there is no check ${JSON.stringify(params.code)}`, remedy);
    },
  }),
];

/** A check as the catalogue shows it: with the limits in force here. */
function describe(check: Check, { limits, mute }: InspectorConfig): object {
  const { code, area, unit, needs, source, text } = check;
  const change = limits[code] ?? {};
  const variants = Object.entries(check.variants ?? {}).map(([name, variant]) => ({
    name,
    unit: variant.unit ?? unit,
    limits: changeLimits(variant.limits, change.targets?.[name] ?? {}),
  }));
  return {
    code,
    area,
    unit,
    ...text,
    limits: changeLimits(check.limits, change),
    ...(variants.length === 0 ? {} : { variants }),
    changed: limits[code] !== undefined,
    source,
    needs,
    muted: mute.filter((one) => one.code === code),
    howToMute: `inspector: { mute: [{ code: ${code}, target: TARGET, until: 2027-01-31, reason: WHY }] }`,
    howToChange: `inspector: { limits: { ${code}: { warn: ${check.limits.warn}, crit: ${check.limits.crit} } } }`,
  };
}

/** A run in a list: counts instead of results. */
function summaryOf({ results, ...run }: Run): object {
  const count = (verdict: Verdict): number =>
    results.filter((result) => result.verdict === verdict && result.muted === undefined).length;
  return {
    ...run,
    counts: {
      crit: count('crit'),
      warn: count('warn'),
      unknown: count('unknown'),
      ok: count('ok'),
      skipped: count('skipped'),
      muted: results.filter((result) => result.muted !== undefined).length,
    },
  };
}

const cursorOf = ({ startedAt, id }: RunCursor): string => Buffer.from(`${startedAt} ${id}`).toString('base64url');

function parseCursor(text: string): RunCursor {
  const [, startedAt, id] =
    Buffer.from(text, 'base64url')
      .toString()
      .match(/^(\d{1,16}) ([\w-]{1,64})$/) ?? [];
  if (startedAt === undefined || id === undefined) throw new Fault(CURSOR_INVALID, 'the cursor is not one of ours');
  return { startedAt: Number(startedAt), id };
}
