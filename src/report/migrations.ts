// The tables of reports and of the outbox. Only ever append.
import type { Migrations } from '../drivers/sqlite/index.ts';

export const reportMigrations: Migrations = {
  part: 'report',
  statements: [
    `CREATE TABLE report (
      id TEXT PRIMARY KEY,
      created_at INTEGER NOT NULL,
      kind TEXT NOT NULL,
      host TEXT NOT NULL,
      run_id TEXT NOT NULL,
      period_from INTEGER NOT NULL,
      period_to INTEGER NOT NULL,
      time_zone TEXT NOT NULL,
      score REAL NOT NULL,
      crit INTEGER NOT NULL,
      warn INTEGER NOT NULL,
      unknown INTEGER NOT NULL,
      json TEXT NOT NULL
    ) STRICT`,
    `CREATE INDEX report_by_time ON report (created_at, id)`,
    `CREATE TABLE report_rendering (
      report_id TEXT NOT NULL REFERENCES report (id) ON DELETE CASCADE,
      locale TEXT NOT NULL,
      subject TEXT NOT NULL,
      text TEXT NOT NULL,
      html TEXT NOT NULL,
      full_html TEXT NOT NULL,
      csv TEXT NOT NULL,
      PRIMARY KEY (report_id, locale)
    ) STRICT`,
    `CREATE TABLE mail (
      id TEXT PRIMARY KEY,
      dedupe_key TEXT NOT NULL UNIQUE,
      report_id TEXT,
      message_id TEXT NOT NULL,
      sender TEXT NOT NULL,
      subject TEXT NOT NULL,
      rfc822 BLOB NOT NULL,
      state TEXT NOT NULL,
      attempts INTEGER NOT NULL DEFAULT 0,
      created_at INTEGER NOT NULL,
      queued_at INTEGER NOT NULL,
      next_at INTEGER NOT NULL,
      lease_until INTEGER NOT NULL DEFAULT 0,
      lease_owner TEXT,
      last_code INTEGER,
      last_text TEXT,
      file TEXT
    ) STRICT`,
    `CREATE INDEX mail_due ON mail (state, next_at)`,
    `CREATE TABLE mail_recipient (
      mail_id TEXT NOT NULL REFERENCES mail (id) ON DELETE CASCADE,
      address TEXT NOT NULL,
      state TEXT NOT NULL,
      code INTEGER,
      reply TEXT,
      PRIMARY KEY (mail_id, address)
    ) STRICT`,
    `CREATE TABLE mail_event (
      mail_id TEXT NOT NULL REFERENCES mail (id) ON DELETE CASCADE,
      at INTEGER NOT NULL,
      what TEXT NOT NULL,
      detail TEXT NOT NULL
    ) STRICT`,
    `CREATE INDEX mail_event_by_mail ON mail_event (mail_id, at)`,
  ],
};
