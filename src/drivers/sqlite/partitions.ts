// Partitions: a store cut into files by the time of arrival, so that what is too old or too much goes by deleting files.
import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

interface PartitionFile {
  readonly file: string;
  /** Unix milliseconds at which the first row could arrive. */
  readonly begins: number;
  /** Unix milliseconds of the last write. */
  readonly written: number;
  readonly bytes: number;
}

const SUFFIXES = ['', '-journal', '-wal', '-shm'] as const;

/** `traces-20261125T031751123Z.db`: sorted by name is sorted by time. */
export const partitionName = (store: string, begins: number): string =>
  `${store}-${new Date(begins).toISOString().replace(/[-:.]/g, '')}.db`;

const beginsAt = (store: string, name: string): number | undefined => {
  const match = /^-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z\.db$/.exec(name.slice(store.length));
  if (match === null || !name.startsWith(store)) return undefined;
  const [, year, month, day, hour, minute, second, milli] = match;
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${milli}Z`);
};

/** The partitions of a store in a directory, oldest first. Other files are not touched and not listed. */
export function listPartitions(dir: string, store: string): readonly PartitionFile[] {
  return readdirSync(dir)
    .flatMap((name): PartitionFile[] => {
      const begins = beginsAt(store, name);
      if (begins === undefined || Number.isNaN(begins)) return [];
      const file = join(dir, name);
      const written = statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? begins;
      return [{ file, begins, written, bytes: fileBytes(file) }];
    })
    .sort((a, b) => a.begins - b.begins);
}

/** Bytes of a partition with its journal. */
export const fileBytes = (file: string): number =>
  SUFFIXES.reduce((sum, suffix) => sum + (statSync(file + suffix, { throwIfNoEntry: false })?.size ?? 0), 0);

/** Deletes a partition; its database must be closed. */
export function deletePartition(file: string): void {
  for (const suffix of [...SUFFIXES].reverse()) rmSync(file + suffix, { force: true });
}

interface Retention {
  readonly now: number;
  readonly maxAgeMs: number;
  readonly maxBytes: number;
}

/**
 * Which partitions have to go, oldest first: those that took their last row (their successor's first) longer ago than the
 * age, then as many as bring the store within its bytes. The newest never goes for its bytes: it is being written.
 */
export function planRetention<P extends Pick<PartitionFile, 'begins' | 'written' | 'bytes'>>(
  partitions: readonly P[],
  { now, maxAgeMs, maxBytes }: Retention,
): readonly P[] {
  let total = partitions.reduce((sum, { bytes }) => sum + bytes, 0);
  const going: P[] = [];
  for (const [index, partition] of partitions.entries()) {
    const next = partitions[index + 1];
    const tooOld = (next?.begins ?? partition.written) < now - maxAgeMs;
    if (!tooOld && (next === undefined || total <= maxBytes)) break;
    total -= partition.bytes;
    going.push(partition);
  }
  return going;
}
