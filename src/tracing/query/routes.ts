// The native query API: a trace by its id, traces newest first, services and their operations.
import { Fault } from '../../base/fault.ts';
import { route, type Route } from '../../base/route.ts';
import { z } from '../../base/schema.ts';
import { TRACE_CURSOR, TRACE_UNKNOWN } from '../faults.ts';
import type { Summary } from '../span.ts';
import type { TraceStore } from '../store/open.ts';
import { KINDS, STATUS_CODES } from './read-span.ts';
import type { Place } from './search.ts';

const attributes = z.record(z.string(), z.unknown());
const nanos = z.string().describe('Unix nanoseconds, decimal');

const TraceReply = z.object({
  traceId: z.string(),
  traceIds: z.array(z.string()).describe('more than one where a 64-bit id stands for several traces'),
  startUnixNano: nanos,
  durationMs: z.number(),
  spanCount: z.number().int(),
  errorCount: z.number().int(),
  services: z.array(z.string()),
  completeness: z.object({
    complete: z.boolean(),
    roots: z.number().int(),
    orphans: z.number().int().describe('spans whose parent is not here'),
    duplicates: z.number().int(),
    omitted: z.number().int(),
    damaged: z.number().int(),
  }),
  resources: z.array(attributes),
  spans: z.array(
    z.object({
      traceId: z.string(),
      spanId: z.string(),
      parentSpanId: z.string().nullable(),
      name: z.string(),
      service: z.string(),
      resource: z.number().int().describe('index into resources'),
      scope: z.object({ name: z.string(), version: z.string() }),
      kind: z.enum(KINDS),
      startUnixNano: nanos,
      endUnixNano: nanos,
      durationMs: z.number(),
      status: z.object({ code: z.enum(STATUS_CODES), message: z.string() }),
      attributes,
      events: z.array(z.object({ timeUnixNano: nanos, name: z.string(), attributes })),
      links: z.array(z.object({ traceId: z.string(), spanId: z.string(), attributes })),
      traceState: z.string(),
      flags: z.number().int(),
      dropped: z.object({ attributes: z.number(), events: z.number(), links: z.number() }),
      damaged: z.boolean(),
    }),
  ),
});

const TraceItem = z.object({
  traceId: z.string(),
  start: z.number().describe('Unix milliseconds'),
  durationMs: z.number(),
  spans: z.number().int().describe('spans sent more than once are counted as often'),
  errors: z.number().int(),
  root: z.object({ service: z.string(), operation: z.string() }).nullable().describe('null while no root has arrived'),
});

/** Unix milliseconds, or anything that Date.parse takes. */
const time = z
  .string()
  .transform((text, context): number => {
    const at = /^\d{1,16}(\.\d+)?$/.test(text) ? Number(text) : Date.parse(text);
    if (Number.isFinite(at) && at >= 0) return at;
    context.addIssue({ code: 'custom', message: 'a time: Unix milliseconds or ISO 8601' });
    return z.NEVER;
  })
  .optional();

const MAX_MICROS = Number.MAX_SAFE_INTEGER;

const Query = z
  .object({
    service: z.string().max(16_384).optional(),
    operation: z.string().max(16_384).optional().describe('only together with service'),
    minDurationMs: z.coerce.number().min(0).default(0).describe('of the span that matches'),
    from: time.describe('earliest start of the trace: Unix milliseconds or ISO 8601'),
    to: time.describe('latest start of the trace'),
    limit: z.coerce.number().int().min(1).max(1000).default(20),
    cursor: z.string().max(100).optional(),
  })
  .refine(({ service, operation }) => operation === undefined || service !== undefined, {
    path: ['operation'],
    message: 'service to be given too: names of operations are those of a service',
  });

export function queryRoutes(store: () => TraceStore): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: '/jdos/v1/traces/:id',
      right: 'read',
      summary: 'One trace with all its spans, and what is missing of it',
      params: z.object({
        id: z
          .string()
          .regex(/^(?:[0-9a-f]{32}|[0-9a-f]{16})$/i, 'a trace id of 32 hex digits, or the last 16 of one')
          .toLowerCase(),
      }),
      reply: TraceReply,
      async handler({ params: { id } }) {
        const trace = await store().find(id);
        if (trace === undefined) throw new Fault(TRACE_UNKNOWN, `there is no trace ${id}`);
        return { type: 'application/json; charset=utf-8', body: trace };
      },
    }),
    route({
      method: 'GET',
      path: '/jdos/v1/traces',
      right: 'read',
      summary: 'Traces, newest first; the limit is applied after the order',
      query: Query,
      reply: z.object({ items: z.array(TraceItem), next: z.string().nullable() }),
      async handler({ query: { service, operation, minDurationMs, from, to, limit, cursor } }) {
        const found = await store().search({
          service,
          operation,
          minDuration: Math.min(MAX_MICROS, Math.floor(minDurationMs * 1000)),
          from: Math.min(MAX_MICROS, Math.floor((from ?? 0) * 1000)),
          to: Math.min(MAX_MICROS, to === undefined ? MAX_MICROS : Math.floor(to * 1000)),
          limit: limit + 1,
          after: cursor === undefined ? undefined : parseCursor(cursor),
        });
        const summaries = JSON.parse(found.toString()) as Summary[];
        const last = summaries.length > limit ? summaries[limit - 1] : undefined;
        return {
          body: { items: summaries.slice(0, limit).map(item), next: last === undefined ? null : cursorOf(last) },
        };
      },
    }),
    route({
      method: 'GET',
      path: '/jdos/v1/services',
      right: 'read',
      summary: 'The services that sent spans, with the names of their operations',
      reply: z.object({
        items: z.array(z.object({ name: z.string(), operations: z.array(z.string()) })),
        next: z.null(),
      }),
      async handler() {
        return { body: { items: JSON.parse((await store().services()).toString()) as unknown[], next: null } };
      },
    }),
  ];
}

const item = ({ traceId, start, end, spans, errors, root }: Summary): z.output<typeof TraceItem> => ({
  traceId,
  start: start / 1000,
  durationMs: (end - start) / 1000,
  spans,
  errors,
  root: root ?? null,
});

const cursorOf = ({ start, traceId }: Place): string => `${start}-${traceId}`;

function parseCursor(text: string): Place {
  const match = /^(\d{1,16})-([0-9a-f]{32})$/.exec(text);
  if (match === null) throw new Fault(TRACE_CURSOR, 'the cursor is not one of this list');
  return { start: Number(match[1]), traceId: match[2] ?? '' };
}
