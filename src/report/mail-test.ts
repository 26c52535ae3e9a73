// `jdos mail test`: one short mail through the configured relay, and everything an operator wants to know about it.
import { randomUUID } from 'node:crypto';
import type { SmtpConfig } from './config.ts';
import { buildMessage } from './message.ts';
import type { OutcomeKind, RecipientOutcome, TlsFacts } from './outcome.ts';
import { deliver, portOf, type SmtpTimeouts } from './smtp.ts';

interface MailTestOptions {
  readonly smtp: SmtpConfig;
  readonly from: string;
  readonly host: string;
  readonly to: readonly string[];
  readonly now: Date;
  readonly signal: AbortSignal;
  readonly timeouts?: SmtpTimeouts;
}

interface MailTestResult {
  readonly ok: boolean;
  readonly kind: OutcomeKind;
  readonly relay: string;
  readonly messageId: string;
  readonly reply: string;
  readonly recipients: readonly RecipientOutcome[];
  /** Undefined: the session was not encrypted. */
  readonly tls: TlsFacts | undefined;
  readonly dialogue: readonly string[];
  /** The configuration key to change, when it failed. */
  readonly setting: string | undefined;
}

/** Sends the test mail past the outbox, once. Rejects only when an address cannot stand in a header. */
export async function mailTest(options: MailTestOptions): Promise<MailTestResult> {
  const { smtp, from, host, to, now } = options;
  const message = await buildMessage({
    dedupeKey: `test|${host}|${randomUUID()}`,
    host,
    day: now.toISOString().slice(0, 10),
    date: now,
    from,
    to,
    subject: `JDOS mail test ${host}`,
    text: `This mail shows that jdos on ${host} can send its health reports to this address.\n`,
  });
  const outcome = await deliver(smtp, { from, to }, message.bytes, options.signal, options.timeouts);
  return {
    ok: outcome.kind === 'sent',
    kind: outcome.kind,
    relay: `${smtp.host}:${portOf(smtp)}`,
    messageId: message.messageId,
    reply: outcome.reply,
    recipients: outcome.recipients,
    tls: outcome.tls,
    dialogue: outcome.dialogue,
    setting: outcome.setting,
  };
}
