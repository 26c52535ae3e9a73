// What came of one SMTP session, from the replies: sent, later, never, or no usable session; and which setting to look at.
import type { NodemailerError } from 'nodemailer';
import type { SMTPConnectionSendInfo } from 'nodemailer/lib/smtp-connection';

/**
 * `sent`: the relay took it. `deferred`: later (4xx). `failed`: never (5xx).
 * `unreachable`: no session, no TLS, no login, or the connection was lost, even after the last byte.
 */
export type OutcomeKind = 'sent' | 'deferred' | 'failed' | 'unreachable';

export interface RecipientOutcome {
  readonly address: string;
  readonly kind: OutcomeKind;
  readonly code: number | undefined;
  readonly reply: string;
}

export interface TlsFacts {
  readonly version: string;
  readonly cipher: string;
  /** Whether the relay's certificate was signed by an authority we know, for the name we asked for. */
  readonly verified: boolean;
}

export interface Outcome {
  /** The worst that is left to do: any `unreachable` or `deferred` recipient, then `failed`, then `sent`. */
  readonly kind: OutcomeKind;
  readonly code: number | undefined;
  readonly reply: string;
  readonly recipients: readonly RecipientOutcome[];
  readonly dialogue: readonly string[];
  readonly tls: TlsFacts | undefined;
  /** The configuration key that most likely has to change. */
  readonly setting: string | undefined;
}

interface Session {
  readonly info?: SMTPConnectionSendInfo;
  readonly error?: NodemailerError & { readonly setting?: string };
  readonly dialogue: readonly string[];
  readonly tls: TlsFacts | undefined;
}

const REPLY_LIMIT = 500;
/** Commands whose reply is about the message; a 5xx to any other says that the session cannot go on, not that the mail is bad. */
const ABOUT_MESSAGE: readonly string[] = ['MAIL FROM', 'RCPT TO', 'DATA'];
/** Replies about the session and not about the message: authentication and encryption (RFC 4954, RFC 3207). */
const ABOUT_SESSION: readonly number[] = [421, 454, 503, 523, 524, 530, 534, 535, 538];

const oneLine = (text: string): string =>
  text
    .replaceAll(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .slice(0, REPLY_LIMIT);

/** Turns a finished or failed session into what is known of each recipient. Pure. */
export function classify(to: readonly string[], session: Session): Outcome {
  const { info, error, dialogue, tls } = session;
  const refused = new Map((info?.rejectedErrors ?? error?.rejectedErrors ?? []).map((e) => [e.recipient, e]));
  const recipients = to.map((address): RecipientOutcome => {
    const own = refused.get(address);
    if (own !== undefined) return { address, ...verdictOf(own) };
    if (info !== undefined)
      return { address, kind: 'sent', code: codeOf(info.response), reply: oneLine(info.response) };
    return { address, ...verdictOf(error ?? (new Error('no reply') as NodemailerError)) };
  });
  const first =
    (['unreachable', 'deferred', 'failed', 'sent'] as const)
      .map((kind) => recipients.find((r) => r.kind === kind))
      .find((r) => r !== undefined) ?? ({ kind: 'failed', code: undefined, reply: 'no recipients' } as const);
  const wrong = error ?? info?.rejectedErrors?.[0];
  const setting = wrong === undefined ? undefined : settingOf(wrong);
  return { kind: first.kind, code: first.code, reply: first.reply, recipients, dialogue, tls, setting };
}

const codeOf = (reply: string): number | undefined => Number(/^(\d{3})/.exec(reply)?.[1]) || undefined;

function verdictOf(error: NodemailerError): Omit<RecipientOutcome, 'address'> {
  const code = error.responseCode;
  const reply = oneLine(error.response ?? error.message);
  if (code === undefined) {
    // The relay's SIZE says that this message will never fit.
    const tooLarge = error.code === 'EMESSAGE' && error.command === 'MAIL FROM';
    return { kind: tooLarge ? 'failed' : 'unreachable', code, reply };
  }
  if (!ABOUT_MESSAGE.includes(error.command ?? '') || ABOUT_SESSION.includes(code))
    return { kind: 'unreachable', code, reply };
  return { kind: code >= 500 ? 'failed' : 'deferred', code, reply };
}

/** Where an operator should look first. */
function settingOf(error: NonNullable<Session['error']>): string | undefined {
  if (error.setting !== undefined) return error.setting;
  const code = error.responseCode ?? 0;
  if (code === 530 && /starttls|tls/i.test(error.response ?? '')) return 'report.smtp.secure';
  if (code === 530) return 'report.smtp.user';
  if (error.code === 'EAUTH' || [534, 535, 538].includes(code)) {
    return code === 535 ? 'report.smtp.passwordFile' : 'report.smtp.user';
  }
  if (error.code === 'EDNS') return 'report.smtp.host';
  if (isCertificateError(error)) return 'report.smtp.ca';
  if (error.code === 'ETLS') return 'report.smtp.secure';
  if (error.command === 'MAIL FROM') return 'report.from';
  if (error.command === 'RCPT TO') return 'report.to';
  if (error.originalCode === 'ECONNREFUSED' || error.timeoutType === 'GREETING_TIMEOUT') return 'report.smtp.port';
  if (error.code === 'ESOCKET' || error.code === 'ETIMEDOUT' || error.code === 'ECONNECTION') return 'report.smtp.host';
  return undefined;
}

const isCertificateError = (error: NodemailerError): boolean =>
  /certificate|altnames|CERT_|SELF_SIGNED/i.test(`${error.originalCode ?? ''} ${error.message}`);
