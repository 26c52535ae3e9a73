// SQLite: stores in threads of their own, and the lock on a data directory.
export { takeLock } from './lock.ts';
export { openStateStore } from './open.ts';
export type { Migrations, Row, SqlValue, StateStore, Statement } from './state-store.ts';
