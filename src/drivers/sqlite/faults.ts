// SQLite's result codes as faults with a remedy.
import { Fault, faultKind } from '../../base/fault.ts';
import { NEWER_SCHEMA, type StoreProblem } from './messages.ts';

export const STORE_CLOSED = faultKind(
  'JD_STORE_CLOSED',
  503,
  'see the log for what closed the store; it is opened again by a restart of the daemon',
);
export const STORE_FULL = faultKind(
  'JD_DISK_FULL',
  507,
  'free space on the file system of the data directory, or move it with --data-dir; nothing that was acknowledged is lost',
);
export const STORE_DAMAGED = faultKind(
  'JD_STORE_DAMAGED',
  500,
  'stop the daemon, move the database file aside (keep it), and restore a backup or let the daemon begin a new one',
);
const STORE_NEWER = faultKind(
  'JD_STORE_NEWER',
  500,
  'run the version of jdos that wrote this data directory, or a newer one',
);
const STORE_UNREADABLE = faultKind(
  'JD_STORE_UNREADABLE',
  500,
  'give the user of the daemon read and write access to the data directory and its files',
);
const STORE_FAILED = faultKind(
  'JD_STORE_FAILED',
  500,
  'look at the message of SQLite; a restart of the daemon opens the store again',
);

const SQLITE = { perm: 3, busy: 5, readonly: 8, ioerr: 10, corrupt: 11, full: 13, cantopen: 14, notadb: 26 } as const;

/** The fault for a problem of the store in `file`. */
export function storeFault(file: string, { code, message }: StoreProblem): Fault {
  switch (code) {
    case SQLITE.full:
      return new Fault(STORE_FULL, `no space left for the store ${file}: ${message}`);
    case SQLITE.corrupt:
    case SQLITE.notadb:
      return new Fault(STORE_DAMAGED, `the store ${file} is damaged: ${message}`);
    case SQLITE.perm:
    case SQLITE.readonly:
    case SQLITE.cantopen:
      return new Fault(STORE_UNREADABLE, `the store ${file} cannot be opened: ${message}`);
    case NEWER_SCHEMA:
      return new Fault(STORE_NEWER, `the store ${file} was written by a newer version: ${message}`);
    default:
      return new Fault(STORE_FAILED, `the store ${file} refused: ${message}`);
  }
}
