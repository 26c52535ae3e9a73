// Runs a script of ours in a process of its own, with a deadline that also ends the commands it started.
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

/**
 * Runs a script on this Node and resolves with what it printed. It leads a process group, which is killed whole at the
 * deadline: execFile() would end the script and leave the command it waits for. Rejects with {@link INVENTORY_FAILED}.
 */
export function runChild(script: string, options: ChildOptions = {}): Promise<string> {
  const { args = [], timeoutMs = TIMEOUT_MS } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, ...args], {
      detached: true,
      env: ENVIRONMENT,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const chunks: Buffer[] = [];
    let size = 0;
    const fail = (why: string, cause?: unknown): void => {
      clearTimeout(timer);
      reject(new Fault(INVENTORY_FAILED, `the inventory process ${why}`, { cause }));
    };
    // Rejects at once and waits for no end: no signal reaches a command that hangs in the kernel.
    const kill = (why: string): void => {
      if (child.pid !== undefined) killGroup(child.pid);
      child.stdout.destroy();
      child.unref();
      fail(why);
    };
    const timer = setTimeout(() => kill(`did not end within ${timeoutMs} ms`), timeoutMs);
    child.stdout.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > MOST_BYTES) kill(`printed more than ${MOST_BYTES} bytes`);
      else chunks.push(chunk);
    });
    child.once('error', (cause) => fail('could not be started', cause));
    child.once('close', (code, signal) => {
      if (code !== 0) return fail(`ended with ${signal ?? `status ${code}`}`);
      clearTimeout(timer);
      resolve(Buffer.concat(chunks).toString('utf8'));
    });
  });
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // ESRCH: the whole group has ended by itself
  }
}
