// The processes of each collection for some hours: those of a minute in one row, what stays the same of each said once.
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { HistoryFiles } from './files.ts';

/** A process as the collector describes it; only what changes is known here by name. */
export type ProcessFacts = Readonly<Record<string, unknown>>;

/** The details of one collection: those that use most, and whatever else the collector tells. */
export interface Snapshot {
  /** Unix milliseconds. */
  readonly at: number;
  readonly processes: readonly ProcessFacts[];
  readonly rest: Readonly<Record<string, unknown>>;
}

/** What of a process changes from one collection to the next. Digits behind the point where they are fractions. */
const CHANGING: Readonly<Record<string, number>> = {
  state: 0,
  cpuRatio: 4,
  cpuSeconds: 2,
  rssBytes: 0,
  fds: 0,
  threads: 0,
};
const NAMES = Object.keys(CHANGING);
const LEVEL = { params: { [constants.ZSTD_c_compressionLevel]: 6 } };
const MOST_BYTES = 64 * 1024 * 1024;

interface Block {
  readonly same: readonly ProcessFacts[];
  readonly snapshots: readonly {
    readonly at: number;
    /** Indices into `same`. */
    readonly of: readonly number[];
    readonly columns: Readonly<Record<string, readonly unknown[]>>;
    readonly rest: Snapshot['rest'];
  }[];
}

const rounded = (value: unknown, digits: number): unknown =>
  typeof value === 'number' ? Number(value.toFixed(digits)) : value;

/** Packs the snapshots of a minute. */
export function packSnapshots(snapshots: readonly Snapshot[]): Buffer {
  const numbers = new Map<string, number>();
  const same: ProcessFacts[] = [];
  const block: Block = {
    same,
    snapshots: snapshots.map(({ at, processes, rest }) => {
      const columns = Object.fromEntries(NAMES.map((name): [string, unknown[]] => [name, []]));
      const of = processes.map((process) => {
        const staying = Object.fromEntries(Object.entries(process).filter(([name]) => !(name in CHANGING)));
        for (const name of NAMES) columns[name]?.push(rounded(process[name] ?? null, CHANGING[name] ?? 0));
        const key = JSON.stringify(staying);
        const known = numbers.get(key);
        if (known !== undefined) return known;
        numbers.set(key, same.length);
        return same.push(staying) - 1;
      });
      return { at, of, columns, rest };
    }),
  };
  return zstdCompressSync(JSON.stringify(block), LEVEL);
}

/** Throws where the bytes are not those of a block. */
export function unpackSnapshots(data: Uint8Array): readonly Snapshot[] {
  const text = zstdDecompressSync(data, { maxOutputLength: MOST_BYTES }).toString('utf8');
  const { same, snapshots } = JSON.parse(text) as Block;
  return snapshots.map(({ at, of, columns, rest }) => ({
    at,
    processes: of.map((number, index) => ({
      ...same[number],
      ...Object.fromEntries(NAMES.map((name) => [name, columns[name]?.[index] ?? null])),
    })),
    rest,
  }));
}

export interface ProcessLog {
  take(snapshot: Snapshot): void;
  /** Writes what is not in the files; throws the errors of SQLite. */
  write(): void;
  /** The last collection at or before a time, else the first after it; none that is further than `withinMs` away. */
  find(at: number, withinMs: number): Snapshot | undefined;
  /** Times of the first and of the last collection there is. */
  range(): { readonly first: number; readonly last: number } | undefined;
  /** About one collection for each `everyMs` of a time, oldest first. */
  sample(from: number, to: number, everyMs: number, visit: (snapshot: Snapshot) => void): void;
}

/** Fresh collections may be asked for more often; this is often enough. */
const LEAST_APART_MS = 9000;
/** While the disk refuses, so many are held. */
const MOST_HELD = 60;

export function openProcessLog(files: HistoryFiles): ProcessLog {
  let waiting: Snapshot[] = [];
  let lastAt = -Infinity;

  const blockAt = (
    order: 'at <= ? ORDER BY at DESC' | 'at > ? ORDER BY at',
    at: number,
    span: readonly [number, number],
  ) =>
    files.read('processes', ...span, (db) => {
      const row = db.get(`SELECT data FROM block WHERE ${order} LIMIT 1`, at);
      return row === undefined ? [] : unpackSnapshots(row['data'] as Uint8Array);
    });
  const edge = (which: 'min(at)' | 'max(until)'): readonly number[] =>
    files
      .read('processes', -Infinity, Infinity, (db) => {
        const at = db.get(`SELECT ${which} AS at FROM block`)?.['at'];
        return at === null || at === undefined ? [] : [Number(at)];
      })
      .flat();

  return {
    take(snapshot) {
      if (Math.abs(snapshot.at - lastAt) < LEAST_APART_MS) return;
      lastAt = snapshot.at;
      waiting.push(snapshot);
      if (waiting.length > MOST_HELD) waiting.shift();
    },
    write() {
      const first = waiting[0];
      const last = waiting.at(-1);
      if (first === undefined || last === undefined) return;
      const data = packSnapshots(waiting);
      files.write('processes', first.at, (db) =>
        db.run('INSERT OR REPLACE INTO block VALUES (?, ?, ?)', first.at, last.at, data),
      );
      waiting = [];
    },
    find(at, withinMs) {
      const before = [...blockAt('at <= ? ORDER BY at DESC', at, [at - withinMs, at + 1]).flat(), ...waiting];
      const last = before.filter((one) => one.at <= at).sort((a, b) => b.at - a.at)[0];
      if (last !== undefined && at - last.at <= withinMs) return last;
      const after = [...before, ...blockAt('at > ? ORDER BY at', at, [at, at + withinMs]).flat()];
      const next = after.filter((one) => one.at > at).sort((a, b) => a.at - b.at)[0];
      return next !== undefined && next.at - at <= withinMs ? next : undefined;
    },
    range() {
      const times = [...edge('min(at)'), ...edge('max(until)'), ...waiting.map(({ at }) => at)];
      return times.length === 0 ? undefined : { first: Math.min(...times), last: Math.max(...times) };
    },
    sample(from, to, everyMs, visit) {
      files.read('processes', from, to, (db) => {
        let next = -Infinity;
        for (const { at, data } of db.rows(
          'SELECT at, data FROM block WHERE at >= ? AND at < ? ORDER BY at',
          from,
          to,
        )) {
          if (Number(at) < next) continue;
          next = Number(at) + everyMs;
          for (const snapshot of unpackSnapshots(data as Uint8Array).slice(0, 1)) visit(snapshot);
        }
      });
    },
  };
}
