// Holds the probe process to `probes.budget.maxRssBytes`: it frees what it can, and ends itself when that does not do.
import type { Logger } from '../base/logging.ts';
import { formatBytes } from '../base/units.ts';
import type { Clock } from './clock.ts';

/** A process is taken as grown up, with its tables filled once, after this long. */
const YOUNG_MS = 60_000;
/** A fresh process that is over the budget by itself may grow by this much until a restart is worth trying. */
const GROWTH = 1.5;
/** At most one process in this time ends for its memory. */
const END_EVERY_MS = 3_600_000;
/** Freeing takes some hundred milliseconds of CPU time where there is much. */
const FREE_EVERY_MS = 300_000;

export interface MemoryFacts {
  readonly residentBytes: number;
  readonly maxRssBytes: number;
  readonly ageMs: number;
  /** Resident bytes when the process was grown up; undefined before. */
  readonly freshBytes: number | undefined;
  /** Since it was freed last; undefined: never. */
  readonly sinceFreedMs: number | undefined;
  /** Since a probe process ended for its memory; undefined: none has. */
  readonly sinceEndMs: number | undefined;
}

/** `bear`: it is over the budget, and nothing can be done about it now. */
type MemoryStep = 'fine' | 'free' | 'end' | 'bear';

/** What to do next: free first, then end, never in a loop. */
export function memoryStep(facts: MemoryFacts): MemoryStep {
  const { residentBytes, maxRssBytes, ageMs, freshBytes, sinceFreedMs, sinceEndMs } = facts;
  if (residentBytes <= maxRssBytes) return 'fine';
  if (sinceFreedMs === undefined || sinceFreedMs >= FREE_EVERY_MS) return 'free';
  if (ageMs < YOUNG_MS || freshBytes === undefined) return 'bear';
  if (residentBytes <= freshBytes * GROWTH && freshBytes > maxRssBytes) return 'bear';
  return sinceEndMs === undefined || sinceEndMs >= END_EVERY_MS ? 'end' : 'bear';
}

interface MemoryGuardOptions {
  readonly maxRssBytes: number;
  /** Unix milliseconds when a probe process ended for its memory last. */
  readonly lastEndAt: number | undefined;
  readonly residentBytes: () => number;
  /** Collects all garbage. */
  readonly free: () => void;
  /** Ends the process in order. */
  readonly end: () => void;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Returns what compares the resident size to the budget now; it costs some microseconds. */
export function openMemoryGuard(options: MemoryGuardOptions): () => void {
  const { maxRssBytes, lastEndAt, residentBytes, free, end, clock, log } = options;
  const startedAt = clock.uptime();
  let freshBytes: number | undefined;
  let freedAt: number | undefined;
  let ending = false;
  let told = false;

  const step = (): MemoryStep => {
    const now = clock.uptime();
    const ageMs = now - startedAt;
    const bytes = residentBytes();
    if (ageMs >= YOUNG_MS) freshBytes ??= bytes;
    return memoryStep({
      residentBytes: bytes,
      maxRssBytes,
      ageMs,
      freshBytes,
      sinceFreedMs: freedAt === undefined ? undefined : now - freedAt,
      sinceEndMs: lastEndAt === undefined ? undefined : Math.max(0, clock.now() - lastEndAt),
    });
  };
  return () => {
    if (ending) return;
    let next = step();
    if (next === 'free') {
      free();
      freedAt = clock.uptime();
      next = step();
    }
    if (next === 'fine') {
      told = false;
      return;
    }
    ending = next === 'end';
    const about = { resident: formatBytes(residentBytes()), allowed: formatBytes(maxRssBytes) };
    if (ending) log.warn(about, 'this process ends: it holds more memory than probes.budget.maxRssBytes allows');
    else if (!told) log.warn(about, 'this process needs more memory than probes.budget.maxRssBytes allows');
    told = true;
    if (ending) end();
  };
}
