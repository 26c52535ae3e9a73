// From what the relay said to what the outbox does next. Pure.
import type { Mail, RecipientState, Settled } from './mail-store.ts';
import { nextAttempt } from './next-attempt.ts';
import type { Outcome, RecipientOutcome } from './outcome.ts';

interface Attempt {
  readonly owner: string;
  readonly now: number;
  readonly jitter: number;
  /** The daemon is being stopped: the attempt does not count and the mail stays queued. */
  readonly stopped: boolean;
}

/** Decides state, next time and recipients of a mail after an attempt. */
export function settledBy(outcome: Outcome, mail: Mail, { owner, now, jitter, stopped }: Attempt): Settled {
  const common = { id: mail.id, owner, now, code: outcome.code };
  if (stopped) {
    return { ...common, state: 'queued', nextAt: now, reply: 'stopped before the end', recipients: [], counts: false };
  }
  const retriable = outcome.recipients.find((r) => r.kind === 'deferred' || r.kind === 'unreachable');
  const next =
    retriable === undefined
      ? undefined
      : nextAttempt({
          kind: retriable.kind === 'deferred' ? 'deferred' : 'unreachable',
          attempts: mail.attempts,
          createdAt: mail.queuedAt,
          now,
          jitter,
        });
  const waits = next?.state === 'deferred';
  const recipients = outcome.recipients.map(({ address, kind, code, reply }) => ({
    address,
    code,
    reply,
    state: recipientState(kind, waits),
  }));
  const refusedBefore = mail.recipients.some((r) => r.state === 'failed');
  const failed = refusedBefore || recipients.some((r) => r.state === 'failed');
  const state = waits ? 'deferred' : failed ? 'failed' : 'sent';
  const reply = next?.state === 'failed' ? `given up after 24 h: ${outcome.reply}` : outcome.reply;
  return { ...common, state, nextAt: waits ? next.at : now, reply, recipients, counts: true };
}

const recipientState = (kind: RecipientOutcome['kind'], waits: boolean): RecipientState =>
  kind === 'sent' || kind === 'failed' ? kind : waits ? 'deferred' : 'failed';
