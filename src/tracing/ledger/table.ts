// The tables of one day: a row per attempt of a message, and the recorders' watermarks.
import type { Migrations, Row, SqlValue, Statement } from '../../drivers/sqlite/index.ts';
import { type Facts, FIELDS } from './facts.ts';
import { idBytes, idText } from './message-id.ts';
import type { Watermark } from './recorder.ts';

const columns = FIELDS.map(([name]) => name);

/** What certainly needs no second look: all else is found through the small index of the rest. */
const DELIVERED = `CASE
  WHEN ended = 'replied' AND code = 'ok' THEN 1
  WHEN ended IS NULL AND instance IS NULL AND written = 1 AND calleeCode = 'ok' THEN 1
  ELSE 0 END`;

export const ledgerMigrations: Migrations = {
  part: 'messages',
  statements: [
    `CREATE TABLE message (
      id BLOB NOT NULL,
      attempt INTEGER NOT NULL,
      ${FIELDS.map(([name, type]) => `${name} ${type}`).join(', ')},
      delivered INTEGER GENERATED ALWAYS AS (${DELIVERED}) VIRTUAL,
      PRIMARY KEY (id, attempt)
    ) STRICT, WITHOUT ROWID`,
    'CREATE INDEX message_open ON message (id, attempt) WHERE delivered = 0',
    'CREATE INDEX message_trace ON message (traceId) WHERE traceId IS NOT NULL',
    `CREATE TABLE watermark (
      instance TEXT NOT NULL, since INTEGER NOT NULL, upTo INTEGER NOT NULL, services TEXT NOT NULL,
      PRIMARY KEY (instance, since)
    ) STRICT, WITHOUT ROWID`,
  ],
};

/** Folds as `fold` in facts.ts does: the smaller of two values, and any rather than none. */
const UPSERT = `INSERT INTO message (id, attempt, ${columns.join(', ')})
  VALUES (?, ?, ${columns.map(() => '?').join(', ')})
  ON CONFLICT (id, attempt) DO UPDATE SET
  ${columns.map((name) => `${name} = coalesce(min(${name}, excluded.${name}), ${name}, excluded.${name})`).join(', ')}`;

const UPSERT_MARK = `INSERT INTO watermark (instance, since, upTo, services) VALUES (?, ?, ?, ?)
  ON CONFLICT (instance, since) DO UPDATE SET upTo = max(upTo, excluded.upTo)`;

export function upsert(facts: Facts): Statement {
  const values: SqlValue[] = [idBytes(facts.id), facts.attempt];
  for (const [name, type] of FIELDS) {
    const value = facts[name];
    values.push(value === undefined ? null : type === 'BLOB' ? Buffer.from(String(value), 'hex') : value);
  }
  return { sql: UPSERT, values };
}

export const upsertMark = ({ instance, from, upTo, services }: Watermark): Statement => ({
  sql: UPSERT_MARK,
  values: [instance, from, upTo, services.join(' ')],
});

export function factsOf(row: Row): Facts {
  const facts: Record<string, unknown> = {
    id: idText(row['id'] as Uint8Array),
    attempt: Number(row['attempt']),
  };
  for (const [name, type] of FIELDS) {
    const value = row[name];
    if (value === null || value === undefined) continue;
    facts[name] = type === 'BLOB' ? Buffer.from(value as Uint8Array).toString('hex') : value;
  }
  return facts as Facts;
}

export const markOf = (row: Row): Watermark => ({
  instance: String(row['instance']),
  from: Number(row['since']),
  upTo: Number(row['upTo']),
  services: String(row['services']).split(' '),
});
