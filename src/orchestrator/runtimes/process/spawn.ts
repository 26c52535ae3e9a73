// Starts the stub that becomes the workload, and waits until it has or cannot.
import { type ChildProcess, spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { Fault } from '../../../base/fault.ts';
import { siblingModule } from '../../../base/sibling-module.ts';
import { CONTAINER_START_FAILED } from '../faults.ts';

const STUB = siblingModule(import.meta.url, 'start-stub');
const DEADLINE_MS = 60_000;
const MAX_WARNINGS_CHARS = 16_384;

interface Spawned {
  readonly child: ChildProcess;
  /** Resolves with the stub's warnings when it has called execve or ended. */
  readonly settled: Promise<readonly string[]>;
}

/**
 * Output goes to a file and never to a pipe, input comes from nowhere, and nothing of the daemon's environment is
 * handed on: the workload must not notice that the daemon is gone.
 */
export async function spawnStub(directory: string): Promise<Spawned> {
  const log = await open(join(directory, 'log'), 'a', 0o640);
  let child: ChildProcess;
  try {
    child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', STUB, directory], {
      detached: true,
      cwd: '/',
      env: {},
      stdio: ['ignore', log.fd, log.fd, 'pipe'],
    });
  } finally {
    await log.close();
  }
  child.unref();
  return { child, settled: settle(child, child.stdio[3] as Readable) };
}

function settle(child: ChildProcess, pipe: Readable): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    let text = '';
    const fail = (cause: string, error?: unknown): void => {
      clearTimeout(timer);
      reject(new Fault(CONTAINER_START_FAILED, `the start stub ${cause}`, { cause: error }));
    };
    const timer = setTimeout(() => {
      pipe.destroy();
      fail(`did not become the workload within ${DEADLINE_MS / 1000} s; it is killed`);
      child.kill('SIGKILL');
    }, DEADLINE_MS);
    child.once('error', (error) => fail('could not be spawned', error));
    pipe.on('data', (chunk: Buffer) => {
      if (text.length < MAX_WARNINGS_CHARS) text += chunk.toString();
    });
    pipe.on('error', () => undefined);
    pipe.once('close', () => {
      clearTimeout(timer);
      resolve(warningsIn(text));
    });
  });
}

const warningsIn = (text: string): readonly string[] =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      try {
        return String(JSON.parse(line));
      } catch {
        return line;
      }
    });
