// Tables of counters with a column for each CPU, as /proc/interrupts and /proc/softirqs are.
import { unexpected, unsigned, words } from './text.ts';
import { MOST_CPUS, openWidenings } from './widening.ts';

/** The numbers of the CPUs that the head names: `CPU0 CPU2`, of which those between may be turned off. */
export function parseCpus(file: string, head: string): readonly number[] {
  const cpus = words(head).map((word) => (word.startsWith('CPU') ? unsigned(word.slice('CPU'.length)) : undefined));
  const known = cpus.filter((cpu) => cpu !== undefined && cpu < MOST_CPUS);
  if (known.length === 0 || known.length !== cpus.length) throw unexpected(file, head);
  return known as readonly number[];
}

interface CpuCounts {
  /** 64-bit totals of a row's counters of 32 bits, in the same order. */
  advance(row: string, cpus: readonly number[], counts: readonly number[]): readonly (number | undefined)[];
  /** Forgets rows that were not given since it was called last. */
  forget(): void;
  state(): unknown;
}

/** Opens with what an earlier one's `state()` gave. */
export function openCpuCounts(saved: unknown): CpuCounts {
  const widenings = openWidenings(saved);
  let given = new Set<string>();
  return {
    advance(row, cpus, counts) {
      given.add(row);
      // By the CPU's number, so that one that is turned off moves none of the others.
      const cells: (number | undefined)[] = [];
      for (const [at, cpu] of cpus.entries()) cells[cpu] = counts[at];
      const totals = widenings.of(row).advance([cells]);
      return cpus.map((cpu) => totals[cpu]);
    },
    forget() {
      widenings.keep(given);
      given = new Set();
    },
    state: widenings.state,
  };
}
