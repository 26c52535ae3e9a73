// The outbox on disk: what is to be sent, to whom it went, and what the relay said. One statement of truth per mail.
import { createHash } from 'node:crypto';
import type { Row, SqlValue, StateStore, Statement } from '../drivers/sqlite/index.ts';
import type { Message } from './message.ts';
import type { RecipientOutcome } from './outcome.ts';

/** `filed`: there is no relay, the mail was written to a file. */
const MAIL_STATES = ['queued', 'sending', 'sent', 'deferred', 'failed', 'cancelled', 'filed'] as const;
export type MailState = (typeof MAIL_STATES)[number];
export type RecipientState = 'queued' | 'sent' | 'deferred' | 'failed' | 'cancelled';

interface MailRecipient {
  readonly address: string;
  readonly state: RecipientState;
  readonly code: number | undefined;
  readonly reply: string | undefined;
}

export interface Mail {
  readonly id: string;
  readonly reportId: string | undefined;
  readonly dedupeKey: string;
  readonly messageId: string;
  readonly from: string;
  readonly subject: string;
  readonly state: MailState;
  readonly attempts: number;
  /** Unix milliseconds. */
  readonly createdAt: number;
  /** Since when it waits; a resend begins anew. */
  readonly queuedAt: number;
  readonly nextAt: number | undefined;
  readonly lastCode: number | undefined;
  readonly lastReply: string | undefined;
  /** Where it was written when there was no relay. */
  readonly file: string | undefined;
  readonly recipients: readonly MailRecipient[];
}

const COLUMNS = `id, report_id, dedupe_key, message_id, sender, subject, state, attempts, created_at, queued_at, next_at,
  last_code, last_text, file`;
const EVENTS_KEPT = 50;

const text = (value: SqlValue | undefined): string | undefined => (typeof value === 'string' ? value : undefined);
const number = (value: SqlValue | undefined): number | undefined => (typeof value === 'number' ? value : undefined);

const toRecipient = (row: Row): MailRecipient => ({
  address: text(row['address']) ?? '',
  state: (text(row['state']) ?? 'failed') as RecipientState,
  code: number(row['code']),
  reply: text(row['reply']),
});

const toMail = (row: Row, recipients: readonly MailRecipient[]): Mail => {
  const state = (text(row['state']) ?? 'failed') as MailState;
  const waits = state === 'queued' || state === 'deferred';
  return {
    id: text(row['id']) ?? '',
    reportId: text(row['report_id']),
    dedupeKey: text(row['dedupe_key']) ?? '',
    messageId: text(row['message_id']) ?? '',
    from: text(row['sender']) ?? '',
    subject: text(row['subject']) ?? '',
    state,
    attempts: number(row['attempts']) ?? 0,
    createdAt: number(row['created_at']) ?? 0,
    queuedAt: number(row['queued_at']) ?? 0,
    nextAt: waits ? number(row['next_at']) : undefined,
    lastCode: number(row['last_code']),
    lastReply: text(row['last_text']),
    file: text(row['file']),
    recipients,
  };
};

/** The id of a mail follows from its key, so that storing it twice is storing it once. */
export const mailId = (dedupeKey: string): string => createHash('sha256').update(dedupeKey).digest('hex').slice(0, 20);

const event = (id: string, at: number, what: string, detail: string): readonly Statement[] => [
  { sql: 'INSERT INTO mail_event (mail_id, at, what, detail) VALUES (?, ?, ?, ?)', values: [id, at, what, detail] },
  {
    sql: `DELETE FROM mail_event WHERE mail_id = ? AND rowid NOT IN
      (SELECT rowid FROM mail_event WHERE mail_id = ? ORDER BY rowid DESC LIMIT ${EVENTS_KEPT})`,
    values: [id, id],
  },
];

interface NewMail {
  readonly message: Message;
  readonly reportId: string | undefined;
  readonly state: 'queued' | 'filed';
  readonly file?: string;
  readonly now: number;
}

/** Stores a mail and its recipients in one transaction. Resolves with false when its key is there already. */
export async function insertMail(
  store: StateStore,
  { message, reportId, state, file, now }: NewMail,
): Promise<boolean> {
  const id = mailId(message.dedupeKey);
  if ((await store.get('SELECT 1 FROM mail WHERE id = ?', id)) !== undefined) return false;
  const changes = await store.write(
    {
      sql: `INSERT INTO mail (id, dedupe_key, report_id, message_id, sender, subject, rfc822, state, created_at, queued_at, next_at, file)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
      values: [
        id,
        message.dedupeKey,
        reportId ?? null,
        message.messageId,
        message.from,
        message.subject,
        message.bytes,
        state,
        now,
        now,
        now,
        file ?? null,
      ],
    },
    ...message.to.map((address) => ({
      sql: 'INSERT INTO mail_recipient (mail_id, address, state) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
      values: [id, address, 'queued'],
    })),
    ...event(id, now, state, file ?? `${message.to.length} recipients`),
  );
  return changes > 0;
}

/** The mail, or undefined. */
export async function getMail(store: StateStore, id: string): Promise<Mail | undefined> {
  const row = await store.get(`SELECT ${COLUMNS} FROM mail WHERE id = ?`, id);
  if (row === undefined) return undefined;
  const recipients = await store.all('SELECT * FROM mail_recipient WHERE mail_id = ? ORDER BY rowid', id);
  return toMail(row, recipients.map(toRecipient));
}

/** The newest mails first, those before `before` (created, id) when it is given. */
export async function listMails(
  store: StateStore,
  limit: number,
  before?: { readonly at: number; readonly id: string },
): Promise<readonly Mail[]> {
  const { at, id } = before ?? { at: Number.MAX_SAFE_INTEGER, id: '' };
  const rows = await store.all(
    `SELECT ${COLUMNS} FROM mail WHERE (created_at, id) < (?, ?) ORDER BY created_at DESC, id DESC LIMIT ?`,
    at,
    id,
    limit,
  );
  return Promise.all(
    rows.map(async (row) => {
      const recipients = await store.all(
        'SELECT * FROM mail_recipient WHERE mail_id = ? ORDER BY rowid',
        text(row['id']) ?? '',
      );
      return toMail(row, recipients.map(toRecipient));
    }),
  );
}

/** The stored bytes, or undefined. */
export async function mailBytes(store: StateStore, id: string): Promise<Buffer | undefined> {
  const bytes = (await store.get('SELECT rfc822 FROM mail WHERE id = ?', id))?.['rfc822'];
  return bytes instanceof Uint8Array ? Buffer.from(bytes) : undefined;
}

/** How many mails stand in each state. */
export async function countMails(store: StateStore): Promise<ReadonlyMap<MailState, number>> {
  const rows = await store.all('SELECT state, count(*) AS n FROM mail GROUP BY state');
  return new Map(rows.map((row) => [row['state'] as MailState, Number(row['n'])]));
}

/** When the next mail is due, or undefined when none waits. A lease that ran out counts as due at its end. */
export async function nextDue(store: StateStore): Promise<number | undefined> {
  const row = await store.get(
    `SELECT min(CASE state WHEN 'sending' THEN lease_until ELSE next_at END) AS at FROM mail
      WHERE state IN ('queued', 'deferred', 'sending')`,
  );
  return number(row?.['at']);
}

/** Puts mails whose sender died back in the queue. Resolves with how many. */
export const reclaim = (store: StateStore, now: number): Promise<number> =>
  store.write({
    sql: `UPDATE mail SET state = 'queued', next_at = ?, lease_owner = NULL WHERE state = 'sending' AND lease_until <= ?`,
    values: [now, now],
  });

/** Takes the mail that is due longest, for one owner until `leaseUntil`; undefined when none is due. */
export async function claimDue(
  store: StateStore,
  owner: string,
  now: number,
  leaseUntil: number,
): Promise<Mail | undefined> {
  const row = await store.get(
    `SELECT id FROM mail WHERE state IN ('queued', 'deferred') AND next_at <= ? ORDER BY next_at, created_at LIMIT 1`,
    now,
  );
  const id = text(row?.['id']);
  if (id === undefined) return undefined;
  const taken = await store.write({
    sql: `UPDATE mail SET state = 'sending', attempts = attempts + 1, lease_owner = ?, lease_until = ?
      WHERE id = ? AND state IN ('queued', 'deferred')`,
    values: [owner, leaseUntil, id],
  });
  return taken === 0 ? undefined : getMail(store, id);
}

/** What an attempt ended in. */
export interface Settled {
  readonly id: string;
  readonly owner: string;
  readonly state: 'sent' | 'deferred' | 'failed' | 'queued';
  readonly nextAt: number;
  readonly code: number | undefined;
  readonly reply: string;
  readonly recipients: readonly (Omit<RecipientOutcome, 'kind'> & { readonly state: RecipientState })[];
  /** An attempt that was broken off by a stop does not count. */
  readonly counts: boolean;
  readonly now: number;
}

/** Writes the end of an attempt in one transaction; does nothing when the lease went to another owner. */
export const settle = (store: StateStore, s: Settled): Promise<number> =>
  store.write(
    ...s.recipients.map(({ address, state, code, reply }) => ({
      sql: `UPDATE mail_recipient SET state = ?, code = ?, reply = ? WHERE mail_id = ? AND address = ?
        AND EXISTS (SELECT 1 FROM mail WHERE id = ? AND lease_owner = ?)`,
      values: [state, code ?? null, reply, s.id, address, s.id, s.owner],
    })),
    ...event(s.id, s.now, s.state, s.reply),
    {
      sql: `UPDATE mail SET state = ?, next_at = ?, attempts = attempts - ?, last_code = ?, last_text = ?,
        lease_owner = NULL, lease_until = 0 WHERE id = ? AND lease_owner = ?`,
      values: [s.state, s.nextAt, s.counts ? 0 : 1, s.code ?? null, s.reply, s.id, s.owner],
    },
  );

/** Puts a mail that is at rest back in the queue, for all recipients or for those that did not get it. */
export const requeue = (store: StateStore, id: string, all: boolean, now: number): Promise<number> =>
  store.write(
    ...event(id, now, 'queued', 'sent again on request'),
    {
      sql: `UPDATE mail_recipient SET state = 'queued' WHERE mail_id = ?${all ? '' : " AND state <> 'sent'"}`,
      values: [id],
    },
    {
      sql: `UPDATE mail SET state = 'queued', attempts = 0, queued_at = ?, next_at = ? WHERE id = ? AND state <> 'sending'`,
      values: [now, now, id],
    },
  );

/** Stops a waiting mail from being sent. */
export const cancelMail = (store: StateStore, id: string, now: number): Promise<number> =>
  store.write(
    ...event(id, now, 'cancelled', 'on request'),
    {
      sql: `UPDATE mail_recipient SET state = 'cancelled' WHERE mail_id = ? AND state IN ('queued', 'deferred')
        AND EXISTS (SELECT 1 FROM mail WHERE id = ? AND state IN ('queued', 'deferred'))`,
      values: [id, id],
    },
    { sql: `UPDATE mail SET state = 'cancelled' WHERE id = ? AND state IN ('queued', 'deferred')`, values: [id] },
  );

/** Deletes mails that are at rest and older than `before`. */
export const pruneMails = (store: StateStore, before: number): Promise<number> =>
  store.write({
    sql: `DELETE FROM mail WHERE created_at < ? AND state IN ('sent', 'failed', 'cancelled', 'filed')`,
    values: [before],
  });
