// Makes 64-bit totals of the counters of 32 bits that the kernel keeps for each CPU, over wraps and restarts.
import { parseWith, z } from '../../base/schema.ts';

const WRAP = 2 ** 32;
/** A column can be a CPU: NR_CPUS of the kernels of all distributions is at most this. */
export const MOST_CPUS = 8192;
const Saved = z.array(z.number().min(0)).max(MOST_CPUS);
const SavedByName = z.record(z.string(), z.unknown());

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

/** Widenings by name, such as one for each CPU. */
interface Widenings {
  /** The one of this name, which begins when it is asked for first. */
  of(name: string): Widening;
  /** Forgets all others. */
  keep(names: ReadonlySet<string>): void;
  /** What each has counted, for the process after this one; undefined while none has. */
  state(): Readonly<Record<string, unknown>> | undefined;
}

/** Opens with what an earlier one's `state()` gave. */
export function openWidenings(saved: unknown): Widenings {
  const before = SavedByName.safeParse(saved).data ?? {};
  const all = new Map<string, Widening>();
  return {
    of(name) {
      let widening = all.get(name);
      if (widening === undefined) all.set(name, (widening = openWidening(before[name])));
      return widening;
    },
    keep(names) {
      for (const name of all.keys()) if (!names.has(name)) all.delete(name);
    },
    state() {
      const states = [...all].flatMap(([name, widening]) => {
        const state = widening.state();
        return state === undefined ? [] : [[name, state] as const];
      });
      return states.length === 0 ? undefined : Object.fromEntries(states);
    },
  };
}
