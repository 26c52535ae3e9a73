// A moment in a query, as the routes of the probes take it.
import { z } from '../base/schema.ts';

const momentOf = (text: string): number => (/^\d{1,15}$/.test(text) ? Number(text) : Date.parse(text));
/** An RFC 3339 time or Unix milliseconds; gives Unix milliseconds. */
export const When = z
  .string()
  .max(40)
  .refine(
    (text) => !Number.isNaN(momentOf(text)),
    'an RFC 3339 time such as 2026-11-25T03:12:00Z, or Unix milliseconds',
  )
  .transform(momentOf);
