// What survives a restart of the probe process: the last counters of what has ended, and who the living ones are.
import { z } from '../../base/schema.ts';
import { openWidening } from '../kernel/widening.ts';
import type { Facts } from './identity.ts';
import type { Namespaces } from './network.ts';
import type { Ended, LastSample, Table } from './table.ts';

const text = z.string().max(4096);
const Sample = z.tuple([text, z.array(text).max(12), z.number()]);

const Saved = z.object({
  version: z.literal(1),
  bootId: z.string(),
  ended: z.array(z.object({ path: text, endedAt: z.number(), samples: z.array(Sample).max(2000) })).max(10_000),
  live: z
    .array(
      z.object({
        path: text,
        inode: z.number(),
        startTime: z.number().nullable(),
        killsBefore: z.number().default(0),
        facts: z.object({
          container: text.optional(),
          namespace: text.optional(),
          pod: text.optional(),
          image: text.optional(),
          name: text.optional(),
          shares: z.number().optional(),
        }),
        /** What to show of it, should it have ended meanwhile. */
        oom: z.array(Sample).max(10),
      }),
    )
    .max(10_000),
  /** Counters of connection tracking that wrapped, by network namespace. */
  wrapped: z.record(text, z.array(z.number()).max(100)).optional(),
});

/** A group that an earlier probe process knew. */
export interface Remembered {
  readonly path: string;
  readonly inode: number;
  readonly startTime: number | undefined;
  readonly killsBefore: number;
  readonly facts: Facts;
  readonly oom: readonly LastSample[];
}

export interface Restored {
  readonly ended: readonly Ended[];
  readonly live: readonly Remembered[];
  readonly namespaces: Namespaces;
}

const pack = ({ metric, labels, value }: LastSample): z.input<typeof Sample> => [metric, [...labels], value];
const unpack = ([metric, labels, value]: z.output<typeof Sample>): LastSample => ({ metric, labels, value });

/** JSON for the process after this one; undefined on a kernel without a boot id. `oomOf` gives what must not be lost. */
export function save(
  { live, ended }: Table,
  bootId: string | undefined,
  namespaces: Namespaces,
  oomOf: (path: string) => readonly LastSample[],
): z.input<typeof Saved> | undefined {
  if (bootId === undefined) return undefined;
  const wrapped = [...namespaces].flatMap(([name, widening]): [string, number[]][] => {
    const state = widening.state();
    return state === undefined ? [] : [[name, [...state]]];
  });
  return {
    version: 1,
    bootId,
    ended: [...ended.values()].map(({ path, endedAt, samples }) => ({ path, endedAt, samples: samples.map(pack) })),
    live: [...live.values()].map(({ path, inode, startTime, killsBefore, facts }) => ({
      path,
      inode,
      startTime: startTime ?? null,
      killsBefore,
      facts,
      oom: oomOf(path).map(pack),
    })),
    ...(wrapped.length === 0 ? {} : { wrapped: Object.fromEntries(wrapped) }),
  };
}

/** What an earlier probe process of this boot saved; nothing of another boot, or when it makes no sense. */
export function restore(saved: unknown, bootId: string | undefined): Restored {
  const parsed = Saved.safeParse(saved);
  if (!parsed.success || parsed.data.bootId !== bootId) return { ended: [], live: [], namespaces: new Map() };
  return {
    ended: parsed.data.ended.map(({ samples, ...one }) => ({ ...one, samples: samples.map(unpack) })),
    live: parsed.data.live.map(({ startTime, oom, ...one }) => ({
      ...one,
      startTime: startTime ?? undefined,
      oom: oom.map(unpack),
    })),
    namespaces: new Map(
      Object.entries(parsed.data.wrapped ?? {}).map(([name, columns]) => [name, openWidening(columns)]),
    ),
  };
}
