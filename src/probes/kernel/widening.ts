// Makes 64-bit totals of the counters of 32 bits that the kernel keeps for each CPU, over wraps and restarts.
import { parseWith, z } from '../../base/schema.ts';

const WRAP = 2 ** 32;
const Saved = z.array(z.number().min(0)).max(100);

export interface Widening {
  /**
   * The total of each column over the rows of all CPUs, never smaller than before. A column that is missing in every row
   * is undefined. Read it before any column can wrap twice: at least each half minute.
   */
  advance(rows: readonly (readonly (number | undefined)[])[]): readonly (number | undefined)[];
  /** What wrapped so far, by column, for the process after this one; undefined as long as nothing did. */
  state(): readonly number[] | undefined;
}

/** Opens with what an earlier one's `state()` gave; anything else starts with what the kernel says. */
export function openWidening(saved?: unknown): Widening {
  const parsed = parseWith(Saved, saved);
  const wrapped: number[] = 'value' in parsed ? parsed.value : [];
  let before: readonly (readonly (number | undefined)[])[] = [];
  return {
    advance(rows) {
      const totals: (number | undefined)[] = [];
      for (const [cpu, row] of rows.entries()) {
        for (const [column, value] of row.entries()) {
          if (value === undefined) continue;
          const last = before[cpu]?.[column] ?? 0;
          if (value < last) wrapped[column] = (wrapped[column] ?? 0) + lost(last, value);
          totals[column] = (totals[column] ?? 0) + value;
        }
      }
      before = rows;
      return totals.map((total, column) => (total === undefined ? undefined : total + (wrapped[column] ?? 0)));
    },
    state: () => (wrapped.some((count) => count > 0) ? Array.from(wrapped, (count) => count ?? 0) : undefined),
  };
}

/** A step back of more than half the range is a wrap; a smaller one a counter that began again (the module was reloaded). */
const lost = (last: number, value: number): number => (last - value > WRAP / 2 ? WRAP : last);
