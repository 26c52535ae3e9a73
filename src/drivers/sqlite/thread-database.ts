// A SQLite file opened in the calling thread, for worker threads that do more than the store thread does for others.
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { Row, SqlValue } from './state-store.ts';

/** Synchronous: never on a main thread. */
export interface ThreadDatabase extends Disposable {
  readonly file: string;
  /** Runs a statement; its compiled form is kept. */
  run(sql: string, ...values: readonly SqlValue[]): void;
  get(sql: string, ...values: readonly SqlValue[]): Row | undefined;
  all(sql: string, ...values: readonly SqlValue[]): readonly Row[];
  /** Rows one by one; the statement is compiled anew, so that several walks can be under way. */
  rows(sql: string, ...values: readonly SqlValue[]): IterableIterator<Row>;
  /** All or nothing; on disk when it returns. */
  transaction(work: () => void): void;
}

/**
 * Opens or makes a file that is written in few large transactions and mostly appended to. A rollback journal writes each new
 * page once, where a write-ahead log would write it twice. Throws the errors of SQLite: see `sqliteFault`.
 */
export function openThreadDatabase(file: string, schema: readonly string[]): ThreadDatabase {
  const db = new DatabaseSync(file, { timeout: 5000 });
  try {
    db.exec('PRAGMA page_size = 8192; PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = TRUNCATE');
    // FULL: a commit is on disk before anything that relies on it is done (https://sqlite.org/pragma.html#pragma_synchronous).
    db.exec('PRAGMA synchronous = FULL; PRAGMA cache_size = -2048; PRAGMA journal_size_limit = 0');
    for (const sql of schema) db.exec(sql);
  } catch (error) {
    db.close();
    throw error;
  }
  const prepared = new Map<string, StatementSync>();
  const prepare = (sql: string): StatementSync => {
    const known = prepared.get(sql) ?? db.prepare(sql);
    prepared.set(sql, known);
    return known;
  };
  return {
    file,
    run: (sql, ...values) => void prepare(sql).run(...values),
    get: (sql, ...values) => prepare(sql).get(...values) as Row | undefined,
    all: (sql, ...values) => prepare(sql).all(...values) as Row[],
    rows: (sql, ...values) => db.prepare(sql).iterate(...values) as IterableIterator<Row>,
    transaction(work) {
      db.exec('BEGIN IMMEDIATE');
      try {
        work();
        db.exec('COMMIT');
      } catch (error) {
        if (db.isTransaction) db.exec('ROLLBACK');
        throw error;
      }
    },
    [Symbol.dispose]: () => db.close(),
  };
}
