// The tables of objects and of their changes.
import type { Migrations } from '../../drivers/sqlite/index.ts';

export const orchestratorMigrations: Migrations = {
  part: 'orchestrator',
  statements: [
    `CREATE TABLE objects (
      key TEXT PRIMARY KEY,
      rv INTEGER NOT NULL,
      uid TEXT NOT NULL,
      json TEXT NOT NULL
    ) STRICT, WITHOUT ROWID`,
    // AUTOINCREMENT: a revision is never given twice, also after the newest changes were forgotten.
    `CREATE TABLE changes (
      seq INTEGER PRIMARY KEY AUTOINCREMENT,
      at INTEGER NOT NULL,
      key TEXT NOT NULL,
      type TEXT NOT NULL,
      json TEXT NOT NULL,
      previous TEXT
    ) STRICT`,
    'CREATE INDEX changes_at ON changes (at)',
  ],
};
