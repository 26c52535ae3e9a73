// The encoding of rollups: columns of 32-bit floats as small differences, their bytes sorted by weight, compressed.
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { merge, type Rollup } from './rollup.ts';

/** Rollups by slot (the minute of an hour, or the series of a minute). A count of 0 is a gap. */
export class Columns {
  readonly count: Uint8Array;
  readonly last: Float32Array;
  readonly mean: Float32Array;
  readonly min: Float32Array;
  readonly max: Float32Array;

  constructor(slots: number) {
    this.count = new Uint8Array(slots);
    const values = new ArrayBuffer(16 * slots);
    this.last = new Float32Array(values, 0, slots);
    this.mean = new Float32Array(values, 4 * slots, slots);
    this.min = new Float32Array(values, 8 * slots, slots);
    this.max = new Float32Array(values, 12 * slots, slots);
  }

  /** Sets a slot; what stands there already is of the same time before, and both become one. */
  put(slot: number, rollup: Rollup): void {
    const before = this.get(slot);
    const { min, max, mean, last, count } = before === undefined ? rollup : merge(before, rollup);
    this.count[slot] = Math.min(255, count);
    this.last[slot] = last;
    this.mean[slot] = mean;
    this.min[slot] = min;
    this.max[slot] = max;
  }

  get(slot: number): Rollup | undefined {
    const count = this.count[slot] ?? 0;
    if (count === 0) return undefined;
    return {
      min: this.min[slot] ?? Number.NaN,
      max: this.max[slot] ?? Number.NaN,
      mean: this.mean[slot] ?? Number.NaN,
      last: this.last[slot] ?? Number.NaN,
      count,
    };
  }
}

const COLUMNS = 4;
const BYTES = 4;
const LEVEL = { params: { [constants.ZSTD_c_compressionLevel]: 3 } };

/** Small differences of either sign as small unsigned numbers. */
const zigzag = (difference: number): number => ((difference << 1) ^ (difference >> 31)) >>> 0;
const unzigzag = (coded: number): number => (coded >>> 1) ^ -(coded & 1);

const bits = (column: Float32Array): Int32Array => new Int32Array(column.buffer, column.byteOffset, column.length);

/**
 * The counts, then of the slots that are no gaps: `last` as the difference to the slot before, and `mean`, `min` and `max`
 * as differences to `last`; of each column all highest bytes first, down to the lowest. Floats of one sign are in the order
 * of their bits, so that near values have small differences, and what does not move is all zeros.
 */
export function encodeColumns(columns: Columns): Buffer {
  const slots = columns.count.length;
  const present = columns.count.reduce((sum, count) => sum + (count === 0 ? 0 : 1), 0);
  const raw = Buffer.alloc(slots + present * COLUMNS * BYTES);
  raw.set(columns.count);
  const [last, ...others] = [columns.last, columns.mean, columns.min, columns.max].map(bits);
  let before = 0;
  let at = 0;
  const write = (column: number, coded: number): void => {
    const from = slots + column * BYTES * present + at;
    raw[from] = coded >>> 24;
    raw[from + present] = coded >>> 16;
    raw[from + 2 * present] = coded >>> 8;
    raw[from + 3 * present] = coded;
  };
  for (let slot = 0; slot < slots; slot += 1) {
    if (columns.count[slot] === 0) continue;
    const now = last?.[slot] ?? 0;
    write(0, zigzag((now - before) | 0));
    for (const [index, other] of others.entries()) write(index + 1, zigzag(((other[slot] ?? 0) - now) | 0));
    before = now;
    at += 1;
  }
  return zstdCompressSync(raw, LEVEL);
}

/** Throws where the bytes are not those of so many slots. */
export function decodeColumns(data: Uint8Array, slots: number): Columns {
  const raw = zstdDecompressSync(data, { maxOutputLength: slots * (1 + COLUMNS * BYTES) });
  const columns = new Columns(slots);
  columns.count.set(raw.subarray(0, slots));
  const present = columns.count.reduce((sum, count) => sum + (count === 0 ? 0 : 1), 0);
  if (raw.length !== slots + present * COLUMNS * BYTES) throw new RangeError('the rollups are cut off or damaged');
  const [last, ...others] = [columns.last, columns.mean, columns.min, columns.max].map(bits);
  if (last === undefined) return columns;
  let before = 0;
  let at = 0;
  const read = (column: number): number => {
    const from = slots + column * BYTES * present + at;
    const byte = (plane: number): number => raw[from + plane * present] ?? 0;
    return unzigzag((byte(0) << 24) | (byte(1) << 16) | (byte(2) << 8) | byte(3));
  };
  for (let slot = 0; slot < slots; slot += 1) {
    if (columns.count[slot] === 0) continue;
    const now = (before + read(0)) | 0;
    last[slot] = now;
    for (const [index, other] of others.entries()) other[slot] = (now + read(index + 1)) | 0;
    before = now;
    at += 1;
  }
  return columns;
}
