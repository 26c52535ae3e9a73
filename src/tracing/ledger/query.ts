// Finding messages: one by its id, or many by who, what and how they ended, newest first.
import type { SqlValue } from '../../drivers/sqlite/index.ts';
import { type Micros } from '../clock.ts';
import { conclude, type Conclusion, type State } from './conclude.ts';
import { type Day, dayOf, dayStart, nextDay } from './days.ts';
import type { Facts } from './facts.ts';
import { idBytes, idFloor, messageTime } from './message-id.ts';
import type { Watermark } from './recorder.ts';
import type { LedgerStore } from './store.ts';
import { factsOf } from './table.ts';

export interface Found {
  readonly facts: Facts;
  readonly conclusion: Conclusion;
}

interface MessageQuery {
  readonly state?: State | undefined;
  readonly caller?: string | undefined;
  readonly service?: string | undefined;
  readonly procedure?: string | undefined;
  readonly trace?: string | undefined;
  /** Unix milliseconds, `from` included, `to` not. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  /** Only what is older than this row. */
  readonly before?: Pick<Facts, 'id' | 'attempt'> | undefined;
  readonly limit: number;
}

export interface Ledgered {
  readonly store: LedgerStore;
  /** The newest watermarks, also those of today's file. */
  readonly marks: readonly Watermark[];
  /** Unix microseconds. */
  readonly now: Micros;
}

const CHUNK = 500;

/** All attempts of a message, first to last; empty when nothing is known of it. */
export async function findMessage({ store, marks, now }: Ledgered, id: string): Promise<readonly Found[]> {
  const day = dayOf(messageTime(id));
  const rows = await store.read(day, (db) =>
    db.all('SELECT * FROM message WHERE id = ? ORDER BY attempt', idBytes(id)),
  );
  if (rows === undefined || rows.length === 0) return [];
  const known = [...marks, ...(await store.marks(day))];
  return rows.map(factsOf).map((facts) => ({ facts, conclusion: conclude(facts, now, known) }));
}

/** At most `limit` rows, newest first. States are concluded anew: what was in flight then may be lost now. */
export async function findMessages(ledger: Ledgered, query: MessageQuery): Promise<readonly Found[]> {
  const found: Found[] = [];
  for (const day of await ledger.store.days()) {
    if (found.length >= query.limit) break;
    if (dayStart(nextDay(day)) <= (query.from ?? 0) || dayStart(day) >= (query.to ?? Number.POSITIVE_INFINITY))
      continue;
    if (query.before !== undefined && day > dayOf(messageTime(query.before.id))) continue;
    await findInDay(ledger, day, query, found);
  }
  return found;
}

async function findInDay(ledger: Ledgered, day: Day, query: MessageQuery, found: Found[]): Promise<void> {
  const marks = [...ledger.marks, ...(await ledger.store.marks(day))];
  let before = query.before;
  while (found.length < query.limit) {
    const { sql, values } = pageOf({ ...query, before });
    const rows = (await ledger.store.read(day, (db) => db.all(sql, ...values))) ?? [];
    for (const facts of rows.map(factsOf)) {
      before = facts;
      const conclusion = conclude(facts, ledger.now, marks);
      if (query.state !== undefined && conclusion.state !== query.state) continue;
      found.push({ facts, conclusion });
      if (found.length === query.limit) return;
    }
    if (rows.length < CHUNK) return;
  }
}

/** The next rows of a day that may be meant. */
function pageOf(query: MessageQuery): { readonly sql: string; readonly values: readonly SqlValue[] } {
  const conditions: string[] = [];
  const values: SqlValue[] = [];
  const where = (condition: string, ...given: SqlValue[]): void => {
    conditions.push(condition);
    values.push(...given);
  };
  if (query.state !== undefined && query.state !== 'delivered') where('delivered = 0');
  for (const name of ['caller', 'service', 'procedure'] as const) {
    const value = query[name];
    if (value !== undefined) where(`${name} = ?`, value);
  }
  if (query.trace !== undefined) where('traceId = ?', Buffer.from(query.trace, 'hex'));
  if (query.from !== undefined) where('id >= ?', idFloor(query.from));
  if (query.to !== undefined) where('id < ?', idFloor(query.to));
  if (query.before !== undefined) where('(id, attempt) < (?, ?)', idBytes(query.before.id), query.before.attempt);
  const filter = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
  return { sql: `SELECT * FROM message ${filter} ORDER BY id DESC, attempt DESC LIMIT ${CHUNK}`, values };
}
