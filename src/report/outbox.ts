// The outbox: a mail is on disk before anybody tries to send it, sent one at a time, and tried again for a day.
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Component, Health } from '../base/component.ts';
import { Fault, explain } from '../base/fault.ts';
import type { Logger } from '../base/logging.ts';
import type { StateStore } from '../drivers/sqlite/index.ts';
import type { SmtpConfig } from './config.ts';
import { MAIL_BUSY, MAIL_NOT_CONFIGURED, MAIL_NOT_FOUND } from './faults.ts';
import { writeAtomically } from './file-mail.ts';
import {
  cancelMail,
  claimDue,
  countMails,
  getMail,
  insertMail,
  listMails,
  mailBytes,
  mailId,
  nextDue,
  pruneMails,
  reclaim,
  requeue,
  settle,
  type Mail,
  type MailState,
} from './mail-store.ts';
import type { Message } from './message.ts';
import { SMTP_TIMEOUTS, deliver, type SmtpTimeouts } from './smtp.ts';
import { settledBy } from './settle.ts';

export interface OutboxOptions {
  readonly store: StateStore;
  /** Undefined: mails are written to files in `directory`. */
  readonly smtp: SmtpConfig | undefined;
  readonly directory: string;
  readonly log: Logger;
  readonly now: () => number;
  /** A number in [0, 1) per call. */
  readonly jitter?: () => number;
  readonly timeouts?: SmtpTimeouts;
}

export interface Enqueued {
  readonly id: string;
  readonly state: MailState;
  /** The same key was stored before; nothing was added. */
  readonly duplicate: boolean;
}

export interface Outbox extends Component {
  /** On disk when it resolves. `name` is the file's, where there is no relay. */
  enqueue(message: Message, about: { readonly reportId?: string; readonly name: string }): Promise<Enqueued>;
  list(limit: number, before?: { readonly at: number; readonly id: string }): Promise<readonly Mail[]>;
  get(id: string): Promise<Mail | undefined>;
  bytes(id: string): Promise<Buffer | undefined>;
  /** Queues a mail again with the same bytes: for those who did not get it, or for all when everyone did. */
  resend(id: string): Promise<Mail>;
  /** Stops a waiting mail. */
  cancel(id: string): Promise<Mail>;
  /** Sends what is due now, one after the other; what the component does by itself once started. */
  sendDue(): Promise<number>;
}

const LEASE_SPARE_MS = 60_000;
const LONGEST_SLEEP_MS = 10 * 60_000;
const KEEP_MS = 90 * 86_400_000;

/** Makes the outbox; nothing is sent before `start`. */
export function openOutbox(options: OutboxOptions): Outbox {
  const { store, smtp, log, now, timeouts = SMTP_TIMEOUTS, jitter = Math.random } = options;
  const owner = randomUUID();
  const stopping = new AbortController();
  let signal: AbortSignal = stopping.signal;
  let turn: Promise<unknown> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;
  let running = false;
  let trouble: Health | undefined;
  let counts: ReadonlyMap<MailState, number> = new Map();

  const attempt = async (relay: SmtpConfig, mail: Mail): Promise<void> => {
    const bytes = await mailBytes(store, mail.id);
    const waiting = mail.recipients.filter((r) => r.state === 'queued' || r.state === 'deferred').map((r) => r.address);
    if (bytes === undefined) return;
    const outcome = await deliver(relay, { from: mail.from, to: waiting }, bytes, signal, timeouts);
    const stopped = signal.aborted && outcome.kind === 'unreachable';
    const settled = settledBy(outcome, mail, { owner, now: now(), jitter: jitter(), stopped });
    await settle(store, settled);
    if (stopped) return;
    const fields = { mail: mail.id, messageId: mail.messageId, attempts: mail.attempts, reply: settled.reply };
    if (settled.state === 'sent') log.info(fields, 'mail sent');
    else log.warn({ ...fields, state: settled.state, setting: outcome.setting }, 'mail not sent');
    trouble = settled.state === 'sent' ? undefined : troubleOf(settled.reply, outcome.setting);
  };

  const sendAll = async (): Promise<number> => {
    if (smtp === undefined) return 0;
    await reclaim(store, now());
    for (let sent = 0; ; sent += 1) {
      if (signal.aborted) return sent;
      const mail = await claimDue(store, owner, now(), now() + timeouts.session + LEASE_SPARE_MS);
      if (mail === undefined) return sent;
      await attempt(smtp, mail);
    }
  };

  const sendDue = (): Promise<number> => {
    const next = turn.then(sendAll);
    turn = next.catch(() => undefined);
    return next;
  };

  const wake = async (): Promise<void> => {
    clearTimeout(timer);
    if (!running || signal.aborted) return;
    try {
      await sendDue();
      counts = await countMails(store);
    } catch (error) {
      trouble = { state: 'failing', reason: explain(error) };
      log.error({ err: error }, 'outbox failed');
    }
    const due = await nextDue(store).catch(() => undefined);
    if (!running || signal.aborted) return;
    clearTimeout(timer);
    const wait = due === undefined ? LONGEST_SLEEP_MS : due - now();
    timer = setTimeout(() => void wake(), Math.max(1000, Math.min(LONGEST_SLEEP_MS, wait)));
    timer.unref();
  };

  const known = async (id: string): Promise<Mail> => {
    const mail = await getMail(store, id);
    if (mail === undefined) throw new Fault(MAIL_NOT_FOUND, `there is no mail ${id}`);
    return mail;
  };

  return {
    name: 'outbox',
    async start(outer) {
      signal = AbortSignal.any([outer, stopping.signal]);
      await pruneMails(store, now() - KEEP_MS);
      counts = await countMails(store);
      running = true;
      void wake();
    },
    async stop() {
      running = false;
      clearTimeout(timer);
      stopping.abort();
      await turn;
    },
    health: () => trouble ?? healthOf(smtp, counts),
    async enqueue(message, { reportId, name }) {
      const id = mailId(message.dedupeKey);
      const before = await getMail(store, id);
      if (before !== undefined) return { id, state: before.state, duplicate: true };
      const state = smtp === undefined ? 'filed' : 'queued';
      const file = smtp === undefined ? join(options.directory, `${fileName(name)}.eml`) : undefined;
      if (file !== undefined) await writeAtomically(file, message.bytes);
      const added = await insertMail(store, {
        message,
        reportId,
        state,
        now: now(),
        ...(file === undefined ? {} : { file }),
      });
      void wake();
      return { id, state, duplicate: !added };
    },
    list: (limit, before) => listMails(store, limit, before),
    get: (id) => getMail(store, id),
    bytes: (id) => mailBytes(store, id),
    async resend(id) {
      if (smtp === undefined) throw new Fault(MAIL_NOT_CONFIGURED, 'there is no relay to send mails through');
      const mail = await known(id);
      if (mail.state === 'sending') throw new Fault(MAIL_BUSY, `the mail ${id} is being sent`);
      await requeue(
        store,
        id,
        mail.recipients.every((r) => r.state === 'sent'),
        now(),
      );
      void wake();
      return known(id);
    },
    async cancel(id) {
      const mail = await known(id);
      if (mail.state === 'sending') throw new Fault(MAIL_BUSY, `the mail ${id} is being sent`);
      await cancelMail(store, id, now());
      return known(id);
    },
    sendDue,
  };
}

const fileName = (name: string): string =>
  name.replaceAll(/[^A-Za-z0-9._-]+/g, '-').replaceAll(/^[.-]+/g, '') || 'mail';

const troubleOf = (reply: string, setting: string | undefined): Health => ({
  state: 'failing',
  reason: `the last mail was not sent: ${reply}`,
  costs: 'reports wait in the outbox; they are kept and tried again for 24 h',
  remedy: `run \`jdos mail test\`${setting === undefined ? '' : ` and look at ${setting} in the configuration`}`,
});

function healthOf(smtp: SmtpConfig | undefined, counts: ReadonlyMap<MailState, number>): Health {
  const summary = [...counts].map(([state, n]) => `${n} ${state}`).join(', ') || 'empty';
  if (smtp !== undefined) return { state: 'available', summary };
  return {
    state: 'limited',
    reason: 'no SMTP relay is configured',
    costs: 'reports are written to files and nobody gets a mail',
    remedy: 'set report.smtp.host and report.to',
    summary,
  };
}
