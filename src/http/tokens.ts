// Tokens: made once, shown once, kept as SHA-256 hashes, looked up in memory.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { Fault } from '../base/fault.ts';
import type { Logger } from '../base/logging.ts';
import { ROLES, type Role } from '../base/route.ts';
import type { Row, StateStore } from '../drivers/sqlite/index.ts';
import { TOKEN_EXISTS, TOKEN_PROTECTED, TOKEN_UNKNOWN, TOKENS_UNAVAILABLE, TOO_MANY_TOKENS } from './faults.ts';

/** The name of the token made at the first start. */
export const ADMIN_TOKEN = 'admin';
const MAX_TOKENS = 1000;
const LAST_USED_STEP_MS = 60_000;
const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const LENGTH = 24;
const SHAPE = /^jdos_[0-9A-Za-z]{22,200}$/;

/** A new token: `jdos_` and 24 random characters of 62, 142 bits. */
export function newToken(): string {
  let text = '';
  while (text.length < LENGTH) {
    // 248 is the largest multiple of 62 in a byte: what is above would favour the first characters.
    for (const byte of randomBytes(LENGTH)) if (byte < 248 && text.length < LENGTH) text += ALPHABET[byte % 62];
  }
  return `jdos_${text}`;
}

/** The SHA-256 of a token in hexadecimal: all that is ever stored of it. */
export const hashToken = (token: string): string => createHash('sha256').update(token).digest('hex');

/** What is known of a token, without its secret. Times are Unix milliseconds. */
export interface TokenRecord {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly createdAt: number;
  readonly expiresAt?: number;
  readonly lastUsedAt?: number;
}

type Verification = { readonly name: string; readonly role: Role } | { readonly rejected: 'unknown' | 'expired' };

export interface NewToken {
  readonly name: string;
  readonly role: Role;
  readonly expiresAt?: number | undefined;
}

export interface TokenBook {
  /** Whose token it is. Rejects with a Fault when the tokens could not be read from the store. */
  verify(token: string): Promise<Verification>;
  /** All tokens, oldest first. */
  list(): Promise<readonly TokenRecord[]>;
  /** Makes a token; its text is given here and never again. */
  create(token: NewToken): Promise<{ readonly token: string; readonly record: TokenRecord }>;
  /** Ends a token by its id or name. Rejects with a Fault for an unknown one. */
  revoke(idOrName: string): Promise<void>;
  /** Makes the token whose SHA-256 this is the admin token, in place of the one before. */
  ensureAdminToken(hash: string): Promise<void>;
}

interface Entry extends TokenRecord {
  readonly hash: string;
}

const INSERT = `INSERT INTO tokens (id, name, role, hash, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`;

/** The tokens in a store with the tables of {@link file://./migrations.ts}. Nothing is read before the first use. */
export function openTokens(store: StateStore, now: () => number, log: Logger): TokenBook {
  let loading: Promise<Map<string, Entry>> | undefined;
  const lastWritten = new Map<string, number>();

  const entries = (): Promise<Map<string, Entry>> => {
    loading ??= load(store).catch((cause: unknown) => {
      loading = undefined;
      throw new Fault(TOKENS_UNAVAILABLE, 'the tokens cannot be read from the state store', { cause });
    });
    return loading;
  };

  const touch = (known: Map<string, Entry>, entry: Entry): void => {
    const at = now();
    known.set(entry.hash, { ...entry, lastUsedAt: at });
    if (at - (lastWritten.get(entry.id) ?? -Infinity) < LAST_USED_STEP_MS) return;
    lastWritten.set(entry.id, at);
    store
      .write({ sql: 'UPDATE tokens SET last_used_at = ? WHERE id = ?', values: [at, entry.id] })
      .catch((err: unknown) => log.warn({ err }, 'the last use of a token could not be written'));
  };

  const add = async (token: NewToken, hash: string): Promise<Entry> => {
    const known = await entries();
    if (known.size >= MAX_TOKENS) throw new Fault(TOO_MANY_TOKENS, `there are ${known.size} tokens already`);
    const { name, role, expiresAt } = token;
    const entry = { id: randomBytes(6).toString('hex'), name, role, hash, createdAt: now(), ...given({ expiresAt }) };
    const values = [entry.id, name, role, hash, entry.createdAt, expiresAt ?? null];
    if ((await store.write({ sql: INSERT, values })) === 0) throw new Fault(TOKEN_EXISTS, `a token ${name} exists`);
    known.set(hash, entry);
    return entry;
  };

  const remove = async (entry: Entry): Promise<void> => {
    // Out of memory first: a token is void from here on, whatever the disk does.
    (await entries()).delete(entry.hash);
    lastWritten.delete(entry.id);
    await store.write({ sql: 'DELETE FROM tokens WHERE id = ?', values: [entry.id] });
  };

  return {
    async verify(token) {
      const known = await entries();
      if (!SHAPE.test(token)) return { rejected: 'unknown' };
      const hash = hashToken(token);
      const entry = known.get(hash);
      if (entry === undefined || !timingSafeEqual(Buffer.from(entry.hash), Buffer.from(hash))) {
        return { rejected: 'unknown' };
      }
      if (entry.expiresAt !== undefined && entry.expiresAt <= now()) return { rejected: 'expired' };
      touch(known, entry);
      return { name: entry.name, role: entry.role };
    },
    async list() {
      const all = [...(await entries()).values()].sort((a, b) => a.createdAt - b.createdAt);
      return all.map(({ hash: _hash, ...record }) => record);
    },
    async create(wanted) {
      const token = newToken();
      const { hash: _hash, ...record } = await add(wanted, hashToken(token));
      return { token, record };
    },
    async revoke(idOrName) {
      const entry = [...(await entries()).values()].find((one) => one.id === idOrName || one.name === idOrName);
      if (entry === undefined) throw new Fault(TOKEN_UNKNOWN, 'there is no token of this id or name');
      if (entry.name === ADMIN_TOKEN) throw new Fault(TOKEN_PROTECTED, 'the first admin token cannot be revoked');
      await remove(entry);
    },
    async ensureAdminToken(hash) {
      if (!/^[0-9a-f]{64}$/.test(hash)) throw new TypeError('the hash of a token is a SHA-256 in hexadecimal');
      const entry = [...(await entries()).values()].find((one) => one.name === ADMIN_TOKEN);
      if (entry?.hash === hash) return;
      if (entry !== undefined) await remove(entry);
      await add({ name: ADMIN_TOKEN, role: 'admin' }, hash);
    },
  };
}

async function load(store: StateStore): Promise<Map<string, Entry>> {
  const rows = await store.all('SELECT * FROM tokens');
  return new Map(rows.map((row) => entryOf(row)).map((entry): [string, Entry] => [entry.hash, entry]));
}

function entryOf(row: Row): Entry {
  const role = ROLES.find((one) => one === row['role']);
  if (role === undefined) throw new Error(`a stored token has the unknown role ${String(row['role'])}`);
  const time = (name: string): number | undefined => (row[name] === null ? undefined : Number(row[name]));
  return {
    id: String(row['id']),
    name: String(row['name']),
    role,
    hash: String(row['hash']),
    createdAt: Number(row['created_at']),
    ...given({ expiresAt: time('expires_at'), lastUsedAt: time('last_used_at') }),
  };
}

/** Without the keys that are undefined. */
const given = <K extends string>(times: Record<K, number | undefined>): Partial<Record<K, number>> =>
  Object.fromEntries(Object.entries(times).filter(([, value]) => value !== undefined)) as Partial<Record<K, number>>;
