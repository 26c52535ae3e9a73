// What survives a restart of the probe process, and by the store of events one of the daemon: where reading goes on, and all counts.
import { z } from '../../base/schema.ts';
import { emptyState, type EngineState } from './engine.ts';
import { KernelEvent } from './event.ts';
import { MOST_WORDS } from './last-words.ts';

const amount = z.number().int().nonnegative();
const text = z.string().max(4096);
const fields = z.record(z.string(), text);

const Trigger = z.object({
  seq: amount,
  usec: amount,
  at: z.number(),
  reason: text,
  severity: amount.max(7),
  message: text,
  suppressed: amount,
});

const Words = z
  .array(z.object({ reason: text, at: z.number() }))
  .max(MOST_WORDS)
  .default([]);

const Saved = z.object({
  version: z.literal(1),
  bootId: z.string(),
  seq: amount.nullable(),
  lost: amount,
  records: z.array(amount).length(8),
  counts: z
    .array(
      z.tuple([
        text,
        z.object({
          count: amount,
          suppressed: amount,
          since: amount,
          tokens: z.number().nonnegative(),
          at: amount,
        }),
      ]),
    )
    .max(20_000),
  recents: z
    .array(
      z.tuple([
        text,
        z.object({
          hours: z.array(z.tuple([amount, amount])).max(25),
          last: z.object({ at: z.number(), message: text, of: text.optional() }).optional(),
        }),
      ]),
    )
    .max(1000)
    .default([]),
  conditions: z
    .array(
      z.object({
        type: text,
        reason: text,
        subject: text,
        since: z.number(),
        last: z.number(),
        times: z.array(z.number()).max(1000),
      }),
    )
    .max(1000),
  reports: z
    .array(
      z.tuple([
        z.string().max(64),
        z.object({
          kind: z.enum(['oom', 'oops', 'lockup', 'hung', 'warning', 'ata', 'allocation']),
          began: amount,
          last: amount,
          lines: z.array(text).max(64),
          tail: z.array(text).max(64),
          more: amount,
          fields,
          trigger: Trigger.optional(),
          reason: text.optional(),
          told: z.boolean(),
        }),
      ]),
    )
    .max(64),
  fragment: z
    .object({
      seq: amount,
      usec: amount,
      severity: amount.max(7),
      caller: z.string().max(64),
      at: z.number(),
      text,
    })
    .optional(),
  words: Words,
  before: Words,
  /** Events that nobody has acknowledged yet. */
  pending: z.array(KernelEvent).max(5000),
});
type Saved = z.input<typeof Saved>;

/** Where a saved state stands; undefined for what is none. */
export function standOf(saved: unknown): { readonly bootId: string; readonly seq: number } | undefined {
  const parsed = z.object({ bootId: z.string(), seq: amount.nullable() }).safeParse(saved);
  return parsed.success ? { bootId: parsed.data.bootId, seq: parsed.data.seq ?? -1 } : undefined;
}

/** JSON for the process after this one. */
export function save(state: EngineState, bootId: string, pending: readonly KernelEvent[]): Saved {
  return {
    version: 1,
    bootId,
    seq: state.seq ?? null,
    lost: state.lost,
    records: [...state.records],
    counts: [...state.counts].map(([reason, count]) => [reason, { ...count }]),
    recents: [...state.recents].map(([reason, { hours, last }]) => [
      reason,
      { hours: hours.map(([hour, some]) => [hour, some]), ...(last === undefined ? {} : { last: { ...last } }) },
    ]),
    conditions: [...state.conditions.values()].map((raised) => ({ ...raised, times: [...raised.times] })),
    reports: [...state.reports].map(([caller, report]) => [
      caller,
      { ...report, lines: [...report.lines], tail: [...report.tail], fields: { ...report.fields } },
    ]),
    fragment: state.fragment,
    words: [...state.words],
    before: [...state.before],
    pending: [...pending],
  };
}

/**
 * What an earlier probe process of this boot saved. For another boot and one without an id it is a new beginning, but for what
 * happened within a day, and for the last words of that boot; a new one altogether for what cannot be read.
 */
export function restore(
  saved: unknown,
  bootId: string,
): { readonly state: EngineState; readonly pending: readonly KernelEvent[] } {
  const parsed = Saved.safeParse(saved);
  if (!parsed.success) return { state: emptyState(), pending: [] };
  const { seq, lost, records, counts, conditions, reports, fragment, words, before, pending } = parsed.data;
  const recents = new Map(parsed.data.recents);
  if (bootId === '') return { state: { ...emptyState(), recents }, pending: [] };
  if (parsed.data.bootId !== bootId) return { state: { ...emptyState(), recents, before: words }, pending: [] };
  return {
    state: {
      seq: seq ?? undefined,
      lost,
      records,
      counts: new Map(counts),
      recents,
      conditions: new Map(conditions.map((one) => [`${one.type}\n${one.reason}\n${one.subject}`, one])),
      reports: new Map(
        reports.map(([caller, report]) => [caller, { ...report, trigger: report.trigger, reason: report.reason }]),
      ),
      fragment,
      words,
      before,
    },
    pending,
  };
}
