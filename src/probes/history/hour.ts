// The hour under way in memory, and how it stands in a file: a row per minute until it is over, then a row per series.
import type { ThreadDatabase } from '../../drivers/sqlite/index.ts';
import { Columns, decodeColumns, encodeColumns } from './codec.ts';
import { findNumbers, numberOf, packNumbers, readNumbers, unpackNumbers } from './names.ts';
import type { Rollup } from './rollup.ts';

export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
const SLOTS = 60;

export const hourOf = (at: number): number => Math.floor(at / HOUR_MS) * HOUR_MS;
export const minuteOf = (at: number): number => Math.floor(at / MINUTE_MS) * MINUTE_MS;

/** The rollups of an hour by series. */
export class Hour {
  readonly series = new Map<string, Columns>();
  /** Slots that are not in the file yet. */
  readonly unwritten = new Set<number>();
  readonly begins: number;

  constructor(begins: number) {
    this.begins = begins;
  }

  put(minute: number, name: string, rollup: Rollup): void {
    const slot = (minute - this.begins) / MINUTE_MS;
    this.columns(name).put(slot, rollup);
    this.unwritten.add(slot);
  }

  columns(name: string): Columns {
    const known = this.series.get(name);
    if (known !== undefined) return known;
    const made = new Columns(SLOTS);
    this.series.set(name, made);
    return made;
  }
}

/** Writes the minutes that are not in the file, within a transaction. */
export function writeMinutes(
  db: ThreadDatabase,
  { series, begins, unwritten }: Hour,
  known: Map<string, number>,
): void {
  for (const slot of unwritten) {
    const present = [...series].filter(([, { count }]) => count[slot] !== 0);
    const columns = new Columns(present.length);
    const numbers = present.map(([name, from], index) => {
      columns.put(index, from.get(slot) as Rollup);
      return numberOf(db, known, name);
    });
    const at = begins + slot * MINUTE_MS;
    db.run('INSERT OR REPLACE INTO minute VALUES (?, ?, ?)', at, packNumbers(numbers), encodeColumns(columns));
  }
}

/** Writes an hour that is over as a row per series in place of its minutes, within a transaction. */
export function writeChunks(db: ThreadDatabase, { series, begins }: Hour, known: Map<string, number>): void {
  for (const [name, columns] of series) {
    const number = numberOf(db, known, name);
    db.run('INSERT OR REPLACE INTO chunk VALUES (?, ?, ?)', begins, number, encodeColumns(columns));
  }
  db.run('DELETE FROM minute WHERE at >= ? AND at < ?', begins, begins + HOUR_MS);
}

/** What a file has of an hour, in whichever form. */
export function readHour(db: ThreadDatabase, begins: number): Hour {
  const hour = new Hour(begins);
  const names = new Map([...readNumbers(db)].map(([name, number]) => [number, name]));
  for (const { series, data } of db.all('SELECT series, data FROM chunk WHERE hour = ?', begins)) {
    const name = names.get(Number(series));
    if (name !== undefined) hour.series.set(name, decodeColumns(data as Uint8Array, SLOTS));
  }
  const rows = db.all('SELECT at, series, data FROM minute WHERE at >= ? AND at < ?', begins, begins + HOUR_MS);
  for (const { at, series, data } of rows) {
    const numbers = unpackNumbers(series as Uint8Array);
    const columns = decodeColumns(data as Uint8Array, numbers.length);
    const slot = (Number(at) - begins) / MINUTE_MS;
    for (const [index, number] of numbers.entries()) {
      const [name, rollup] = [names.get(number), columns.get(index)];
      if (name === undefined || rollup === undefined) continue;
      const into = hour.columns(name);
      // A minute is written whole: it replaces what a chunk of the same hour has.
      into.count[slot] = 0;
      into.put(slot, rollup);
    }
  }
  return hour;
}

/** Hours that stand in a file as minutes: an earlier life ended in them. */
export const unfinishedHours = (db: ThreadDatabase): readonly number[] => [
  ...new Set(db.all('SELECT at FROM minute').map(({ at }) => hourOf(Number(at)))),
];

type Visit = (name: string, at: number, rollup: Rollup) => void;

/** Visits the rollups of one hour of a series. */
export function visitColumns(name: string, begins: number, columns: Columns, visit: Visit): void {
  for (let slot = 0; slot < SLOTS; slot += 1) {
    const rollup = columns.get(slot);
    if (rollup !== undefined) visit(name, begins + slot * MINUTE_MS, rollup);
  }
}

/** Visits the rollups of some series in the given hours of a file. */
export function visitChunks(
  db: ThreadDatabase,
  {
    metric,
    names,
    hours,
  }: { readonly metric: string | undefined; readonly names: ReadonlySet<string>; readonly hours: readonly number[] },
  visit: Visit,
): void {
  const wanted = [...findNumbers(db, metric)].filter(([name]) => names.has(name));
  for (const hour of hours) {
    for (const [name, number] of wanted) {
      const row = db.get('SELECT data FROM chunk WHERE hour = ? AND series = ?', hour, number);
      if (row !== undefined) visitColumns(name, hour, decodeColumns(row['data'] as Uint8Array, SLOTS), visit);
    }
  }
}
