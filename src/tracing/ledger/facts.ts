// What is known of one message at one attempt: facts from both sides, folded in any order, any number of times.
import { z } from '../../base/schema.ts';
import { parseMessageId } from './message-id.ts';

const text = z.string().min(1).max(200).optional();
const micros = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).optional();
const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).optional();
const hex = (digits: number) =>
  z
    .string()
    .regex(new RegExp(`^[0-9a-f]{${digits}}$`))
    .optional();

/** How a call ended for its caller; `failed` is without a reply. */
const ENDS = ['replied', 'failed', 'timed_out', 'cancelled'] as const;

export const Facts = z.strictObject({
  id: z.string().refine((id) => parseMessageId(id) === id, 'a UUIDv7 in lower case'),
  /** 0 for the first try. */
  attempt: z.number().int().min(0).max(1000),
  caller: text,
  service: text,
  procedure: text,
  encoding: text,
  /** Where the caller called: `unix` for a process of this host, else a URL. */
  peer: text,
  /** The process that called; names its recorder. */
  instance: text,
  calleeInstance: text,
  traceId: hex(32),
  spanId: hex(16),
  parentId: hex(16),
  /** The caller's count of its calls to this service. */
  seq: count,
  /** By the caller's clock, Unix microseconds. */
  sentAt: micros,
  deadlineAt: micros,
  endedAt: micros,
  ended: z.enum(ENDS).optional(),
  /** What the caller got: `ok` or one of YARPC's codes. */
  code: text,
  /** By the callee's clock, Unix microseconds. */
  receivedAt: micros,
  execStart: micros,
  execEnd: micros,
  repliedAt: micros,
  /** What the callee answered. */
  calleeCode: text,
  /** Whether the connection took the reply whole: 1, or 0 when it closed before. */
  written: z.union([z.literal(0), z.literal(1)]).optional(),
  requestBytes: count,
  replyBytes: count,
});
export type Facts = z.output<typeof Facts>;

/** Every fact beside the key, in the order of the table's columns, and how it is stored. */
export const FIELDS = [
  ['caller', 'TEXT'],
  ['service', 'TEXT'],
  ['procedure', 'TEXT'],
  ['encoding', 'TEXT'],
  ['peer', 'TEXT'],
  ['instance', 'TEXT'],
  ['calleeInstance', 'TEXT'],
  ['traceId', 'BLOB'],
  ['spanId', 'BLOB'],
  ['parentId', 'BLOB'],
  ['seq', 'INTEGER'],
  ['sentAt', 'INTEGER'],
  ['deadlineAt', 'INTEGER'],
  ['endedAt', 'INTEGER'],
  ['ended', 'TEXT'],
  ['code', 'TEXT'],
  ['receivedAt', 'INTEGER'],
  ['execStart', 'INTEGER'],
  ['execEnd', 'INTEGER'],
  ['repliedAt', 'INTEGER'],
  ['calleeCode', 'TEXT'],
  ['written', 'INTEGER'],
  ['requestBytes', 'INTEGER'],
  ['replyBytes', 'INTEGER'],
] as const satisfies readonly (readonly [keyof Facts, 'TEXT' | 'BLOB' | 'INTEGER'])[];

/**
 * Two reports of one attempt as one. Where both know a fact the smaller counts, which makes the fold commutative,
 * associative and idempotent: reports may come late, twice and in any order. SQL's min() does the same in the table.
 */
export function fold(a: Facts, b: Facts): Facts {
  const folded: Record<string, unknown> = { ...a };
  for (const [name] of FIELDS) {
    const [mine, other] = [a[name], b[name]];
    if (other !== undefined && (mine === undefined || other < mine)) folded[name] = other;
  }
  return folded as Facts;
}

/** What tells one attempt from another. */
export const keyOf = ({ id, attempt }: Facts): string => `${id}/${attempt}`;

/** Foreign text as a fact: printable, of bounded length, and absent rather than empty. */
export function clipFact(value: string | undefined): string | undefined {
  const clean = value?.replace(/[^\x20-\x7e]/g, '?').slice(0, 200);
  return clean === '' ? undefined : clean;
}
