// The ledger's files, one per day of the ids (UTC): their names, which are too many, and how they are deleted.
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** A day as it stands in the name of a file, `20261125`. */
export type Day = string;

const FILE = /^ml-(\d{8})\.db$/;
const DAY_MS = 86_400_000;

export const dayOf = (ms: number): Day => new Date(ms).toISOString().slice(0, 10).replaceAll('-', '');
export const dayStart = (day: Day): number =>
  Date.UTC(Number(day.slice(0, 4)), Number(day.slice(4, 6)) - 1, Number(day.slice(6)));
export const nextDay = (day: Day): Day => dayOf(dayStart(day) + DAY_MS);
export const dayFile = (dir: string, day: Day): string => join(dir, `ml-${day}.db`);

interface DayFile {
  readonly day: Day;
  /** With its write-ahead log. */
  readonly bytes: number;
}

/** The files there are, oldest first. */
export async function listDays(dir: string): Promise<readonly DayFile[]> {
  const names = (await readdir(dir)).sort();
  const days = names.flatMap((name) => FILE.exec(name)?.[1] ?? []);
  const size = (path: string): Promise<number> =>
    stat(path).then(
      (about) => about.size,
      () => 0,
    );
  return Promise.all(
    days.map(async (day) => {
      const file = dayFile(dir, day);
      return { day, bytes: (await size(file)) + (await size(`${file}-wal`)) };
    }),
  );
}

export interface Bounds {
  readonly retentionDays: number;
  readonly maxBytes: number;
}

/** The first day that is still kept. */
export const oldestKept = (now: number, { retentionDays }: Bounds): Day => dayOf(now - retentionDays * DAY_MS);

/** The days to delete: those too old, then the oldest until the rest is within its bytes. Today's stays. Pure. */
export function daysToDelete(files: readonly DayFile[], now: number, bounds: Bounds): readonly Day[] {
  const oldest = oldestKept(now, bounds);
  let bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const doomed: Day[] = [];
  for (const file of [...files].sort((a, b) => a.day.localeCompare(b.day))) {
    if (file.day >= dayOf(now) || (file.day >= oldest && bytes <= bounds.maxBytes)) continue;
    doomed.push(file.day);
    bytes -= file.bytes;
  }
  return doomed;
}

/** Deletes a day's file; nobody may have it open. */
export async function deleteDay(dir: string, day: Day): Promise<void> {
  for (const suffix of ['', '-wal', '-shm']) await rm(dayFile(dir, day) + suffix, { force: true });
}
