// Keeps what the inventory saw last and looks again each hour, without making the other collectors wait for it.
import { setTimeout as sleep } from 'node:timers/promises';
import { parseWith, z } from '../../base/schema.ts';
import { Hardware } from './hardware.ts';

const HOUR_MS = 3_600_000;
const RETRY_MS = 600_000;
/** Collectors run one after another: a look that takes longer than this goes on in the background. */
const PATIENCE_MS = 1000;

/** `at` in Unix milliseconds. */
const Seen = z.strictObject({ at: z.number(), hardware: Hardware });
export type Seen = z.output<typeof Seen>;

interface LookoutOptions {
  readonly look: () => Promise<Hardware>;
  /** Unix milliseconds. */
  readonly now: () => number;
  /** What `state()` gave in the process before this one; anything else is left alone. */
  readonly saved: unknown;
  readonly patienceMs?: number;
}

interface Lookout {
  /** What was seen last; undefined while the first look has not ended. Rejects when the last look failed. */
  latest(): Promise<Seen | undefined>;
  state(): Seen | undefined;
}

export function openLookout({ look, now, saved, patienceMs = PATIENCE_MS }: LookoutOptions): Lookout {
  const parsed = parseWith(Seen, saved);
  let seen = 'value' in parsed ? parsed.value : undefined;
  let failed: { readonly at: number; readonly error: unknown } | undefined;
  let looking: Promise<void> | undefined;

  const isDue = (): boolean => {
    const last = failed?.at ?? seen?.at;
    const age = now() - (last ?? -Infinity);
    return age < 0 || age >= (failed === undefined ? HOUR_MS : RETRY_MS); // below 0 the clock was set back
  };

  const start = async (): Promise<void> => {
    try {
      seen = { hardware: await look(), at: now() };
      failed = undefined;
    } catch (error) {
      failed = { at: now(), error };
    }
  };

  return {
    async latest() {
      if (looking === undefined && isDue()) looking = start().finally(() => (looking = undefined));
      if (looking !== undefined) {
        const enough = new AbortController();
        const waited = sleep(patienceMs, undefined, { signal: enough.signal }).catch(() => undefined);
        await Promise.race([looking, waited]);
        enough.abort();
      }
      if (failed !== undefined) throw failed.error;
      return seen;
    },
    state: () => seen,
  };
}
