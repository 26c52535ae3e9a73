// What the agent tells a process it starts, as one JSON line on its standard input; the open pipe is its life line.
import type { Config } from './config.ts';
import type { DataDir } from './data-dir.ts';
import type { LogLevel } from '../base/logging.ts';
import type { Quarantined } from './quarantine.ts';

interface CommonBoot {
  readonly version: string;
  readonly config: Config;
  readonly dir: DataDir;
  readonly logLevel: LogLevel;
}

export interface ProbeBoot extends CommonBoot {
  readonly quarantine: readonly Quarantined[];
  /** Unix milliseconds when a probe process ended for its memory last. */
  readonly memoryEndAt: number | undefined;
}

export interface ServeBoot extends CommonBoot {
  /** SHA-256 of the admin token; the token itself stays in its file. */
  readonly adminTokenHash: string;
  /** Whether the probe process runs as root. */
  readonly root: boolean;
  readonly templatesDir: string;
  /** Why this process runs as root where it should not, if it does. */
  readonly userNote: string | undefined;
}

const MAX_BOOT = 4 * 1024 * 1024;

/**
 * Reads the boot line. `onOrphaned` is called when the pipe ends: the agent is gone, and so must this process be.
 * Rejects when no line comes.
 */
export function readBoot<B>(input: NodeJS.ReadableStream, onOrphaned: () => void): Promise<B> {
  return new Promise((resolve, reject) => {
    let text = '';
    let done = false;
    input.setEncoding('utf8');
    input.on('data', (chunk: string) => {
      if (done) return;
      text += chunk;
      const end = text.indexOf('\n');
      if (end === -1 && text.length < MAX_BOOT) return;
      done = true;
      try {
        resolve(JSON.parse(text.slice(0, end)) as B);
      } catch (cause) {
        reject(new Error('the boot line is not JSON', { cause }));
      }
    });
    input.on('end', () => {
      if (done) onOrphaned();
      else
        reject(new Error('standard input ended before the boot line: this process is started by `jdos daemon` only'));
    });
  });
}
