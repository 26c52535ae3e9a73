// Events on the disk: what was acknowledged is there once, with where reading stood when it was written.
import type { Row, SqlValue, Statement } from '../../drivers/sqlite/index.ts';
import { KernelEvent } from './event.ts';
import { startOf, type Partitions } from './partitions.ts';
import type { KernelReport } from './outbox.ts';

/** Where a page of events ended. */
interface Place {
  readonly at: number;
  readonly bootId: string;
  readonly seq: number;
  readonly reason: string;
}

interface EventQuery {
  /** Unix milliseconds, the end not included. */
  readonly from: number;
  readonly to: number;
  readonly reason: string | undefined;
  readonly limit: number;
  readonly before: Place | undefined;
}

const PUT = 'INSERT OR IGNORE INTO event (at, bootId, seq, reason, data) VALUES (?, ?, ?, ?, ?)';
const PUT_STATE = 'INSERT INTO state (id, data) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET data = excluded.data';

const put = ({ at, bootId, seq, reason, ...rest }: KernelEvent): Statement => ({
  sql: PUT,
  values: [at, bootId, seq, reason, JSON.stringify(rest)],
});

/**
 * Writes a report; on disk when it resolves. Events that are there already are the same ones: they come again when their
 * acknowledgement was lost. The state goes last, so that what it says to have been written is.
 */
export async function writeReport(partitions: Partitions, { events, state }: KernelReport, now: number): Promise<void> {
  const groups = Map.groupBy(events, ({ at }) => startOf(at));
  const current = groups.get(startOf(now)) ?? [];
  groups.delete(startOf(now));
  for (const [begins, some] of groups) await partitions.write(begins, (store) => store.write(...some.map(put)));
  const keep: Statement = { sql: PUT_STATE, values: [JSON.stringify(state)] };
  await partitions.write(now, (store) => store.write(...current.map(put), keep));
}

/** The state that was written last; undefined where there is none. Foreign data: check it. */
export async function readState(partitions: Partitions): Promise<unknown> {
  for (const begins of partitions.within(-Infinity, Infinity)) {
    const row = await partitions.read(begins, (store) => store.get('SELECT data FROM state'));
    if (row !== undefined) return JSON.parse(String(row['data']));
  }
  return undefined;
}

const SELECT = 'SELECT at, bootId, seq, reason, data FROM event WHERE at >= ? AND at < ?';
const BEFORE = 'AND (at, bootId, seq, reason) < (?, ?, ?, ?)';
const ORDER = 'ORDER BY at DESC, bootId DESC, seq DESC, reason DESC LIMIT ?';

/** The newest events of a time, newest first. */
export async function findEvents(
  partitions: Partitions,
  { from, to, reason, limit, before }: EventQuery,
): Promise<readonly KernelEvent[]> {
  const until = before === undefined ? to : Math.min(to, before.at + 1);
  const found: KernelEvent[] = [];
  for (const begins of partitions.within(from, until)) {
    if (found.length >= limit) break;
    const values: SqlValue[] = [from, until];
    if (reason !== undefined) values.push(reason);
    if (before !== undefined) values.push(before.at, before.bootId, before.seq, before.reason);
    const sql = [SELECT, reason === undefined ? '' : 'AND reason = ?', before === undefined ? '' : BEFORE, ORDER];
    const rows = await partitions.read(begins, (store) => store.all(sql.join(' '), ...values, limit - found.length));
    for (const row of rows ?? []) found.push(...eventOf(row));
  }
  return found;
}

/** What a later version wrote and this one cannot read is left out. */
function eventOf({ data, ...rest }: Row): readonly KernelEvent[] {
  const parsed = KernelEvent.safeParse({ ...JSON.parse(String(data)), ...rest });
  return parsed.success ? [parsed.data] : [];
}
