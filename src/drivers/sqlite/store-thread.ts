// The store thread: the only place where a database is open. One at a time, in order, each write one transaction.
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import {
  NEWER_SCHEMA,
  type StoreProblem,
  type StoreReply,
  type StoreRequest,
  type StoreThreadData,
} from './messages.ts';
import type { Migrations, Row, Statement } from './state-store.ts';

const MAX_ROWS = 100_000;
const MAX_PREPARED = 500;

class NewerSchema extends Error {}

function openDatabase({ file, synchronous = 'FULL', readOnly = false }: StoreThreadData): DatabaseSync {
  const db = new DatabaseSync(file, { timeout: 5000, enableForeignKeyConstraints: true, readOnly });
  if (!readOnly)
    db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${synchronous}; PRAGMA wal_autocheckpoint = 1000`);
  return db;
}

function migrate(db: DatabaseSync, migrations: readonly Migrations[]): void {
  db.exec('CREATE TABLE IF NOT EXISTS migration (part TEXT PRIMARY KEY, applied INTEGER NOT NULL) STRICT');
  const applied = db.prepare('SELECT applied FROM migration WHERE part = ?');
  const record = db.prepare('INSERT INTO migration VALUES (?1, ?2) ON CONFLICT (part) DO UPDATE SET applied = ?2');
  for (const { part, statements } of migrations) {
    const done = Number(applied.get(part)?.['applied'] ?? 0);
    if (done > statements.length)
      throw new NewerSchema(`tables of ${part} are at step ${done}, this version knows ${statements.length}`);
    if (done === statements.length) continue;
    db.exec('BEGIN IMMEDIATE');
    try {
      for (const sql of statements.slice(done)) db.exec(sql);
      record.run(part, statements.length);
      db.exec('COMMIT');
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK');
      throw error;
    }
  }
}

const problemOf = (error: unknown): StoreProblem => ({
  code: error instanceof NewerSchema ? NEWER_SCHEMA : Number((error as { errcode?: unknown }).errcode ?? 0) & 0xff,
  message: error instanceof Error ? error.message : String(error),
});

function serve(db: DatabaseSync, port: NonNullable<typeof parentPort>): void {
  const prepared = new Map<string, StatementSync>();
  const prepare = (sql: string): StatementSync => {
    const known = prepared.get(sql);
    if (known !== undefined) return known;
    if (prepared.size >= MAX_PREPARED) prepared.clear();
    const statement = db.prepare(sql);
    prepared.set(sql, statement);
    return statement;
  };
  const read = ({ sql, values = [] }: Statement): Row[] => {
    const rows: Row[] = [];
    for (const row of prepare(sql).iterate(...values)) {
      if (rows.length === MAX_ROWS) throw new Error(`more than ${MAX_ROWS} rows`);
      rows.push(row as Row);
    }
    return rows;
  };
  const write = (statements: readonly Statement[]): number => {
    let changes = 0;
    db.exec('BEGIN IMMEDIATE');
    try {
      for (const { sql, values = [] } of statements) changes += Number(prepare(sql).run(...values).changes);
      db.exec('COMMIT');
      return changes;
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK');
      throw error;
    }
  };
  const answer = (request: StoreRequest): StoreReply => {
    try {
      switch (request.kind) {
        case 'read':
          return { kind: 'rows', id: request.id, rows: read(request.statement) };
        case 'write':
          return { kind: 'changes', id: request.id, changes: write(request.statements) };
        case 'close':
          db.close();
          return { kind: 'changes', id: request.id, changes: 0 };
      }
    } catch (error) {
      return { kind: 'failed', id: request.id, problem: problemOf(error) };
    }
  };
  port.on('message', (request: StoreRequest) => {
    port.postMessage(answer(request));
    if (request.kind === 'close') port.close();
  });
}

if (parentPort !== null) {
  const data = workerData as StoreThreadData;
  try {
    const db = openDatabase(data);
    if (data.readOnly !== true) migrate(db, data.migrations);
    serve(db, parentPort);
    parentPort.postMessage({ kind: 'ready' } satisfies StoreReply);
  } catch (error) {
    parentPort.postMessage({ kind: 'unusable', problem: problemOf(error) } satisfies StoreReply);
  }
}
