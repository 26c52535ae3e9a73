// A relay for tests, in this process: it keeps what it takes and can be told to misbehave at any step.
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import type { Test } from 'tap';
import type { SmtpConfig } from '../../src/report/config.ts';
import { SmtpConfig as SmtpSchema } from '../../src/report/config.ts';

export interface Taken {
  readonly from: string;
  readonly to: readonly string[];
  readonly bytes: Buffer;
}

export interface Relay {
  readonly config: SmtpConfig;
  readonly taken: Taken[];
}

/** What a relay answers in place of taking the message. */
export const reply = (code: number, text: string): Error => Object.assign(new Error(text), { responseCode: code });

type Options = Omit<SMTPServerOptions, 'onData'> & {
  /** Called with each whole message; an error is the answer. */
  readonly onMessage?: (taken: Taken, attempt: number) => Error | undefined;
  /** Absent: one of the kernel's choosing. */
  readonly port?: number;
};

/** Starts a relay on 127.0.0.1; it ends with the test. */
export async function startRelay(
  t: Test,
  { onMessage, port: wanted = 0, ...options }: Options = {},
  smtp: Partial<SmtpConfig> = {},
): Promise<Relay> {
  const taken: Taken[] = [];
  let attempts = 0;
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: options.key === undefined ? ['STARTTLS'] : [],
    ...options,
    onData(stream, session, callback) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope;
        const from = mailFrom === false ? '' : mailFrom.address;
        const message = { from, to: rcptTo.map((r) => r.address), bytes: Buffer.concat(chunks) };
        attempts += 1;
        const error = onMessage?.(message, attempts);
        if (error === undefined) taken.push(message);
        callback(error ?? null);
      });
    },
  });
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => server.listen(wanted, '127.0.0.1', resolve));
  t.teardown(() => new Promise<void>((resolve) => server.close(() => resolve())));
  const { port } = server.server.address() as AddressInfo;
  return { config: SmtpSchema.parse({ host: '127.0.0.1', port, ...smtp }), taken };
}

/** A relay that speaks by a script of its own: `onLine` gets each line and the bytes so far. */
export async function startRawRelay(t: Test, onLine: (line: string, socket: Socket) => void): Promise<SmtpConfig> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.write('220 test ESMTP\r\n');
    let rest = '';
    socket.on('data', (chunk) => {
      const lines = (rest + chunk.toString()).split('\r\n');
      rest = lines.pop() ?? '';
      for (const line of lines) onLine(line, socket);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  });
  const { port } = server.address() as AddressInfo;
  return SmtpSchema.parse({ host: '127.0.0.1', port });
}
