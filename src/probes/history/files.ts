// The files of history: three kinds of partitions, one of each open for writing, damaged ones set aside, old ones deleted.
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { explain } from '../../base/fault.ts';
import {
  deletePartition,
  fileBytes,
  listPartitions,
  openThreadDatabase,
  partitionName,
  type ThreadDatabase,
} from '../../drivers/sqlite/index.ts';
import { type Kept, planFiles, type RetentionLimits } from './retention.ts';

const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

/** What kinds of files there are: their tables, and how much time one spans. */
const KINDS = {
  /** Rollups of a minute: those of the hour under way a row per minute, those before a row per series and hour. */
  minutes: {
    spanMs: DAY_MS,
    schema: [
      'CREATE TABLE IF NOT EXISTS series (id INTEGER PRIMARY KEY, metric TEXT NOT NULL, name TEXT NOT NULL UNIQUE) STRICT',
      'CREATE TABLE IF NOT EXISTS minute (at INTEGER PRIMARY KEY, series BLOB NOT NULL, data BLOB NOT NULL) STRICT',
      `CREATE TABLE IF NOT EXISTS chunk (
        hour INTEGER NOT NULL, series INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY (hour, series)
      ) STRICT, WITHOUT ROWID`,
    ],
  },
  /** Rollups of a day. */
  days: {
    spanMs: 32 * DAY_MS,
    schema: [
      'CREATE TABLE IF NOT EXISTS series (id INTEGER PRIMARY KEY, metric TEXT NOT NULL, name TEXT NOT NULL UNIQUE) STRICT',
      'CREATE TABLE IF NOT EXISTS day (at INTEGER PRIMARY KEY, series BLOB NOT NULL, data BLOB NOT NULL) STRICT',
    ],
  },
  /** The processes of each collection, a row per minute. */
  processes: {
    spanMs: 3 * HOUR_MS,
    schema: [
      'CREATE TABLE IF NOT EXISTS block (at INTEGER PRIMARY KEY, until INTEGER NOT NULL, data BLOB NOT NULL) STRICT',
    ],
  },
} as const;
export type Kind = keyof typeof KINDS;
const kinds = Object.keys(KINDS) as Kind[];

export interface HistoryFiles {
  /** Runs one transaction on the file that holds a time; made where it is not there. Throws the errors of SQLite. */
  write(kind: Kind, at: number, work: (db: ThreadDatabase) => void): void;
  /** Runs `work` on each file with a part of this time, oldest first. One that is damaged is set aside. */
  read<T>(kind: Kind, from: number, to: number, work: (db: ThreadDatabase, begins: number) => T): readonly T[];
  /** Beginnings of the files of a kind, oldest first. */
  begins(kind: Kind): readonly number[];
  /** Deletes what is too old or too much; gives the number of files. */
  retain(limits: RetentionLimits, now: number): number;
  bytes(): number;
  close(): void;
}

const CORRUPT: ReadonlySet<number> = new Set([11, 26]);
const isDamage = (error: unknown): boolean =>
  CORRUPT.has(Number((error as { errcode?: unknown } | null)?.errcode ?? 0) & 0xff);

/** Opens the directory, which is made where it is not there. `onTrouble` is told of what had to be set aside. */
export function openFiles(dir: string, onTrouble: (message: string, cause: string) => void): HistoryFiles {
  mkdirSync(dir, { recursive: true, mode: 0o750 });
  const files: Kept[] = kinds.flatMap((kind) => listPartitions(dir, kind).map((file) => ({ ...file, kind })));
  const open = new Map<Kind, { readonly begins: number; readonly db: ThreadDatabase }>();

  const startOf = (kind: Kind, at: number): number =>
    at - (((at % KINDS[kind].spanMs) + KINDS[kind].spanMs) % KINDS[kind].spanMs);
  const closeKind = (kind: Kind): void => {
    const held = open.get(kind);
    open.delete(kind);
    held?.db[Symbol.dispose]();
  };
  /** Its name no longer makes it a partition; it is kept for whoever wants to repair it. */
  const setAside = (kind: Kind, begins: number, error: unknown): void => {
    if (open.get(kind)?.begins === begins) closeKind(kind);
    const at = files.findIndex((one) => one.kind === kind && one.begins === begins);
    const [gone] = at === -1 ? [] : files.splice(at, 1);
    if (gone === undefined) return;
    // With its journal: a new file of this name must not be taken for the one that the journal belongs to.
    for (const suffix of ['', '-journal']) {
      if (existsSync(gone.file + suffix)) renameSync(gone.file + suffix, `${gone.file}.damaged${suffix}`);
    }
    onTrouble(`the file ${gone.file} cannot be read and is set aside as ${gone.file}.damaged`, explain(error));
  };
  const openFile = (kind: Kind, file: string): ThreadDatabase => openThreadDatabase(file, KINDS[kind].schema);
  const writable = (kind: Kind, begins: number): ThreadDatabase => {
    const held = open.get(kind);
    if (held?.begins === begins) return held.db;
    closeKind(kind);
    const file = join(dir, partitionName(kind, begins));
    const db = openFile(kind, file);
    open.set(kind, { begins, db });
    if (!files.some((one) => one.kind === kind && one.begins === begins)) {
      files.push({ kind, file, begins, written: begins, bytes: 0 });
      files.sort((a, b) => a.begins - b.begins);
    }
    return db;
  };
  const measure = (): void => {
    for (const kind of open.keys()) {
      const begins = open.get(kind)?.begins;
      const kept = files.find((one) => one.kind === kind && one.begins === begins);
      if (kept !== undefined) kept.bytes = fileBytes(kept.file);
    }
  };

  return {
    write(kind, at, work) {
      const begins = startOf(kind, at);
      try {
        const db = writable(kind, begins);
        db.transaction(() => work(db));
        const kept = files.find((one) => one.kind === kind && one.begins === begins);
        if (kept !== undefined) kept.written = Math.max(kept.written, at);
      } catch (error) {
        if (isDamage(error)) setAside(kind, begins, error);
        throw error;
      }
    },
    read(kind, from, to, work) {
      const found = [];
      const wanted = files.filter(
        (one) => one.kind === kind && one.begins < to && one.begins + KINDS[kind].spanMs > from,
      );
      for (const { file, begins } of wanted) {
        const held = open.get(kind);
        try {
          if (held?.begins === begins) found.push(work(held.db, begins));
          else {
            using db = openFile(kind, file);
            found.push(work(db, begins));
          }
        } catch (error) {
          if (!isDamage(error)) throw error;
          setAside(kind, begins, error);
        }
      }
      return found;
    },
    begins: (kind) => files.filter((one) => one.kind === kind).map(({ begins }) => begins),
    retain(limits, now) {
      measure();
      const going = planFiles(files, limits, now);
      for (const one of going) {
        if (open.get(one.kind)?.begins === one.begins) closeKind(one.kind);
        deletePartition(one.file);
        files.splice(files.indexOf(one), 1);
      }
      return going.length;
    },
    bytes() {
      measure();
      return files.reduce((sum, { bytes }) => sum + bytes, 0);
    },
    close() {
      for (const kind of kinds) closeKind(kind);
    },
  };
}
