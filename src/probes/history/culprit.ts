// Who did it: of the processes of a moment, the one that took most more than it had taken an hour before. Pure.

/** What processes are compared by. */
export const BY = { cpu: 'cpuRatio', memory: 'rssBytes', fds: 'fds' } as const;
export type By = keyof typeof BY;

interface Candidate {
  readonly pid: number;
  readonly startTime: number;
  readonly cpuRatio: number | null;
  readonly rssBytes: number | null;
  readonly fds: number | null;
}

interface Culprit<P> {
  readonly process: P;
  /** In the unit of what it is compared by: cores, bytes, descriptors. */
  readonly value: number;
  /** What it had in the earlier moment; 0 where it was not there yet, null where nothing is known of that moment. */
  readonly before: number | null;
}

/** The time of a start moves a little when the clock is set. Seconds. */
const SAME_START = 5;

export const sameProcess = (
  a: { readonly pid: number; readonly startTime: number },
  b: { readonly pid: number; readonly startTime: number },
): boolean => a.pid === b.pid && Math.abs(a.startTime - b.startTime) <= SAME_START;

/**
 * The process of `now` whose value grew most since `earlier`. One that is not listed there and was started since had nothing;
 * one that was running had at most as much as the least of those listed, and is taken to have had that.
 */
export function findCulprit<P extends Candidate>(
  now: readonly P[],
  earlier: { readonly at: number; readonly processes: readonly Candidate[] } | undefined,
  by: By,
): Culprit<P> | undefined {
  const key = BY[by];
  const listed = earlier?.processes.flatMap((process) => process[key] ?? []) ?? [];
  const least = listed.length === 0 ? 0 : Math.min(...listed);
  let worst: (Culprit<P> & { readonly grown: number }) | undefined;
  for (const process of now) {
    const value = process[key];
    if (value === null || value <= 0) continue;
    const old = earlier?.processes.find((one) => sameProcess(one, process));
    const wasThere = earlier !== undefined && process.startTime * 1000 < earlier.at;
    const before = earlier === undefined ? null : old === undefined ? (wasThere ? least : 0) : (old[key] ?? 0);
    const grown = value - (before ?? 0);
    if (worst === undefined || grown > worst.grown) worst = { process, value, before, grown };
  }
  return worst === undefined ? undefined : { process: worst.process, value: worst.value, before: worst.before };
}
