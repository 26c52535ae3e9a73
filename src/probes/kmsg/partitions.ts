// The files of events: one for every eight days, each opened while it is used, damaged ones set aside, old ones deleted.
import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault, systemCode } from '../../base/fault.ts';
import {
  askDiskState,
  deletePartition,
  listPartitions,
  openStateStore,
  partitionName,
  STORE_DAMAGED,
  STORE_FULL,
  type Migrations,
  type StateStore,
} from '../../drivers/sqlite/index.ts';

const NAME = 'kernel';
const DAY_MS = 86_400_000;
const SPAN_MS = 8 * DAY_MS;
const IDLE_MS = 30_000;

const MIGRATIONS: Migrations = {
  part: 'kernel',
  statements: [
    `CREATE TABLE event (
      at INTEGER NOT NULL, bootId TEXT NOT NULL, seq INTEGER NOT NULL, reason TEXT NOT NULL, data TEXT NOT NULL,
      PRIMARY KEY (at, bootId, seq, reason)
    ) STRICT, WITHOUT ROWID`,
    'CREATE INDEX event_reason ON event (reason, at)',
    'CREATE TABLE state (id INTEGER PRIMARY KEY CHECK (id = 1), data TEXT NOT NULL) STRICT',
  ],
};

interface File {
  readonly begins: number;
  readonly bytes: number;
}

/** The files to delete: those that end before `oldest`, then the oldest until the rest is within its bytes; never the newest. */
function planFiles<F extends File>(files: readonly F[], oldest: number, maxBytes: number): readonly F[] {
  const sorted = files.toSorted((a, b) => a.begins - b.begins);
  const newest = sorted.at(-1);
  let total = sorted.reduce((sum, { bytes }) => sum + bytes, 0);
  return sorted.filter((file) => {
    if (file === newest || (file.begins + SPAN_MS > oldest && total <= maxBytes)) return false;
    total -= file.bytes;
    return true;
  });
}

export interface Partitions {
  /** Works on the file that holds a time; made where it is not there. */
  write<T>(at: number, work: (store: StateStore) => Promise<T>): Promise<T>;
  /** The beginnings of the files with a part of this time, newest first. */
  within(from: number, to: number): readonly number[];
  /** Works on a file that is there; undefined when it is damaged, and set aside, or gone. */
  read<T>(begins: number, work: (store: StateStore) => Promise<T>): Promise<T | undefined>;
  /** Deletes what is too old or too much. Resolves with the bytes that are left. */
  retain(now: number): Promise<number>;
  close(): Promise<void>;
}

interface PartitionsOptions {
  readonly dir: string;
  readonly days: number;
  readonly maxBytes: number;
  readonly onDamaged: (file: string, fault: Fault) => void;
}

interface Held {
  readonly store: Promise<StateStore>;
  users: number;
  timer: NodeJS.Timeout | undefined;
}

/** Where the file begins that holds a time. */
export const startOf = (at: number): number => Math.floor(at / SPAN_MS) * SPAN_MS;

/** Makes the directory. Rejects with the system error where it cannot be used. */
export async function openPartitions({ dir, days, maxBytes, onDamaged }: PartitionsOptions): Promise<Partitions> {
  await mkdir(dir, { recursive: true, mode: 0o750 });
  const known = new Set(listPartitions(dir, NAME).map(({ begins }) => begins));
  const held = new Map<number, Held>();
  const fileOf = (begins: number): string => join(dir, partitionName(NAME, begins));

  const release = async (begins: number): Promise<void> => {
    const one = held.get(begins);
    held.delete(begins);
    clearTimeout(one?.timer);
    const store = await one?.store.catch(() => undefined);
    await store?.[Symbol.asyncDispose]();
  };
  const use = async <T>(begins: number, work: (store: StateStore) => Promise<T>): Promise<T> => {
    let one = held.get(begins);
    if (one === undefined) {
      one = { store: openStateStore(fileOf(begins), [MIGRATIONS]), users: 0, timer: undefined };
      held.set(begins, one);
    }
    clearTimeout(one.timer);
    one.users += 1;
    try {
      const done = await work(await one.store);
      known.add(begins);
      return done;
    } catch (error) {
      if (one.users === 1) await release(begins);
      if (error instanceof Fault && error.code === STORE_DAMAGED.code) await setAside(begins, error);
      throw error;
    } finally {
      one.users -= 1;
      if (one.users === 0 && held.get(begins) === one)
        one.timer = setTimeout(() => void release(begins), IDLE_MS).unref();
    }
  };
  /** Its name no longer makes it a partition; it is kept for whoever wants to repair it. */
  const setAside = async (begins: number, fault: Fault): Promise<void> => {
    await release(begins);
    known.delete(begins);
    for (const suffix of ['', '-wal', '-shm'])
      await rename(fileOf(begins) + suffix, `${fileOf(begins)}.damaged${suffix}`).catch(ignoreAbsent);
    onDamaged(fileOf(begins), fault);
  };

  return {
    async write(at, work) {
      const { full, usedRatio } = await askDiskState(dir);
      if (full) throw new Fault(STORE_FULL, `the file system of ${dir} is ${Math.round(usedRatio * 100)} % full`);
      return use(startOf(at), work);
    },
    within: (from, to) => [...known].filter((begins) => begins < to && begins + SPAN_MS > from).sort((a, b) => b - a),
    read: (begins, work) =>
      use(begins, work).catch((error: unknown) => {
        if (error instanceof Fault && error.code === STORE_DAMAGED.code) return undefined;
        throw error;
      }),
    async retain(now) {
      const files = listPartitions(dir, NAME);
      const going = planFiles(files, now - days * DAY_MS, maxBytes);
      for (const { begins, file } of going) {
        known.delete(begins);
        await release(begins);
        deletePartition(file);
      }
      return files.reduce((sum, one) => (going.includes(one) ? sum : sum + one.bytes), 0);
    },
    async close() {
      for (const begins of [...held.keys()]) await release(begins);
    },
  };
}

function ignoreAbsent(error: unknown): void {
  if (systemCode(error) !== 'ENOENT') throw error;
}
