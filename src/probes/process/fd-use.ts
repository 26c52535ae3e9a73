// How near a process is to its limit of open files.

/** Absent or null is not known; in JSON, where there is no Infinity, also a limit that is none. */
interface FdUse {
  readonly fds?: number | null | undefined;
  /** The soft limit. */
  readonly fdLimit?: number | null | undefined;
}

const isKnown = (value: number | null | undefined): value is number => typeof value === 'number';

/** Open fds by the soft limit. A limit of 0 is a sandbox that opens nothing more, not a full one: it has no ratio. */
export function fdRatio({ fds, fdLimit }: FdUse): number | undefined {
  if (fds === 0) return 0;
  return isKnown(fds) && isKnown(fdLimit) && fdLimit !== 0 ? fds / fdLimit : undefined;
}

/** How many fds more it may open; undefined where nothing limits it, and for the sandbox with a limit of 0. */
export function fdHeadroom({ fds, fdLimit }: FdUse): number | undefined {
  if (!isKnown(fds) || !isKnown(fdLimit) || fdLimit === 0 || fdLimit === Infinity) return undefined;
  return Math.max(0, fdLimit - fds);
}
