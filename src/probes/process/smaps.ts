// /proc/PID/smaps_rollup: a process's fair share of the memory it shares, and whose turn it is to be asked.
import { labelled } from './bytes.ts';

/** What JDOS uses of `/proc/PID/smaps_rollup` (proc_pid_smaps_rollup(5), Linux 4.14 and later). */
export interface Proportional {
  readonly residentBytes: number;
  readonly swappedBytes: number;
}

const PSS = Buffer.from('\nPss:');
const SWAP_PSS = Buffer.from('\nSwapPss:');

/** Parses the file. Undefined when it is not one. */
export function parseSmapsRollup(bytes: Buffer): Proportional | undefined {
  const resident = labelled(bytes, PSS);
  const swapped = labelled(bytes, SWAP_PSS);
  return resident === undefined || swapped === undefined
    ? undefined
    : { residentBytes: resident * 1024, swappedBytes: swapped * 1024 };
}

/** A process that can be sampled; `sampledAt` is the uptime of the last try. */
interface Candidate {
  readonly sampledAt: number | undefined;
}

/**
 * Who is sampled in this collection: those never sampled and those whose sample would be older than `everySeconds` before
 * the next one, the oldest first. Each kind has its own share, so that a fork storm does not starve the old; no collection
 * takes more than half of all.
 */
export function dueForSample<T extends Candidate>(
  candidates: readonly T[],
  now: number,
  { everySeconds, intervalSeconds }: { readonly everySeconds: number; readonly intervalSeconds: number },
): T[] {
  if (everySeconds === 0) return [];
  const cadence = Math.max(intervalSeconds, everySeconds - intervalSeconds);
  const half = Math.ceil(candidates.length / 2);
  const share = Math.min(half, Math.ceil((candidates.length * intervalSeconds) / cadence));
  const fresh = candidates.filter((each) => each.sampledAt === undefined).slice(0, share);
  const old = candidates
    .filter((each) => each.sampledAt !== undefined && now - each.sampledAt >= cadence - intervalSeconds / 2)
    .sort((a, b) => (a.sampledAt ?? 0) - (b.sampledAt ?? 0))
    .slice(0, Math.min(share, half - fresh.length));
  return [...fresh, ...old];
}
