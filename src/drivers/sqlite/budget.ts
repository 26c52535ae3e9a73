// The disk budget: how much all stores may take, and when the file system is too full to go on writing.
import { statfsSync } from 'node:fs';

const MAX_BUDGET = 10_000_000_000;
const BUDGET_SHARE = 0.1;
/** Writing stops here, so that the host keeps working. */
const FULL_AT = 0.9;

export interface DiskState {
  /** What all stores together may take: the smaller of 10 GB and 10 % of the file system. */
  readonly budgetBytes: number;
  /** Used part of what unprivileged users may use, as `df` shows it. */
  readonly usedRatio: number;
  readonly full: boolean;
}

/** The file system of a directory. Throws where it cannot be asked. */
export function diskState(dir: string): DiskState {
  const { bsize, blocks, bfree, bavail } = statfsSync(dir);
  const used = blocks - bfree;
  const usedRatio = used + bavail === 0 ? 0 : used / (used + bavail);
  return {
    budgetBytes: Math.min(MAX_BUDGET, Math.floor(blocks * bsize * BUDGET_SHARE)),
    usedRatio,
    full: usedRatio >= FULL_AT,
  };
}
