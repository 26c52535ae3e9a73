// Runs a command in a process of its own, with a deadline that also ends the commands it started.
import { spawn } from 'node:child_process';
import { Fault, faultKind } from '../../base/fault.ts';

export const INVENTORY_FAILED = faultKind(
  'JD_INVENTORY_FAILED',
  500,
  'look at which of lscpu, lsblk and dmidecode fails or hangs on this host; it is tried again within the hour',
);

const TIMEOUT_MS = 20_000;
const MOST_BYTES = 1024 * 1024;
const ENVIRONMENT = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' };

export interface ChildOptions {
  readonly args?: readonly string[];
  readonly timeoutMs?: number;
}

export type Outcome =
  | { readonly kind: 'ended'; readonly status: number; readonly output: string }
  | { readonly kind: 'not-started'; readonly cause: unknown }
  /** By its own doing, or because it was late or printed too much. `gone` resolves when it no longer is there. */
  | { readonly kind: 'killed'; readonly why: string; readonly gone: Promise<void> };

/**
 * Runs a command, without a shell, and resolves with what became of it. It leads a process group, which is killed whole at the
 * deadline: execFile() would end the command and leave what it waits for. Never rejects.
 */
export function runCommand(file: string, { args = [], timeoutMs = TIMEOUT_MS }: ChildOptions = {}): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = spawn(file, args, { detached: true, env: ENVIRONMENT, stdio: ['ignore', 'pipe', 'ignore'] });
    const gone = new Promise<void>((end) => child.once('exit', () => end()));
    const chunks: Buffer[] = [];
    let size = 0;
    const end = (outcome: Outcome): void => {
      clearTimeout(timer);
      resolve(outcome);
    };
    // Resolves at once and waits for no end: no signal reaches a command that hangs in the kernel.
    const kill = (why: string): void => {
      if (child.pid !== undefined) killGroup(child.pid);
      child.stdout.destroy();
      child.unref();
      end({ kind: 'killed', why, gone });
    };
    const timer = setTimeout(() => kill(`did not end within ${timeoutMs} ms`), timeoutMs);
    child.stdout.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > MOST_BYTES) kill(`printed more than ${MOST_BYTES} bytes`);
      else chunks.push(chunk);
    });
    child.once('error', (cause) => end({ kind: 'not-started', cause }));
    child.once('close', (status, signal) => {
      if (status === null) return end({ kind: 'killed', why: `ended with ${signal ?? 'a signal'}`, gone });
      end({ kind: 'ended', status, output: Buffer.concat(chunks).toString('utf8') });
    });
  });
}

/** Runs a script of ours on this Node and resolves with what it printed. Rejects with {@link INVENTORY_FAILED}. */
export async function runChild(script: string, { args = [], ...options }: ChildOptions = {}): Promise<string> {
  const outcome = await runCommand(process.execPath, { args: [script, ...args], ...options });
  switch (outcome.kind) {
    case 'ended':
      if (outcome.status === 0) return outcome.output;
      throw new Fault(INVENTORY_FAILED, `the inventory process ended with status ${outcome.status}`);
    case 'killed':
      throw new Fault(INVENTORY_FAILED, `the inventory process ${outcome.why}`);
    case 'not-started':
      throw new Fault(INVENTORY_FAILED, 'the inventory process could not be started', { cause: outcome.cause });
  }
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // ESRCH: the whole group has ended by itself
  }
}
