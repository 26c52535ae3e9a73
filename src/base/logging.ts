// Logs: newline-delimited JSON on standard error, constant sentences with fields, secrets redacted.
import { pino, destination } from 'pino';

export type { Logger } from 'pino';
import type { Logger } from 'pino';

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Field names whose values never reach a log line, at the top and one level below. */
const SECRETS = ['password', 'pass', 'token', 'authorization', 'secret', 'cookie'];

/** The logger of one process. Writes synchronously, so that the last line before a crash is there. */
export function openLog(process: string, level: LogLevel): Logger {
  return pino(
    {
      level,
      base: { process, pid: globalThis.process.pid },
      redact: { paths: SECRETS.flatMap((name) => [name, `*.${name}`]), censor: '[redacted]' },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination({ fd: 2, sync: true }),
  );
}
