// What survives a restart of the probe process: all counts.
import { z } from '../../base/schema.ts';
import { LABELS } from '../container/family.ts';
import type { Containers } from './containers.ts';
import { emptyTally, type Tally } from './tally.ts';

/** All that lasts longer than one collection. */
export interface Counts {
  readonly execs: Tally;
  readonly exits: Tally;
  readonly victims: Tally;
  readonly containers: Containers;
  /** Events that were lost before they were read. */
  lost: number;
}

const amount = z.number().int().nonnegative();
const text = z.string().max(4096);
const tally = z.object({ named: z.array(z.tuple([text, amount])).max(1000), other: amount });

const Saved = z.object({
  version: z.literal(1),
  bootId: z.string(),
  execs: tally,
  exits: tally,
  victims: tally,
  lost: amount,
  containers: z
    .array(
      z.object({
        path: text,
        labels: z.array(text).length(LABELS.length),
        counts: z.tuple([amount, amount, amount]),
        aliveAt: z.number(),
      }),
    )
    .max(20_000),
});

const pack = ({ named, other }: Tally): z.input<typeof tally> => ({ named: [...named], other });

const unpack = ({ named, other }: z.output<typeof tally>): Tally => ({ ...emptyTally(), named: new Map(named), other });

/** JSON for the process after this one; undefined on a kernel without a boot id. */
export function save(counts: Counts, bootId: string | undefined): z.input<typeof Saved> | undefined {
  if (bootId === undefined) return undefined;
  return {
    version: 1,
    bootId,
    execs: pack(counts.execs),
    exits: pack(counts.exits),
    victims: pack(counts.victims),
    lost: counts.lost,
    containers: [...counts.containers].map(([path, { labels, execs, exits, victims, aliveAt }]) => ({
      path,
      labels: [...labels],
      counts: [execs, exits, victims],
      aliveAt,
    })),
  };
}

/** What an earlier probe process of this boot saved, or a new beginning. */
export function restore(saved: unknown, bootId: string | undefined): Counts {
  const parsed = Saved.safeParse(saved);
  if (!parsed.success || parsed.data.bootId !== bootId) {
    return {
      execs: emptyTally(),
      exits: emptyTally(),
      victims: emptyTally(),
      containers: new Map(),
      lost: 0,
    };
  }
  const { execs, exits, victims, containers, lost } = parsed.data;
  return {
    execs: unpack(execs),
    exits: unpack(exits),
    victims: unpack(victims),
    containers: new Map(
      containers.map(({ path, labels, counts: [execs, exits, victims], aliveAt }) => [
        path,
        { labels, execs, exits, victims, aliveAt },
      ]),
    ),
    lost,
  };
}
