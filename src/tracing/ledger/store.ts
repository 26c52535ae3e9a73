// The ledger on disk: one SQLite file per day with a thread of its own, readers beside the writer, retention by whole files.
import { mkdir } from 'node:fs/promises';
import { openStateStore, type StateStore } from '../../drivers/sqlite/index.ts';
import {
  type Bounds,
  type Day,
  dayFile,
  dayOf,
  daysToDelete,
  deleteDay,
  listDays,
  nextDay,
  oldestKept,
} from './days.ts';
import type { Facts } from './facts.ts';
import { messageTime } from './message-id.ts';
import type { Watermark } from './recorder.ts';
import { storesByDay } from './stores.ts';
import { ledgerMigrations, markOf, upsert, upsertMark } from './table.ts';

export interface LedgerStore extends AsyncDisposable {
  /**
   * Folds reports and watermarks into the files of their days, one transaction per file.
   * Resolves with how many reports belonged to no day that is kept. Rejects when a file refused.
   */
  write(reports: readonly Facts[], marks: readonly Watermark[]): Promise<number>;
  /** The days there are, newest first. */
  days(): Promise<readonly Day[]>;
  /** Reads a day beside its writer; undefined where there is no such day. */
  read<T>(day: Day, work: (store: StateStore) => Promise<T>): Promise<T | undefined>;
  /** The watermarks that say something about a day: its own and those of the day after. */
  marks(day: Day): Promise<readonly Watermark[]>;
  /** Deletes what is beyond the bounds, oldest first; resolves with the bytes that are left. */
  retain(): Promise<number>;
}

interface LedgerStoreOptions extends Bounds {
  readonly dir: string;
  /** Unix milliseconds. */
  readonly now: () => number;
}

const WRITER_IDLE_MS = 600_000;
const READER_IDLE_MS = 30_000;
/** A power cut loses at most what came within this time: a checkpoint brings it to the disk (docs/messages.md). */
const CHECKPOINT_MS = 30_000;
const DAY_MS = 86_400_000;

/** Makes the directory and opens today's file. Rejects with a Fault when that cannot be. */
export async function openLedgerStore({ dir, now, ...bounds }: LedgerStoreOptions): Promise<LedgerStore> {
  await mkdir(dir, { recursive: true, mode: 0o750 });
  const known = new Set((await listDays(dir)).map(({ day }) => day));
  const checkpoints = new Map<Day, NodeJS.Timeout>();
  const writers = storesByDay(async (day) => {
    const store = await openStateStore(dayFile(dir, day), [ledgerMigrations], { synchronous: 'NORMAL' });
    known.add(day);
    return store;
  }, WRITER_IDLE_MS);
  const readers = storesByDay((day) => openStateStore(dayFile(dir, day), [], { readOnly: true }), READER_IDLE_MS);

  const checkpoint = (day: Day): void => {
    if (checkpoints.has(day)) return;
    const bring = (): void => {
      checkpoints.delete(day);
      // A disk that refuses says so at the next commit.
      void writers.use(day, (store) => store.all('PRAGMA wal_checkpoint(PASSIVE)')).catch(() => undefined);
    };
    checkpoints.set(day, setTimeout(bring, CHECKPOINT_MS).unref());
  };

  const read: LedgerStore['read'] = async (day, work) => (known.has(day) ? readers.use(day, work) : undefined);
  const readMarks = async (day: Day): Promise<readonly Watermark[]> =>
    ((await read(day, (store) => store.all('SELECT * FROM watermark'))) ?? []).map(markOf);

  await writers.use(dayOf(now()), () => Promise.resolve());
  return {
    async write(reports, marks) {
      const today = dayOf(now());
      const [first, last] = [oldestKept(now(), bounds), dayOf(now() + DAY_MS)];
      const byDay = new Map<Day, Facts[]>(marks.length === 0 ? [] : [[today, []]]);
      let refused = 0;
      for (const report of reports) {
        const day = dayOf(messageTime(report.id));
        if (day < first || day > last) refused += 1;
        else if (byDay.get(day)?.push(report) === undefined) byDay.set(day, [report]);
      }
      for (const [day, rows] of byDay) {
        const statements = [...rows.map(upsert), ...(day === today ? marks.map(upsertMark) : [])];
        await writers.use(day, (store) => store.write(...statements));
        checkpoint(day);
      }
      return refused;
    },
    days: () => Promise.resolve([...known].sort().reverse()),
    read,
    marks: async (day) => [...(await readMarks(day)), ...(await readMarks(nextDay(day)))],
    async retain() {
      const files = await listDays(dir);
      const doomed = new Set(daysToDelete(files, now(), bounds));
      for (const day of doomed) {
        known.delete(day);
        clearTimeout(checkpoints.get(day));
        checkpoints.delete(day);
        await Promise.all([readers.close(day), writers.close(day)]);
        await deleteDay(dir, day);
      }
      return files.reduce((sum, { day, bytes }) => (doomed.has(day) ? sum : sum + bytes), 0);
    },
    async [Symbol.asyncDispose]() {
      for (const timer of checkpoints.values()) clearTimeout(timer);
      await readers[Symbol.asyncDispose]();
      await writers[Symbol.asyncDispose]();
    },
  };
}
