// History over HTTP: points of series, which series there are, and the processes of a moment.
import { Fault, faultKind } from '../../base/fault.ts';
import { route, type Route } from '../../base/route.ts';
import { z } from '../../base/schema.ts';
import { When } from '../moment.ts';
import { BY, type By } from './culprit.ts';
import type { HistoryStore } from './open.ts';
import { MINUTE_S, MOST_POINTS, stepFor } from './query.ts';
import { KEPT, keptNames } from './series.ts';

const HISTORY_QUERY = faultKind(
  'JD_HISTORY_QUERY',
  400,
  'ask for a shorter time or a larger step; /jdos/v1/history/series lists what has a history',
);
const NOTHING_THEN = faultKind(
  'JD_HISTORY_NOTHING_THEN',
  404,
  'ask for a time within the range; how long processes are kept is probes.history.processHours',
);

const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)=([\s\S]*)$/;
const label = z.string().max(500).regex(LABEL, 'NAME=VALUE');
const cursor = z.string().max(4000).optional().describe('next of the page before');

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Points in one answer, over its series. */
const MOST_IN_ALL = 200_000;

const Labels = z.record(z.string(), z.string());
const As = z.enum(['rate', 'value']).describe('rate: a counter, as its increase per second; value: a gauge');
const Series = z.object({
  items: z.array(
    z.object({
      metric: z.string(),
      labels: Labels,
      as: As,
      points: z
        .array(z.tuple([z.number(), z.number(), z.number(), z.number(), z.number()]))
        .describe(
          '[beginning of the step in Unix milliseconds, min, max, mean, last]; a step of which nothing is known is left out',
        ),
    }),
  ),
  from: z.number(),
  to: z.number(),
  stepSeconds: z.number(),
  next: z.string().nullable(),
});
const Names = z.object({
  items: z.array(z.object({ metric: z.string(), labels: Labels, as: As })),
  next: z.string().nullable(),
});

interface HistoryRoutesOptions {
  /** Throws a Fault while history is not open. */
  readonly store: () => HistoryStore;
  /** Unix milliseconds. */
  readonly now: () => number;
}

export const historyRoutes = (options: HistoryRoutesOptions): readonly Route[] => [
  seriesRoute(options),
  namesRoute(options),
  processesRoute(options),
];

const KNOWN = keptNames(KEPT);

const seriesRoute = ({ store, now }: HistoryRoutesOptions): Route =>
  route({
    method: 'GET',
    path: '/jdos/v1/history',
    right: 'read',
    summary: 'The history of a metric: min, max, mean and last of each step',
    query: z.strictObject({
      metric: z.string().max(200).describe('its name as on /metrics'),
      label: z
        .union([label, z.array(label).max(20)])
        .optional()
        .describe('NAME=VALUE; only series with these labels'),
      from: When.optional().describe('an hour ago unless given'),
      to: When.optional().describe('now unless given'),
      step: z.coerce
        .number()
        .int()
        .min(MINUTE_S)
        .max(400 * 86_400)
        .optional()
        .describe('seconds; unless given as many as make a picture'),
      limit: z.coerce.number().int().min(1).max(100).default(20).describe('series in an answer'),
      cursor,
    }),
    reply: Series,
    async handler({ query: { metric, label: labels = [], limit, cursor: after, ...query } }) {
      const to = query.to ?? now();
      const from = query.from ?? to - HOUR_MS;
      const stepSeconds = Math.ceil((query.step ?? stepFor(from, to)) / MINUTE_S) * MINUTE_S;
      const points = (to - from) / 1000 / stepSeconds;
      if (!KNOWN.has(metric))
        throw new Fault(HISTORY_QUERY, `no history is kept of ${metric}`, {
          remedy: 'ask for one of those that `jdos history` lists',
        });
      if (from >= to) throw new Fault(HISTORY_QUERY, 'the time ends before it begins');
      if (points > MOST_POINTS || points * limit > MOST_IN_ALL)
        throw new Fault(
          HISTORY_QUERY,
          `${Math.ceil(points)} steps of ${stepSeconds} s for ${limit} series are too many: at most ${MOST_POINTS} steps, and ${MOST_IN_ALL} in all`,
        );
      const json = await store().series({
        metric,
        labels: Object.fromEntries([labels].flat().map((text) => LABEL.exec(text)?.slice(1, 3) ?? [])) as Record<
          string,
          string
        >,
        from,
        to,
        stepSeconds,
        limit,
        after,
      });
      const { items, next } = JSON.parse(json.toString('utf8')) as Pick<z.output<typeof Series>, 'items' | 'next'>;
      return { body: { items, from, to, stepSeconds, next } };
    },
  });

const namesRoute = ({ store, now }: HistoryRoutesOptions): Route =>
  route({
    method: 'GET',
    path: '/jdos/v1/history/series',
    right: 'read',
    summary: 'The series that have a history',
    query: z.strictObject({
      metric: z.string().max(200).optional(),
      from: When.optional().describe('a day ago unless given'),
      to: When.optional().describe('now unless given'),
      limit: z.coerce.number().int().min(1).max(5000).default(1000),
      cursor,
    }),
    reply: Names,
    async handler({ query: { metric, limit, cursor: after, ...query } }) {
      const to = query.to ?? now();
      const json = await store().names({ metric, from: query.from ?? to - DAY_MS, to, limit, after });
      return { type: 'application/json', body: json };
    },
  });

const Then = z.object({
  at: z.number().nullable(),
  range: z.object({ first: z.number(), last: z.number() }).nullable(),
});

const processesRoute = ({ store }: HistoryRoutesOptions): Route =>
  route({
    method: 'GET',
    path: '/jdos/v1/history/processes',
    right: 'read',
    summary: 'The processes of a moment, and the culprit: whose use grew most within the hour before',
    query: z.strictObject({
      at: When.describe('the collection at or before this time is shown'),
      by: z.enum(Object.keys(BY) as [By, ...By[]]).default('cpu'),
      limit: z.coerce.number().int().min(1).max(150).default(50),
    }),
    async handler({ query }) {
      const json = await store().processes(query);
      const { at, range } = Then.parse(JSON.parse(json.toString('utf8')));
      if (at === null)
        throw new Fault(
          NOTHING_THEN,
          `no processes were collected around ${iso(query.at)}: ${whatThereIs(query.at, range)}`,
        );
      return { type: 'application/json', body: json };
    },
  });

const iso = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;

function whatThereIs(at: number, range: z.output<typeof Then>['range']): string {
  if (range === null) return 'nothing is kept yet';
  const gap = at > range.first && at < range.last ? ', with a gap there' : '';
  return `there is history from ${iso(range.first)} to ${iso(range.last)}${gap}`;
}
