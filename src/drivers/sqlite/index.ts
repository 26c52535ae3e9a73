// SQLite: stores in threads of their own, partitions and their retention, and the lock on a data directory.
export { askDiskState, diskState, type DiskState } from './budget.ts';
export { takeLock } from './lock.ts';
export { STORE_DAMAGED, STORE_FULL } from './faults.ts';
export { openStateStore } from './open.ts';
export { deletePartition, fileBytes, listPartitions, partitionName, planRetention } from './partitions.ts';
export type { Migrations, Row, SqlValue, StateStore, Statement } from './state-store.ts';
export { openThreadDatabase, type ThreadDatabase } from './thread-database.ts';
