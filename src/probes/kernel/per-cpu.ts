// Tables of counters with a column for each CPU, as /proc/interrupts and /proc/softirqs are.
import { z } from '../../base/schema.ts';
import { unexpected, unsigned, words } from './text.ts';
import { openWidening, type Widening } from './widening.ts';

/** The numbers of the CPUs that the head names: `CPU0 CPU2`, of which those between may be turned off. */
export function parseCpus(file: string, head: string): readonly number[] {
  const cpus = words(head).map((word) => (word.startsWith('CPU') ? unsigned(word.slice('CPU'.length)) : undefined));
  const known = cpus.filter((cpu) => cpu !== undefined && cpu < MOST_CPUS);
  if (known.length === 0 || known.length !== cpus.length) throw unexpected(file, head);
  return known as readonly number[];
}

/** NR_CPUS of the kernels of all distributions is at most this. */
const MOST_CPUS = 8192;

interface CpuCounts {
  /** 64-bit totals of a row's counters of 32 bits, in the same order. */
  advance(row: string, cpus: readonly number[], counts: readonly number[]): readonly (number | undefined)[];
  /** Forgets rows that were not given since it was called last. */
  forget(): void;
  state(): unknown;
}

const Saved = z.record(z.string(), z.unknown());

/** Opens with what an earlier one's `state()` gave. */
export function openCpuCounts(saved: unknown): CpuCounts {
  const before = Saved.safeParse(saved).data ?? {};
  const widenings = new Map<string, Widening>();
  let given = new Set<string>();
  return {
    advance(row, cpus, counts) {
      given.add(row);
      let widening = widenings.get(row);
      if (widening === undefined) widenings.set(row, (widening = openWidening(before[row])));
      // By the CPU's number, so that one that is turned off moves none of the others.
      const cells: (number | undefined)[] = [];
      for (const [at, cpu] of cpus.entries()) cells[cpu] = counts[at];
      const totals = widening.advance([cells]);
      return cpus.map((cpu) => totals[cpu]);
    },
    forget() {
      for (const row of widenings.keys()) if (!given.has(row)) widenings.delete(row);
      given = new Set();
    },
    state() {
      const states = [...widenings].flatMap(([row, widening]) => {
        const state = widening.state();
        return state === undefined ? [] : [[row, state] as const];
      });
      return states.length === 0 ? undefined : Object.fromEntries(states);
    },
  };
}
