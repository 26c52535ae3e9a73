// Walks the tree of cgroups: bounded, without reading the directories of groups that have none below them.
import { readFailure, type HostFiles } from '../host-files.ts';
import type { CgroupLayout } from './layout.ts';

/** A group that was found; `inode` tells it from another one that had its path before. */
export interface FoundGroup {
  readonly path: string;
  readonly inode: number;
}

interface Walked {
  /** Groups that were looked at, the root not among them. */
  readonly visited: number;
  /** The bounds were reached, or a group may not be looked into: there are more. */
  readonly truncated: boolean;
}

const MOST_GROUPS = 100_000;
const DEEPEST = 64;
/** A directory of cgroupfs has two links, and one more for each directory in it. Other file systems may say 1. */
const LEAF_LINKS = 2;

/** Calls `visit` with each group below the root; the groups below one are walked where it returns true. */
export function walkCgroups(
  host: HostFiles,
  { tree }: Pick<CgroupLayout, 'tree'>,
  visit: (group: FoundGroup) => boolean,
  most = MOST_GROUPS,
): Walked {
  const waiting: { readonly path: string; readonly depth: number }[] = [{ path: '', depth: 0 }];
  let visited = 0;
  let truncated = false;
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    // The root must be readable; a group that was removed meanwhile is none.
    const names = next.path === '' ? host.directories(tree) : readable(() => host.directories(`${tree}${next.path}`));
    if (names === 'refused') truncated = true;
    for (const name of Array.isArray(names) ? names : []) {
      if (visited >= most) return { visited, truncated: true };
      const path = `${next.path}/${name}`;
      const node = readable(() => host.node(`${tree}${path}`));
      if (node === 'refused') truncated = true;
      if (typeof node === 'string') continue;
      visited += 1;
      if (!visit({ path, inode: node.inode }) || node.links === LEAF_LINKS) continue;
      if (next.depth + 1 < DEEPEST) waiting.push({ path, depth: next.depth + 1 });
      else truncated = true;
    }
  }
  return { visited, truncated };
}

/** What is read; `refused` is not that there is nothing. */
function readable<T>(read: () => T): T | 'gone' | 'refused' {
  try {
    return read();
  } catch (error) {
    const failure = readFailure(error);
    if (failure === 'failed') throw error;
    return failure === 'absent' ? 'gone' : 'refused';
  }
}
