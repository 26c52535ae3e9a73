// The tables of the front door in the state store.
import type { Migrations } from '../drivers/sqlite/index.ts';

export const httpMigrations: Migrations = {
  part: 'http',
  statements: [
    `CREATE TABLE tokens (
      id TEXT PRIMARY KEY,
      name TEXT NOT NULL UNIQUE,
      role TEXT NOT NULL,
      hash TEXT NOT NULL UNIQUE,
      created_at INTEGER NOT NULL,
      expires_at INTEGER,
      last_used_at INTEGER
    ) STRICT`,
    `CREATE TABLE audit (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      at INTEGER NOT NULL,
      request TEXT NOT NULL,
      name TEXT NOT NULL,
      role TEXT NOT NULL,
      origin TEXT NOT NULL,
      listener TEXT NOT NULL,
      method TEXT NOT NULL,
      path TEXT NOT NULL,
      permission TEXT NOT NULL,
      status INTEGER NOT NULL
    ) STRICT`,
    'CREATE INDEX audit_at ON audit (at)',
  ],
};
