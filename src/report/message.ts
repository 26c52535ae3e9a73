// The bytes of a mail (RFC 5322, MIME), made once and kept: text and HTML side by side, the details attached.
import { createHash } from 'node:crypto';
import { createTransport, type Attachment } from 'nodemailer';
import { Fault } from '../base/fault.ts';
import { MAIL_HEADER } from './faults.ts';

const FROM_NAME = 'jdosinspector';

interface MessageParts {
  /** What makes the mail the only one of its kind, for example `daily|host|2026-11-23`. */
  readonly dedupeKey: string;
  readonly host: string;
  /** The reader's day, `2026-11-23`. */
  readonly day: string;
  readonly date: Date;
  readonly from: string;
  readonly replyTo?: string | undefined;
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
  readonly html?: string;
  readonly attachments?: readonly Attachment[];
  /** Identifies the report in `X-Jdos-Report`. */
  readonly reportId?: string;
}

export interface Message {
  readonly dedupeKey: string;
  readonly messageId: string;
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly bytes: Buffer;
}

const CONTROL = /\p{Cc}|\p{Zl}|\p{Zp}/u;

/** Refuses what could end a header line and begin another. */
function headerSafe(name: string, value: string): string {
  if (CONTROL.test(value)) throw new Fault(MAIL_HEADER, `${name} has a control character: ${JSON.stringify(value)}`);
  return value;
}

const label = (text: string): string =>
  text.replaceAll(/[^A-Za-z0-9.-]+/g, '-').replaceAll(/^[.-]+|[.-]+$/g, '') || 'host';

const domainOf = (address: string): string => label(address.slice(address.lastIndexOf('@') + 1));

/** `<insp.hb1-h031.20261123.0f3c9a…@example.com>`: the same for the same key, so that receivers see a repetition. */
export function messageIdOf(parts: Pick<MessageParts, 'dedupeKey' | 'host' | 'day' | 'from'>): string {
  const digest = createHash('sha256').update(parts.dedupeKey).digest('hex').slice(0, 16);
  return `<insp.${label(parts.host)}.${parts.day.replaceAll('-', '')}.${digest}@${domainOf(parts.from)}>`;
}

/** Builds a message. Rejects with a Fault when a header value has a line break or another control character. */
export async function buildMessage(parts: MessageParts): Promise<Message> {
  const messageId = messageIdOf(parts);
  const addresses = [parts.from, ...(parts.replyTo === undefined ? [] : [parts.replyTo]), ...parts.to];
  for (const address of addresses) headerSafe('an address', address);
  headerSafe('the subject', parts.subject);
  headerSafe('the host name', parts.host);
  const transport = createTransport({ streamTransport: true, buffer: true, newline: 'windows' });
  const { message } = await transport.sendMail({
    messageId,
    date: parts.date,
    from: { name: FROM_NAME, address: parts.from },
    to: [...parts.to],
    ...(parts.replyTo === undefined ? {} : { replyTo: parts.replyTo }),
    subject: parts.subject,
    text: parts.text,
    ...(parts.html === undefined ? {} : { html: parts.html }),
    attachments: [...(parts.attachments ?? [])],
    headers: {
      // RFC 3834 and Exchange: no vacation replies; RFC 2076: no bounces to people.
      'Auto-Submitted': 'auto-generated',
      'X-Auto-Response-Suppress': 'All',
      Precedence: 'bulk',
      'X-Jdos-Report': headerSafe('the report id', parts.reportId ?? parts.dedupeKey),
    },
    // With an `id` string nodemailer runs name and identifier together; url and comment come out as RFC 2919 wants.
    list: { id: { url: `inspection.jdos.${domainOf(parts.from)}`, comment: 'JDOS inspection' } },
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  if (!Buffer.isBuffer(message)) throw new TypeError('the stream transport gave no buffer');
  const { dedupeKey, from, to, subject } = parts;
  return { dedupeKey, messageId, from, to, subject, bytes: message };
}
