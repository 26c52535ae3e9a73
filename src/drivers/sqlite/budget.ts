// The disk budget: how much all stores may take, and when the file system is too full to go on writing.
import { statfsSync, type StatsFs } from 'node:fs';
import { statfs } from 'node:fs/promises';

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
export const diskState = (dir: string): DiskState => judge(statfsSync(dir));

/** As {@link diskState}, for a thread that must not wait for a disk. */
export const askDiskState = async (dir: string): Promise<DiskState> => judge(await statfs(dir));

function judge({ bsize, blocks, bfree, bavail }: StatsFs): DiskState {
  const used = blocks - bfree;
  const usedRatio = used + bavail === 0 ? 0 : used / (used + bavail);
  return {
    budgetBytes: Math.min(MAX_BUDGET, Math.floor(blocks * bsize * BUDGET_SHARE)),
    usedRatio,
    full: usedRatio >= FULL_AT,
  };
}
