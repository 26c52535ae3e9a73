// One SMTP session (RFC 5321) for one message: connect, TLS, authenticate, send; what came of it, per recipient.
import { readFile } from 'node:fs/promises';
import { TLSSocket } from 'node:tls';
import type { NodemailerError } from 'nodemailer';
import SMTPConnection, { type SMTPConnectionSendInfo } from 'nodemailer/lib/smtp-connection';
import { isLoopback, type SmtpConfig } from './config.ts';
import { listenIn } from './dialogue.ts';
import { classify, type Outcome, type TlsFacts } from './outcome.ts';

/** Milliseconds. */
export interface SmtpTimeouts {
  readonly connect: number;
  readonly greeting: number;
  /** Without a byte. */
  readonly idle: number;
  /** For the whole session. */
  readonly session: number;
}
export const SMTP_TIMEOUTS: SmtpTimeouts = { connect: 10_000, greeting: 10_000, idle: 60_000, session: 180_000 };

interface Envelope {
  readonly from: string;
  readonly to: readonly string[];
}

/** The relay's port: 465 for TLS from the start, 587 with a user, else 25. */
export const portOf = (config: SmtpConfig): number =>
  config.port ?? (config.secure === 'implicit' ? 465 : config.user === undefined ? 25 : 587);

/** Opportunistic TLS without a password is not made safer by checking a certificate (RFC 7435); all else is. */
const verifies = ({ secure, user, ca }: SmtpConfig): boolean =>
  secure !== 'starttls' || user !== undefined || ca !== undefined;

/**
 * Hands one message to the relay. Never rejects: what went wrong is the outcome, with the whole dialogue, secrets
 * masked. Ends early with `unreachable` when `signal` aborts.
 */
export async function deliver(
  config: SmtpConfig,
  envelope: Envelope,
  bytes: Buffer,
  signal: AbortSignal,
  timeouts: SmtpTimeouts = SMTP_TIMEOUTS,
): Promise<Outcome> {
  const dialogue: string[] = [];
  const ends = AbortSignal.any([signal, AbortSignal.timeout(timeouts.session)]);
  let tls: TlsFacts | undefined;
  try {
    const connection = await connectionTo(config, timeouts, dialogue);
    const info = await converse(connection, config, envelope, bytes, ends, (facts) => (tls = facts));
    return classify(envelope.to, { info, dialogue, tls });
  } catch (error) {
    return classify(envelope.to, { error: error as NodemailerError, dialogue, tls });
  }
}

async function connectionTo(config: SmtpConfig, timeouts: SmtpTimeouts, dialogue: string[]): Promise<SMTPConnection> {
  const ca = config.ca === undefined ? undefined : await readSetting(config.ca, 'report.smtp.ca');
  const mustEncrypt =
    config.secure === 'require' ||
    (config.secure === 'starttls' && config.user !== undefined && !isLoopback(config.host));
  return new SMTPConnection({
    host: config.host,
    port: portOf(config),
    secure: config.secure === 'implicit',
    requireTLS: mustEncrypt,
    ignoreTLS: config.secure === 'none',
    connectionTimeout: timeouts.connect,
    greetingTimeout: timeouts.greeting,
    socketTimeout: timeouts.idle,
    socketCloseTimeout: 1000,
    maxResponseSize: 64 * 1024,
    transactionLog: true,
    logger: listenIn(dialogue),
    tls: {
      rejectUnauthorized: verifies(config),
      ...(ca === undefined ? {} : { ca }),
      ...(config.servername === undefined ? {} : { servername: config.servername }),
    },
  });
}

/** Reads a file that a setting names; the setting stands in the error. */
async function readSetting(file: string, setting: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw Object.assign(new Error(`${setting}: cannot read ${file}`, { cause }), { code: 'ECONFIG', setting });
  }
}

async function converse(
  connection: SMTPConnection,
  config: SmtpConfig,
  envelope: Envelope,
  bytes: Buffer,
  signal: AbortSignal,
  secured: (facts: TlsFacts) => void,
): Promise<SMTPConnectionSendInfo> {
  const broken = Promise.withResolvers<never>();
  const onAbort = (): void =>
    broken.reject(Object.assign(new Error('the session took too long or was stopped'), { code: 'ETIMEDOUT' }));
  connection.on('error', broken.reject);
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    await Promise.race([broken.promise, step((done) => connection.connect((error) => done(error ?? null)))]);
    if (connection._socket instanceof TLSSocket) secured(tlsFacts(connection._socket));
    if (config.user !== undefined && config.passwordFile !== undefined) {
      const pass = (await readSetting(config.passwordFile, 'report.smtp.passwordFile')).split('\n')[0]?.trimEnd() ?? '';
      const credentials = { user: config.user, pass };
      if (!connection.allowsAuth)
        throw Object.assign(new Error('the relay offers no authentication'), { code: 'EAUTH' });
      await Promise.race([broken.promise, step((done) => connection.login({ credentials }, done))]);
    }
    const { from, to } = envelope;
    return await Promise.race([
      broken.promise,
      step<SMTPConnectionSendInfo>((done) => connection.send({ from, to: [...to], size: bytes.length }, bytes, done)),
    ]);
  } finally {
    signal.removeEventListener('abort', onAbort);
    connection.quit();
    connection.close();
  }
}

const step = <T>(run: (done: (error: Error | null, value?: T) => void) => void): Promise<T> =>
  new Promise((resolve, reject) => run((error, value) => (error === null ? resolve(value as T) : reject(error))));

const tlsFacts = (socket: TLSSocket): TlsFacts => ({
  version: socket.getProtocol() ?? 'unknown',
  cipher: socket.getCipher().name,
  verified: socket.authorized,
});
