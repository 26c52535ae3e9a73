// Sums over interfaces that come and go, which never shrink: what each interface gained since it was seen first.
import { parseWith, z } from '../../base/schema.ts';
import { STATISTICS } from './statistics.ts';
import { mapOf, numberOf, type Interface } from './switch.ts';

const Saved = z
  .array(z.object({ bridge: z.string(), type: z.string(), totals: z.record(z.string(), z.number().min(0)) }))
  .max(1000);

export interface Sum {
  readonly bridge: string;
  readonly type: string;
  /** By key of the statistics. */
  readonly totals: Record<string, number>;
}

export interface Sums {
  /**
   * Adds what the interfaces gained. One that is seen first gains nothing yet; one that counts from the start again gains what it has.
   * The sums of other bridges than these are forgotten.
   */
  advance(interfaces: readonly Interface[], bridges: readonly { readonly name: string }[]): readonly Sum[];
  /** For the process after this one. */
  state(): readonly Sum[];
}

/** Opens with what an earlier one's `state()` gave; anything else starts at 0. */
export function openSums(saved?: unknown): Sums {
  const parsed = parseWith(Saved, saved);
  const keyOf = (bridge: string, type: string): string => `${bridge} ${type}`;
  const sums = new Map<string, Sum>(
    'value' in parsed ? parsed.value.map((sum) => [keyOf(sum.bridge, sum.type), sum]) : [],
  );
  let before = new Map<string, ReadonlyMap<string, number>>();
  return {
    advance(interfaces, bridges) {
      const now = new Map<string, ReadonlyMap<string, number>>();
      for (const { uuid, type, bridge, row } of interfaces) {
        const key = keyOf(bridge.name, type);
        let sum = sums.get(key);
        if (sum === undefined) sums.set(key, (sum = { bridge: bridge.name, type, totals: {} }));
        now.set(uuid, gained(mapOf(row.get('statistics')), before.get(uuid), sum.totals));
      }
      before = now;
      const there = new Set(bridges.map(({ name }) => name));
      for (const [key, { bridge }] of sums) if (!there.has(bridge)) sums.delete(key);
      return [...sums.values()];
    },
    state: () => [...sums.values()],
  };
}

/** What is known of the interface now, with its gains added to `totals`. */
function gained(
  statistics: ReturnType<typeof mapOf>,
  before: ReadonlyMap<string, number> | undefined,
  totals: Record<string, number>,
): ReadonlyMap<string, number> {
  const now = new Map<string, number>();
  for (const key of STATISTICS.keys()) {
    const value = numberOf(statistics.get(key));
    if (value === undefined || value < 0) {
      // For a moment nothing may be known, as when ovs-vswitchd starts: that is no new beginning.
      const last = before?.get(key);
      if (last !== undefined) now.set(key, last);
      continue;
    }
    const last = before?.get(key) ?? value;
    totals[key] = (totals[key] ?? 0) + (value >= last ? value - last : value);
    now.set(key, value);
  }
  return now;
}
