// A whole daemon for system tests: real processes, a private data directory, ports of the kernel's choosing.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Test } from 'tap';

const ROOT = join(import.meta.dirname, '..', '..');
export const JDOS = join(ROOT, 'jdos');

export interface RunningDaemon {
  readonly child: ChildProcess;
  readonly dataDir: string;
  /** What it printed so far. */
  out(): string;
  /** What it logged so far. */
  log(): string;
  /** Waits for a text in what it prints; rejects with everything it said. */
  until(pattern: RegExp, deadlineMs?: number): Promise<string>;
  /** Base URL of the loopback listener. */
  url(): string;
  /** Base URL of the HTTPS listener. */
  tlsUrl(): string;
  readonly token: string;
  /** GET from the Unix socket (as admin), JSON parsed. */
  get(path: string): Promise<unknown>;
  /** Runs a command of the CLI against it. */
  cli(...args: readonly string[]): Promise<CliResult>;
  /** Pids of its processes by name, as the agent tells them. */
  pids(): Promise<Readonly<Record<string, number>>>;
  /** SIGKILL to every process at once, the supervisor first; resolves when that is gone. */
  killAll(): Promise<void>;
  /** Milliseconds from the signal to the exit. */
  stop(
    signal?: NodeJS.Signals,
  ): Promise<{ readonly code: number | null; readonly signal: string | null; readonly tookMs: number }>;
}

export interface CliResult {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface DaemonOptions {
  /** Text of the configuration file. */
  readonly config?: string;
  readonly dataDir?: string;
  readonly args?: readonly string[];
  readonly listen?: string;
  readonly listenTls?: string;
  /** A command that runs the daemon as its only child, such as `unshare --fork`. */
  readonly wrap?: readonly string[];
}

/** A directory that is removed after the test; short, because socket paths are. */
export function privateDirectory(t: Pick<Test, 'teardown'>): string {
  const dir = mkdtempSync(join(tmpdir(), 'jd-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** Runs `jdos ARGS`; never rejects. */
export const runJdos = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<CliResult> =>
  new Promise((resolve) => {
    execFile(
      JDOS,
      [...args],
      { env: { ...process.env, ...env }, timeout: 60_000, maxBuffer: 16 * 1024 * 1024 },
      (error, out, err) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
        resolve({ code, out, err });
      },
    );
  });

/** Starts a daemon; it is stopped, at the latest killed, after the test. */
export function startDaemon(t: Test, options: DaemonOptions = {}): RunningDaemon {
  const dataDir = options.dataDir ?? privateDirectory(t);
  const config = join(privateDirectory(t), 'jdos.yaml');
  writeFileSync(config, options.config ?? '');
  const args = ['daemon', '--config', config, '--data-dir', dataDir];
  args.push(
    '--listen',
    options.listen ?? '127.0.0.1:0',
    '--listen-tls',
    options.listenTls ?? '127.0.0.1:0',
    ...(options.args ?? []),
  );
  const [command = JDOS, ...rest] = [...(options.wrap ?? []), JDOS, ...args];
  const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
  const signalTo = (signal: NodeJS.Signals): void => {
    if (options.wrap === undefined) child.kill(signal);
    else for (const pid of childrenOf(child.pid ?? 0)) process.kill(pid, signal);
  };
  const said = { out: '', log: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said.out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said.log += text));
  const exited = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });

  const daemon: RunningDaemon = {
    child,
    dataDir,
    out: () => said.out,
    log: () => said.log,
    async until(pattern, deadlineMs = 30_000) {
      for (const end = Date.now() + deadlineMs; Date.now() < end; await sleep(50)) {
        const found = pattern.exec(said.out);
        if (found !== null) return found[1] ?? found[0];
        if (child.exitCode !== null) break;
      }
      throw new Error(`the daemon did not print ${String(pattern)}; it printed\n${said.out}\nand logged\n${said.log}`);
    },
    url: () => /listens +(http:\S+)/.exec(said.out)?.[1] ?? 'http://not-listening.invalid',
    tlsUrl: () => /listens +(https:\S+)/.exec(said.out)?.[1] ?? 'https://not-listening.invalid',
    get token() {
      return readFileSync(join(dataDir, 'admin.token'), 'utf8').trim();
    },
    get: (path) => getOverSocket(join(dataDir, 'run', 'jdos.sock'), path),
    cli: (...command) => runJdos([...command, '--data-dir', dataDir]),
    async pids() {
      const { processes } = (await daemon.get('/jdos/v1/status')) as { processes: { name: string; pid: number }[] };
      return Object.fromEntries(processes.map(({ name, pid }) => [name, pid]));
    },
    async killAll() {
      const others = childrenOf(child.pid ?? 0);
      const dead = daemon.stop('SIGKILL');
      for (const pid of others) process.kill(pid, 'SIGKILL');
      await dead;
    },
    async stop(signal = 'SIGTERM') {
      const began = performance.now();
      signalTo(signal);
      const ended = await exited;
      return { ...ended, tookMs: performance.now() - began };
    },
  };
  t.teardown(async () => {
    if (child.exitCode === null && child.signalCode === null) {
      signalTo('SIGTERM');
      const late = setTimeout(() => signalTo('SIGKILL'), 12_000);
      await exited;
      clearTimeout(late);
    }
  });
  return daemon;
}

const childrenOf = (pid: number): readonly number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);

function getOverSocket(socketPath: string, path: string): Promise<unknown> {
  const agent = new Agent({ keepAlive: false });
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, path, agent, timeout: 10_000 }, (reply) => {
      let text = '';
      reply.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      reply.on('end', () => {
        try {
          resolve(JSON.parse(text));
        } catch {
          reject(new Error(`${path} answered ${reply.statusCode}: ${text.slice(0, 500)}`));
        }
      });
    });
    sent.on('timeout', () => sent.destroy(new Error(`${path} did not answer`)));
    sent.on('error', reject).end();
  });
}

/** Waits until `ask` gives something; rejects with `what` after the deadline. */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T | undefined> | T | undefined,
  deadlineMs = 30_000,
): Promise<T> {
  let last: unknown;
  for (const end = Date.now() + deadlineMs; Date.now() < end; await sleep(100)) {
    try {
      const found = await ask();
      if (found !== undefined) return found;
    } catch (error) {
      last = error;
    }
  }
  throw new Error(`${what} did not happen within ${deadlineMs} ms: ${String(last)}`, { cause: last });
}
