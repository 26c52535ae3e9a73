// A real mail server for tests: OpenSMTPD in a mount namespace of its own, delivering to maildirs in a directory.
import { spawn, type ChildProcess } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port.ts';

const SMTPD = '/usr/sbin/smtpd';

export interface OpenSmtpd {
  readonly port: number;
  /** The messages delivered to the local part of an address, waiting until `count` are there. */
  delivered(localPart: string, count: number): Promise<readonly Buffer[]>;
  log(): string;
  stop(): Promise<void>;
}

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('data', () => (socket.destroy(), resolve(true)));
    socket.once('error', () => resolve(false));
  });

/** Polls until the condition gives a value; rejects with the server's log after ten seconds. */
async function until<T>(what: string, log: () => string, ask: () => Promise<T | undefined>): Promise<T> {
  for (let tries = 0; tries < 200; tries += 1) {
    const found = await ask();
    if (found !== undefined) return found;
    await sleep(50);
  }
  throw new Error(`${what} did not happen; the log of smtpd:\n${log()}`);
}

/**
 * Starts the server on 127.0.0.1. Its spool and its control socket have fixed places, so it gets a /var/spool and a
 * /run of its own: nothing of the host's mail system is seen or touched.
 */
export async function startOpenSmtpd(): Promise<OpenSmtpd> {
  const directory = await mkdtemp(join(tmpdir(), 'jdos-smtpd-'));
  const port = await freePort();
  const mail = join(directory, 'mail');
  await mkdir(mail);
  await Promise.all([chmod(directory, 0o755), chmod(mail, 0o777)]);
  const config = join(directory, 'smtpd.conf');
  await writeFile(
    config,
    [
      'table recipients { "@" = "nobody" }',
      `listen on 127.0.0.1 port ${port}`,
      `action "local" maildir "${mail}/%{rcpt.user}" virtual <recipients>`,
      'match from any for any action "local"',
      '',
    ].join('\n'),
    { mode: 0o600 },
  );
  const prepare =
    'mount -t tmpfs none /var/spool && mkdir -m 711 /var/spool/smtpd && mount -t tmpfs none /run && exec "$0" -d -f "$1"';
  const child = spawn('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', prepare, SMTPD, config], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const log = (): string => output;
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));

  const stop = async (): Promise<void> => {
    if (running(child)) child.kill('SIGTERM');
    await exited;
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await until('the greeting', log, async () => {
      if (!running(child)) throw new Error(`smtpd ended at once:\n${output}`);
      return (await answers(port)) ? true : undefined;
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    port,
    log,
    stop,
    delivered: (localPart, count) =>
      until(`delivery to ${localPart}`, log, async () => {
        const inbox = join(mail, localPart, 'new');
        const names = await readdir(inbox).catch(() => []);
        if (names.length < count) return undefined;
        return Promise.all(names.sort().map((name) => readFile(join(inbox, name))));
      }),
  };
}

const running = (child: ChildProcess): boolean => child.exitCode === null && child.signalCode === null;
