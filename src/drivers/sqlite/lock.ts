// A lock that dies with its holder: SQLite's exclusive file lock (fcntl), so that kill -9 leaves nothing to clean up.
import { DatabaseSync } from 'node:sqlite';

/**
 * Takes the lock in `file`, or returns undefined where another process holds it. Dispose to release.
 * Synchronous and instant: for the start of a process. Throws when the file cannot be made.
 */
export function takeLock(file: string): Disposable | undefined {
  const db = new DatabaseSync(file, { timeout: 0 });
  try {
    db.exec('PRAGMA journal_mode = DELETE; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (error) {
    db.close();
    const SQLITE_BUSY = 5;
    if ((Number((error as { errcode?: unknown }).errcode ?? 0) & 0xff) === SQLITE_BUSY) return undefined;
    throw error;
  }
  return { [Symbol.dispose]: () => db.close() };
}
