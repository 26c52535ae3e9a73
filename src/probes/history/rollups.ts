// The rollups of minutes and days, in memory and in files: taken in, written, found again.
import { daysDone, dayOf, hoursOf, rollDay, visitDays } from './days.ts';
import { DAY_MS, type HistoryFiles } from './files.ts';
import {
  Hour,
  HOUR_MS,
  hourOf,
  readHour,
  unfinishedHours,
  visitChunks,
  visitColumns,
  writeChunks,
  writeMinutes,
} from './hour.ts';
import { parseSeries } from '../sample-text.ts';
import { findNumbers, readNumbers } from './names.ts';
import type { Rollup } from './rollup.ts';

interface Span {
  /** Unix milliseconds, exclusive at its end. */
  readonly from: number;
  readonly to: number;
}

type Visit = (name: string, at: number, rollup: Rollup) => void;

export interface Rollups {
  /** Takes the rollups of a minute into memory. */
  put(minute: number, rollups: Iterable<readonly [string, Rollup]>): void;
  /** Writes what is not in the files; throws the errors of SQLite, and tries again with the next minute. */
  write(): void;
  /** Names of the series of a metric, or of all, that have something in this time; sorted. */
  names(metric: string | undefined, span: Span): readonly string[];
  /** Visits the minutes of some series of a metric. */
  visitMinutes(metric: string, names: ReadonlySet<string>, span: Span, visit: Visit): void;
  /** Visits the days before the first minutes there are. */
  visitDays(metric: string, names: ReadonlySet<string>, span: Span, visit: Visit): void;
  /** Minutes that were taken in and could not be kept, since the start. */
  lost(): number;
}

/** Hours that could not be written are held for this long at most. */
const HELD_HOURS = 3;

/** Takes up what an earlier life left: hours that it did not finish are finished. */
export function openRollups(files: HistoryFiles, now: () => number): Rollups {
  let current: Hour | undefined;
  /** Hours that are over and not yet in the file as such. */
  let over: Hour[] = [];
  let lost = 0;
  /** Numbers of the series in the file of a day; forgotten when something in it was undone. */
  let numbers: { readonly day: number; readonly known: Map<string, number> } | undefined;
  const done = daysDone(files);

  const load = (begins: number): Hour =>
    files.read('minutes', begins, begins + HOUR_MS, (db) => readHour(db, begins))[0] ?? new Hour(begins);
  const recover = (): void => {
    const left = files.read('minutes', -Infinity, Infinity, (db) => unfinishedHours(db)).flat();
    for (const begins of left) {
      if (begins === hourOf(now())) current = load(begins);
      else over.push(load(begins));
    }
  };
  const write = (hour: Hour, how: typeof writeChunks): void => {
    const day = dayOf(hour.begins);
    try {
      files.write('minutes', hour.begins, (db) => {
        if (numbers?.day !== day) numbers = { day, known: readNumbers(db) };
        how(db, hour, numbers.known);
      });
    } catch (error) {
      numbers = undefined;
      throw error;
    }
  };
  const finish = (): void => {
    while (over[0] !== undefined) {
      write(over[0], writeChunks);
      done.delete(dayOf(over[0].begins));
      over.shift();
    }
    const today = dayOf(current?.begins ?? now());
    for (const day of files.begins('minutes')) {
      if (day >= today || done.has(day)) continue;
      rollDay(files, day);
      done.add(day);
    }
  };
  const turnTo = (begins: number): Hour => {
    if (current?.begins === begins) return current;
    if (current !== undefined) over.push(current);
    const again = over.find((hour) => hour.begins === begins);
    over = over.filter((hour) => hour !== again);
    while (over.length > HELD_HOURS) lost += over.shift()?.unwritten.size ?? 0;
    current = again ?? begin(begins);
    return current;
  };
  /** A file that cannot be read now must not keep the hour from going on: what is wrong is told when it is written. */
  const begin = (begins: number): Hour => {
    try {
      return load(begins);
    } catch {
      return new Hour(begins);
    }
  };
  const inMemory = (): readonly Hour[] => [...over, ...(current === undefined ? [] : [current])];

  recover();
  return {
    put(minute, rollups) {
      const hour = turnTo(hourOf(minute));
      for (const [name, rollup] of rollups) hour.put(minute, name, rollup);
    },
    write() {
      finish();
      if (current === undefined || current.unwritten.size === 0) return;
      write(current, writeMinutes);
      current.unwritten.clear();
    },
    names(metric, { from, to }) {
      const found = new Set<string>();
      for (const kind of ['days', 'minutes'] as const) {
        files.read(kind, from, to, (db) => {
          for (const name of findNumbers(db, metric).keys()) found.add(name);
        });
      }
      for (const { begins, series } of inMemory()) {
        if (begins >= to || begins + HOUR_MS <= from) continue;
        for (const name of series.keys()) {
          if (metric === undefined || parseSeries(name)?.metric === metric) found.add(name);
        }
      }
      return [...found].sort();
    },
    visitMinutes(metric, names, { from, to }, visit) {
      const held = inMemory();
      const within: Visit = (name, at, rollup) => {
        if (at >= from && at < to) visit(name, at, rollup);
      };
      files.read('minutes', from, to, (db, begins) => {
        const hours = hoursOf(Math.max(from, begins), Math.min(to, begins + DAY_MS));
        const onDisk = hours.filter((hour) => !held.some((one) => one.begins === hour));
        visitChunks(db, { metric, names, hours: onDisk }, within);
      });
      for (const { begins, series } of held.toSorted((a, b) => a.begins - b.begins)) {
        if (begins >= to || begins + HOUR_MS <= from) continue;
        for (const name of names) {
          const columns = series.get(name);
          if (columns !== undefined) visitColumns(name, begins, columns, within);
        }
      }
    },
    visitDays(metric, names, { from, to }, visit) {
      const before = Math.min(to, files.begins('minutes')[0] ?? Infinity);
      files.read('days', from, before, (db) => visitDays(db, { metric, names, from, to: before }, visit));
    },
    lost: () => lost,
  };
}
