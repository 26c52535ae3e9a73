// What the report's tests share: the built-in templates, a store in a directory, a clock that is set by hand.
import { join } from 'node:path';
import type { Test } from 'tap';
import { openLog } from '../../src/base/logging.ts';
import { openStateStore, type StateStore } from '../../src/drivers/sqlite/index.ts';
import { buildMessage, type Message } from '../../src/report/message.ts';
import { reportMigrations } from '../../src/report/migrations.ts';
import { MORNING } from './samples.ts';

export const TEMPLATES = join(import.meta.dirname, '..', '..', 'templates', 'report');
export const silent = openLog('test', 'silent');

/** The store in `directory`, closed with the test. */
export async function openStore(t: Test, directory: string): Promise<StateStore> {
  const store = await openStateStore(join(directory, 'state.db'), [reportMigrations]);
  t.teardown(() => store[Symbol.asyncDispose]());
  return store;
}

export interface Clock {
  now: () => number;
  advance: (minutes: number) => void;
}
export function openClock(at = MORNING): Clock {
  let current = at;
  return { now: () => current, advance: (minutes) => void (current += minutes * 60_000) };
}

export const sampleMessage = (
  over: { to?: readonly string[]; key?: string; subject?: string } = {},
): Promise<Message> =>
  buildMessage({
    dedupeKey: over.key ?? 'daily|hb1-h031|2026-11-23',
    host: 'hb1-h031',
    day: '2026-11-23',
    date: new Date(MORNING),
    from: 'jdosinspector@example.com',
    replyTo: 'ops@example.com',
    to: over.to ?? ['ops@example.com'],
    subject: over.subject ?? '✖1 hb1-h031 JDOS巡检邮件 11-23 58分(−29)',
    text: '磁盘将满\n.\nend\n',
    html: '<p>磁盘将满</p>',
    attachments: [{ filename: 'findings.csv', content: '\ufeffcode\r\n', contentType: 'text/csv; charset=utf-8' }],
  });
