// The `inspector` slice of the configuration.
import { nearest, z } from '../base/schema.ts';
import type { Check } from './check.ts';
import { checks } from './checks/index.ts';
import { cronProblem } from './cron.ts';
import { changeLimits, contradiction, type LimitChange } from './limits.ts';
import { isZone, systemZone } from './zone.ts';

const CODES = checks.map((check) => check.code);

const Code = z.string().superRefine((code, context) => {
  if (!CODES.includes(code)) context.addIssue({ code: 'custom', message: unknownCode(code) });
});

function unknownCode(code: string): string {
  const near = nearest(code, CODES);
  return near === undefined ? `the code of a check (${CODES.join(', ')})` : `no such check; did you mean ${near}?`;
}

const CronExpression = z.string().superRefine((expression, context) => {
  const problem = cronProblem(expression);
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
});

const limit = z.number().min(0);
const Change = z.strictObject({
  warn: limit.optional(),
  crit: limit.optional(),
  clearWarn: limit.optional(),
  clearCrit: limit.optional(),
});

/** A date (`2026-12-31`: until the end of that day in UTC) or a moment (`2026-12-31T18:00:00+08:00`), as Unix milliseconds. */
const Until = z
  .string()
  .refine((text) => Number.isFinite(untilOf(text)), 'a date such as 2026-12-31 or a moment with its zone')
  .transform(untilOf);

const DAY_MS = 86_400_000;

function untilOf(text: string): number {
  const [, date = '', time] = text.match(/^(\d{4}-\d{2}-\d{2})(T\d{2}:\d{2}(?::\d{2})?(?:Z|[+-]\d{2}:\d{2}))?$/) ?? [];
  const midnight = Date.parse(`${date}T00:00:00Z`);
  // Date.parse takes 30 February for 2 March.
  if (!Number.isFinite(midnight) || new Date(midnight).toISOString().slice(0, 10) !== date) return NaN;
  return time === undefined ? midnight + DAY_MS : Date.parse(text);
}

export const InspectorConfig = z
  .strictObject({
    /** When to look, as a cron expression of five fields. */
    sweep: CronExpression.default('*/5 * * * *'),
    /** When to make the daily report. */
    report: CronExpression.default('0 8 * * *'),
    /** IANA name; absent: the system's. */
    timezone: z.string().refine(isZone, 'an IANA time zone such as Asia/Shanghai').default(systemZone),
    /** How late a report is still made, after a time in which the daemon did not run. */
    catchUpHours: z.number().min(0).max(168).default(6),
    mute: z
      .array(
        z.strictObject({
          code: Code,
          /** A target as findings show it; absent: all of the check. */
          target: z.string().min(1).optional(),
          until: Until,
          reason: z.string().min(1).max(200),
        }),
      )
      .max(1000)
      .default([]),
    /** Other limits by code; `targets` for one target or variant. A clear limit moves along unless given. */
    limits: z.record(z.string(), Change.extend({ targets: z.record(z.string(), Change).optional() })).default({}),
  })
  .superRefine(({ limits }, context) => {
    const wrong = (path: string[], message: string): void =>
      context.addIssue({ code: 'custom', path: ['limits', ...path], message });
    for (const [code, { targets = {}, ...change }] of Object.entries(limits)) {
      const check = checks.find((one) => one.code === code);
      if (check === undefined) {
        wrong([code], unknownCode(code));
        continue;
      }
      const general = contradiction(changeLimits(check.limits, change));
      if (general !== undefined) wrong([code], `limits in order: ${general}`);
      for (const [target, own] of Object.entries(targets)) {
        const problem = contradiction(changedFor(check, change, target, own));
        if (problem !== undefined) wrong([code, 'targets', target], `limits in order: ${problem}`);
      }
    }
  });
export type InspectorConfig = z.output<typeof InspectorConfig>;

const changedFor = (check: Check, change: LimitChange, target: string, own: LimitChange): Check['limits'] =>
  changeLimits(check.variants?.[target]?.limits ?? changeLimits(check.limits, change), own);
