// Segments: files of accepted requests that are not packed yet, each record framed by its length and CRC-32.
import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

const SUFFIX = '.segment';
const HEADER_BYTES = 8;

/** The frame that goes before a record: length and CRC-32, both little-endian. */
export function frame(record: Uint8Array): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE(record.length, 0);
  header.writeUInt32LE(crc32(record), 4);
  return header;
}

/** The whole records of a segment, oldest first; what follows a torn or damaged one is not given. */
export function* records(segment: Buffer): IterableIterator<Buffer> {
  for (let at = 0; at + HEADER_BYTES <= segment.length;) {
    const length = segment.readUInt32LE(at);
    const end = at + HEADER_BYTES + length;
    // A record is never empty; zeros are what a file system leaves of a write that was cut off.
    if (length === 0 || end > segment.length) return;
    const record = segment.subarray(at + HEADER_BYTES, end);
    if (crc32(record) !== segment.readUInt32LE(at + 4)) return;
    yield record;
    at = end;
  }
}

/** Bytes of the records that {@link records} gives, with their frames. */
export function wholeBytes(segment: Buffer): number {
  let bytes = 0;
  for (const record of records(segment)) bytes += HEADER_BYTES + record.length;
  return bytes;
}

/** A name that is never used again, also when the clock was set back; sorted by name is sorted by time. */
export const newSegmentId = (now: number): string =>
  `${String(Math.trunc(now)).padStart(15, '0')}-${randomBytes(6).toString('hex')}`;

const segmentFile = (dir: string, id: string): string => join(dir, id + SUFFIX);

/** Ids of the segments in a directory, oldest first. */
export const listSegments = (dir: string): readonly string[] =>
  readdirSync(dir)
    .filter((name) => /^\d{15,}-[0-9a-f]{12}\.segment$/.test(name))
    .map((name) => name.slice(0, -SUFFIX.length))
    .sort();

export const readSegment = (dir: string, id: string): Buffer => readFileSync(segmentFile(dir, id));

export const deleteSegment = (dir: string, id: string): void => rmSync(segmentFile(dir, id), { force: true });

/** Opens a new segment for appending; its name is on disk when it returns. */
export function createSegment(dir: string, id: string): number {
  const fd = openSync(segmentFile(dir, id), 'ax', 0o640);
  const directory = openSync(dir, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
  return fd;
}
