// The ledger over HTTP: one message with all its attempts, and lists by who, what, when and how it ended.
import { Fault, faultKind } from '../../base/fault.ts';
import { route, type Route } from '../../base/route.ts';
import { z } from '../../base/schema.ts';
import { STATES } from './conclude.ts';
import { parseMessageId } from './message-id.ts';
import { findMessage, findMessages, type Ledgered } from './query.ts';
import { MessageView, viewOf } from './view.ts';

const MESSAGE_UNKNOWN = faultKind(
  'JD_MESSAGE_UNKNOWN',
  404,
  'list what is known with `jdos messages`; rows are kept for tracing.messages.retentionDays',
);
const MESSAGES_CURSOR = faultKind('JD_MESSAGES_CURSOR', 400, 'give `cursor` the value of `next` of the page before');

const When = z
  .string()
  .max(40)
  .refine(
    (text) => !Number.isNaN(momentOf(text)),
    'an RFC 3339 time such as 2026-11-25T10:00:00Z, or Unix milliseconds',
  )
  .transform(momentOf);

function momentOf(text: string): number {
  return /^\d{1,15}$/.test(text) ? Number(text) : Date.parse(text);
}

const name = z.string().max(200).optional();
const Query = z.strictObject({
  state: z.enum(STATES).optional(),
  caller: name,
  service: name,
  procedure: name,
  trace: z
    .string()
    .regex(/^[0-9a-f]{32}$/, 'a trace id of 32 hexadecimal digits')
    .optional(),
  from: When.optional().describe('messages made at this time or later'),
  to: When.optional().describe('messages made before this time'),
  limit: z.coerce.number().int().min(1).max(1000).default(50),
  cursor: z.string().max(200).optional().describe('next of the page before'),
});

/** `read` gives the ledger as it is now, with everything reported until now. */
export const messageRoutes = (read: () => Promise<Ledgered>): readonly Route[] => [
  route({
    method: 'GET',
    path: '/jdos/v1/messages/:id',
    right: 'read',
    summary: 'One message: all its attempts, both sides, the state and its proof',
    params: z.object({ id: z.string().max(64) }),
    reply: z.object({ id: z.string(), attempts: z.array(MessageView) }),
    async handler({ params }) {
      const id = parseMessageId(params.id);
      const found = id === undefined ? [] : await findMessage(await read(), id);
      if (id === undefined || found.length === 0)
        throw new Fault(MESSAGE_UNKNOWN, `nothing is known of a message ${JSON.stringify(params.id)}`);
      return { body: { id, attempts: found.map(viewOf) } };
    },
  }),
  route({
    method: 'GET',
    path: '/jdos/v1/messages',
    right: 'read',
    summary: 'Messages, newest first, by state, caller, service, procedure, trace and time',
    query: Query,
    reply: z.object({ items: z.array(MessageView), next: z.string().optional() }),
    async handler({ query: { cursor, limit, ...query } }) {
      const before = cursor === undefined ? undefined : parseCursor(cursor);
      const found = await findMessages(await read(), { ...query, before, limit: limit + 1 });
      const page = found.slice(0, limit);
      const last = page.at(-1)?.facts;
      const more = found.length > limit && last !== undefined;
      const next = more ? { next: Buffer.from(`${last.id} ${last.attempt}`).toString('base64url') } : {};
      return { body: { items: page.map(viewOf), ...next } };
    },
  }),
];

function parseCursor(cursor: string): { readonly id: string; readonly attempt: number } {
  const [, id, attempt] = /^(\S{36}) (\d{1,4})$/.exec(Buffer.from(cursor, 'base64url').toString('utf8')) ?? [];
  if (id === undefined || parseMessageId(id) !== id) throw new Fault(MESSAGES_CURSOR, 'the cursor is not one of ours');
  return { id, attempt: Number(attempt) };
}
