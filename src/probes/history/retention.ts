// Which files of history have to go: each kind by its age, then the oldest until the rest is within its bytes. Pure.
import { planRetention } from '../../drivers/sqlite/index.ts';
import type { Kind } from './files.ts';

export interface Kept {
  readonly kind: Kind;
  readonly file: string;
  /** Unix milliseconds. */
  readonly begins: number;
  written: number;
  bytes: number;
}

export interface RetentionLimits {
  readonly maxAgeMs: Readonly<Record<Kind, number>>;
  readonly maxBytes: number;
}

/** Rollups of a day are small and the only thing that is left of long ago: they go after everything else. */
const LAST: Kind = 'days';

/** The files to delete. The newest of a kind never goes for its bytes: it is being written. */
export function planFiles(
  files: readonly Kept[],
  { maxAgeMs, maxBytes }: RetentionLimits,
  now: number,
): readonly Kept[] {
  const sorted = files.toSorted((a, b) => a.begins - b.begins);
  const of = (kind: Kind): readonly Kept[] => sorted.filter((one) => one.kind === kind);
  const going = (Object.keys(maxAgeMs) as Kind[]).flatMap((kind) =>
    planRetention(of(kind), { now, maxAgeMs: maxAgeMs[kind], maxBytes: Infinity }),
  );
  const left = sorted.filter((one) => !going.includes(one));
  const newest = new Set((Object.keys(maxAgeMs) as Kind[]).map((kind) => left.findLast((one) => one.kind === kind)));
  const candidates = left.filter((one) => !newest.has(one));
  let total = left.reduce((sum, { bytes }) => sum + bytes, 0);
  for (const one of [
    ...candidates.filter(({ kind }) => kind !== LAST),
    ...candidates.filter(({ kind }) => kind === LAST),
  ]) {
    if (total <= maxBytes) break;
    total -= one.bytes;
    going.push(one);
  }
  return going;
}
