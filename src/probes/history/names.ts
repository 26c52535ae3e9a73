// The numbers of series in a file, and how a row lists them.
import type { ThreadDatabase } from '../../drivers/sqlite/index.ts';
import { parseSeries } from '../sample-text.ts';

/** Numbers by the name of the series; of one file, and only for as long as nothing in it was undone. */
export type Numbers = ReadonlyMap<string, number>;

/** All series of a file. */
export const readNumbers = (db: ThreadDatabase): Map<string, number> =>
  new Map(db.all('SELECT id, name FROM series').map(({ id, name }) => [String(name), Number(id)]));

/** The series of a metric, or all, in a file: number by name. */
export const findNumbers = (db: ThreadDatabase, metric: string | undefined): Numbers =>
  metric === undefined
    ? readNumbers(db)
    : new Map(
        db
          .all('SELECT id, name FROM series WHERE metric = ?', metric)
          .map(({ id, name }) => [String(name), Number(id)]),
      );

/** The number of a series, given to it where it has none. */
export function numberOf(db: ThreadDatabase, known: Map<string, number>, name: string): number {
  const number = known.get(name);
  if (number !== undefined) return number;
  db.run('INSERT OR IGNORE INTO series (metric, name) VALUES (?, ?)', parseSeries(name)?.metric ?? name, name);
  const made = Number(db.get('SELECT id FROM series WHERE name = ?', name)?.['id']);
  known.set(name, made);
  return made;
}

/** Numbers as the bytes of a row. */
export function packNumbers(numbers: readonly number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(numbers).buffer);
}

/** Throws where the bytes are not whole numbers. */
export function unpackNumbers(bytes: Uint8Array): Uint32Array {
  return new Uint32Array(Uint8Array.from(bytes).buffer);
}
