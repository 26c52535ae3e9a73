// /jdos/v1/tokens: list, create and revoke.
import { ROLES, route, type Route } from '../base/route.ts';
import { z } from '../base/schema.ts';
import { ADMIN_TOKEN, type TokenBook } from './tokens.ts';

const path = '/jdos/v1/tokens';
/** Names that the audit uses for callers without a token. */
const RESERVED = new Set(['anonymous', 'unix', 'unknown', ADMIN_TOKEN]);

const TokenRecord = z.object({
  id: z.string(),
  name: z.string(),
  role: z.enum(ROLES),
  createdAt: z.number().describe('Unix milliseconds'),
  expiresAt: z.number().optional().describe('Unix milliseconds; absent: never'),
  lastUsedAt: z.number().optional().describe('Unix milliseconds, to the minute; absent: not yet'),
});

const NewToken = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, 'lower-case letters, digits, dots, dashes and underscores, at most 63')
    .refine((name) => !RESERVED.has(name), 'a name that is not reserved'),
  role: z.enum(ROLES),
  expiresInSeconds: z
    .number()
    .int()
    .min(1)
    .max(10 * 366 * 86_400)
    .optional(),
});

/** The routes over a token book; all need the right `admin`. */
export const tokenRoutes = (tokens: TokenBook, now: () => number): readonly Route[] => [
  route({
    method: 'GET',
    path,
    right: 'admin',
    summary: 'All tokens, without their secrets',
    reply: z.object({ items: z.array(TokenRecord) }),
    handler: async () => ({ body: { items: await tokens.list() } }),
  }),
  route({
    method: 'POST',
    path,
    right: 'admin',
    summary: 'Make a token; its text is in this answer and never again',
    body: NewToken,
    reply: TokenRecord.extend({ token: z.string() }),
    async handler({ body: { name, role, expiresInSeconds } }) {
      const expiresAt = expiresInSeconds === undefined ? undefined : now() + expiresInSeconds * 1000;
      const { token, record } = await tokens.create({ name, role, expiresAt });
      return { status: 201, body: { ...record, token } };
    },
  }),
  route({
    method: 'DELETE',
    path: `${path}/:token`,
    right: 'admin',
    summary: 'Revoke a token by its id or name, at once',
    params: z.object({ token: z.string().min(1).max(63) }),
    async handler({ params }) {
      await tokens.revoke(params.token);
      return { body: null };
    },
  }),
];
