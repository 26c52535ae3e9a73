// What is known of each disk, and which of them is asked next: one at a time, each once in an hour.
import { parseWith, z } from '../../base/schema.ts';
import { MOST_SAMPLES, SmartSample } from './samples.ts';
import { STATES, type Verdict } from './verdict.ts';

const Known = z.object({
  state: z.enum(STATES),
  /** When it was asked last, and when it last answered with values: Unix milliseconds. */
  askedAt: z.number(),
  readAt: z.number().nullable(),
  samples: z.array(SmartSample).max(MOST_SAMPLES),
});
type Known = z.output<typeof Known>;
export const KnownDisks = z.record(z.string().max(64), Known);
type KnownDisks = z.output<typeof KnownDisks>;

const HOUR_MS = 3_600_000;

/** What an earlier process saved; nothing where it cannot be read. */
export function restoreKnown(saved: unknown): Map<string, Known> {
  const parsed = parseWith(KnownDisks, saved);
  return new Map('value' in parsed ? Object.entries(parsed.value) : []);
}

export const saveKnown = (known: ReadonlyMap<string, Known>): KnownDisks => Object.fromEntries(known);

/** The disk that waits longest, of those whose hour has passed; those in `busy` are left alone. */
export function nextDue(
  disks: readonly string[],
  known: ReadonlyMap<string, Pick<Known, 'askedAt'>>,
  busy: ReadonlySet<string>,
  now: number,
): string | undefined {
  const waited = (disk: string): number => {
    const age = now - (known.get(disk)?.askedAt ?? -Infinity);
    return age < 0 ? Infinity : age; // asked in a time to come: the clock was set back
  };
  return disks
    .filter((disk) => !busy.has(disk) && waited(disk) >= HOUR_MS)
    .reduce<string | undefined>(
      (longest, disk) => (longest === undefined || waited(disk) > waited(longest) ? disk : longest),
      undefined,
    );
}

/** What is known after an answer. A disk that sleeps, or does not answer, keeps the values of before, which say how old they are. */
export function learn(before: Known | undefined, { state, samples }: Verdict, now: number): Known {
  if (state === 'read') return { state, askedAt: now, readAt: now, samples: [...(samples ?? [])] };
  const keeps = state === 'standby' || state === 'failed' || state === 'hung';
  return {
    state,
    askedAt: now,
    readAt: keeps ? (before?.readAt ?? null) : null,
    samples: keeps ? (before?.samples ?? []) : [],
  };
}
