// Rollups of a day (UTC): made of its minutes when it is over, a row per day for all series.
import type { ThreadDatabase } from '../../drivers/sqlite/index.ts';
import { Columns, decodeColumns, encodeColumns } from './codec.ts';
import { DAY_MS, type HistoryFiles } from './files.ts';
import { HOUR_MS, visitChunks } from './hour.ts';
import { findNumbers, numberOf, packNumbers, readNumbers, unpackNumbers } from './names.ts';
import { Accumulator, type Rollup } from './rollup.ts';

export const dayOf = (at: number): number => Math.floor(at / DAY_MS) * DAY_MS;

/** The hours of a time, whole ones. */
export function hoursOf(from: number, to: number): readonly number[] {
  const first = Math.floor(from / HOUR_MS) * HOUR_MS;
  return Array.from({ length: Math.max(0, Math.ceil((to - first) / HOUR_MS)) }, (_, i) => first + i * HOUR_MS);
}

/** The days that have their rollups. */
export const daysDone = (files: HistoryFiles): Set<number> =>
  new Set(
    files.read('days', -Infinity, Infinity, (db) => db.all('SELECT at FROM day').map(({ at }) => Number(at))).flat(),
  );

/** Makes the rollups of a day out of its file of minutes, and writes them. Throws the errors of SQLite. */
export function rollDay(files: HistoryFiles, day: number): void {
  const sums = new Map<string, Accumulator>();
  const visit = (name: string, _: number, rollup: Rollup): void => {
    const sum = sums.get(name) ?? new Accumulator();
    sums.set(name, sum);
    sum.addRollup(rollup);
  };
  files.read('minutes', day, day + DAY_MS, (db) =>
    visitChunks(
      db,
      { metric: undefined, names: new Set(readNumbers(db).keys()), hours: hoursOf(day, day + DAY_MS) },
      visit,
    ),
  );
  files.write('days', day, (db) => writeDay(db, day, sums));
}

function writeDay(db: ThreadDatabase, day: number, sums: ReadonlyMap<string, Accumulator>): void {
  const known = readNumbers(db);
  const columns = new Columns(sums.size);
  const numbers = [...sums].map(([name, sum], index) => {
    columns.put(index, sum.rollup() as Rollup);
    return numberOf(db, known, name);
  });
  db.run('INSERT OR REPLACE INTO day VALUES (?, ?, ?)', day, packNumbers(numbers), encodeColumns(columns));
}

/** Visits the rollups of days from `from` to before `to`. */
export function visitDays(
  db: ThreadDatabase,
  {
    metric,
    names,
    from,
    to,
  }: { readonly metric: string; readonly names: ReadonlySet<string>; readonly from: number; readonly to: number },
  visit: (name: string, at: number, rollup: Rollup) => void,
): void {
  const wanted = [...findNumbers(db, metric)].filter(([name]) => names.has(name));
  for (const row of db.rows('SELECT at, series, data FROM day WHERE at >= ? AND at < ? ORDER BY at', from, to)) {
    const numbers = unpackNumbers(row['series'] as Uint8Array);
    const columns = decodeColumns(row['data'] as Uint8Array, numbers.length);
    for (const [name, number] of wanted) {
      const rollup = columns.get(numbers.indexOf(number));
      if (rollup !== undefined) visit(name, Number(row['at']), rollup);
    }
  }
}
