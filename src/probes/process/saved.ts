// What survives a restart of the probe process: the counters of the groups, and where those of the processes stood.
import { z } from '../../base/schema.ts';
import { COUNTERS, type Counters } from './counters.ts';
import type { Groups } from './groups.ts';
import type { Remembered, Table } from './table.ts';

export interface ScrapeErrors {
  scrape: number;
  processRead: number;
  partial: number;
}

/** All that lasts longer than one collection. */
export interface Accumulated {
  readonly groups: Groups;
  readonly table: Table;
  readonly errors: ScrapeErrors;
  /** The clock tick of the first collection; undefined before it. */
  firstTick: number | undefined;
  /** The uptime of the last collection. */
  lastAt: number | undefined;
  readonly remembered: Map<number, Remembered>;
}

/** What must be the same for counters to go on: the boot, and what the groups are named after. */
export interface Epoch {
  readonly bootId: string | undefined;
  readonly groupBy: string;
}

const amount = z.number().nonnegative();
const optional = amount.nullable();
/** In the order of {@link COUNTERS}. */
const counters = z.array(optional).length(COUNTERS.length);

const Saved = z.object({
  version: z.literal(1),
  bootId: z.string(),
  groupBy: z.string(),
  firstTick: amount,
  lastAt: amount,
  errors: z.object({ scrape: amount, processRead: amount, partial: amount }),
  groups: z
    .array(z.object({ name: z.string().max(4096), totals: counters, proportionalComplete: z.boolean() }))
    .max(100_001),
  processes: z
    .array(
      z.object({
        pid: z.number().int().positive(),
        start: amount,
        counters,
        proportional: z.tuple([amount, amount]).nullable(),
        sampledAt: optional,
        stuckSince: optional,
      }),
    )
    .max(4 * 1024 * 1024), // PID_MAX_LIMIT
});

const packed = (values: Counters): (number | null)[] => COUNTERS.map((name) => values[name] ?? null);

const unpacked = (values: readonly (number | null)[]): Counters =>
  Object.fromEntries(
    COUNTERS.flatMap((name, index) => {
      const value = values[index];
      return typeof value === 'number' ? [[name, value]] : [];
    }),
  );

/** JSON of what was accumulated; undefined before the first collection, or on a kernel without a boot id. */
export function save(state: Accumulated, { bootId, groupBy }: Epoch): z.input<typeof Saved> | undefined {
  if (bootId === undefined || state.firstTick === undefined || state.lastAt === undefined) return undefined;
  return {
    version: 1,
    bootId,
    groupBy,
    firstTick: state.firstTick,
    lastAt: state.lastAt,
    errors: { ...state.errors },
    groups: [...state.groups].map(([name, { totals, proportionalComplete }]) => ({
      name,
      totals: packed(totals),
      proportionalComplete,
    })),
    processes: [...state.table.values()].map((process) => ({
      pid: process.pid,
      start: process.stat.start,
      counters: packed(process.counters),
      proportional:
        process.proportional === undefined
          ? null
          : [process.proportional.residentBytes, process.proportional.swappedBytes],
      sampledAt: process.sampledAt ?? null,
      stuckSince: process.stuckSince ?? null,
    })),
  };
}

const nothing = (): Accumulated => ({
  groups: new Map(),
  table: new Map(),
  errors: { scrape: 0, processRead: 0, partial: 0 },
  firstTick: undefined,
  lastAt: undefined,
  remembered: new Map(),
});

/** What an earlier probe process saved, or a new beginning when it is of another boot or makes no sense. */
export function restore(saved: unknown, { bootId, groupBy }: Epoch): Accumulated {
  const result = Saved.safeParse(saved);
  if (!result.success || result.data.bootId !== bootId || result.data.groupBy !== groupBy) return nothing();
  const { groups, processes, errors, firstTick, lastAt } = result.data;
  return {
    groups: new Map(
      groups.map(({ name, totals, proportionalComplete }) => [
        name,
        { totals: unpacked(totals), proportionalComplete },
      ]),
    ),
    table: new Map(),
    errors,
    firstTick,
    lastAt,
    remembered: new Map(
      processes.map((process) => [
        process.pid,
        {
          start: process.start,
          counters: unpacked(process.counters),
          proportional:
            process.proportional === null
              ? undefined
              : { residentBytes: process.proportional[0], swappedBytes: process.proportional[1] },
          sampledAt: process.sampledAt ?? undefined,
          stuckSince: process.stuckSince ?? undefined,
        },
      ]),
    ),
  };
}
