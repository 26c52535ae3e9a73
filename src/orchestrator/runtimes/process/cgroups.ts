// The cgroups of pods and their containers: made with their limits, asked who is in them, killed whole, and removed.
import { mkdir, readFile, rmdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemCode } from '../../../base/fault.ts';
import { findHierarchies, type Hierarchy, limitWrites, type Limits, unenforceable } from './cgroup-hierarchies.ts';
import { signal } from './proc.ts';

/** Beside docker's and Kubernetes' own, outside of the daemon's service, so that a restart of it ends no workload. */
const ROOT = 'jdos';

export const podGroup = (podUid: string): string => join(ROOT, `pod${podUid}`);
export const containerGroup = ({
  podUid,
  name,
  attempt,
}: {
  readonly podUid: string;
  readonly name: string;
  readonly attempt: number;
}): string => join(podGroup(podUid), `${name}_${attempt}`);

/** A group's path below each hierarchy; a missing group is an empty one. */
export interface Cgroups {
  readonly hierarchies: readonly Hierarchy[];
  /** Makes the group and those above it. What cannot be had is a warning. */
  make(group: string, limits: Limits): Promise<{ readonly procs: readonly string[]; readonly warnings: string[] }>;
  members(group: string): Promise<readonly number[]>;
  /** How often the kernel killed something in it for want of memory. */
  oomKills(group: string): Promise<number>;
  /** Removes the group where nobody is in it, and the ones above where they are empty. */
  remove(group: string): Promise<void>;
}

export async function openCgroups(): Promise<Cgroups> {
  const hierarchies = await findHierarchies();
  const each = (group: string): readonly string[] => hierarchies.map(({ mount }) => join(mount, group));
  return {
    hierarchies,
    async make(group, limits) {
      const warnings = [...unenforceable(hierarchies, limits)];
      const made = await Promise.all(hierarchies.map((hierarchy) => makeIn(hierarchy, group, limits, warnings)));
      return { procs: made.filter((file) => file !== undefined), warnings };
    },
    async members(group) {
      const pids = await Promise.all(each(group).map(readProcs));
      return [...new Set(pids.flat())];
    },
    async oomKills(group) {
      const files = each(group).flatMap((dir) => [join(dir, 'memory.events'), join(dir, 'memory.oom_control')]);
      const texts = await Promise.all(files.map((file) => readFile(file, 'utf8').catch(() => '')));
      return Math.max(0, ...texts.map((text) => Number(/^oom_kill (\d+)$/m.exec(text)?.[1] ?? 0)));
    },
    async remove(group) {
      for (let path = group; path !== '.'; path = join(path, '..')) await Promise.all(each(path).map(removeEmpty));
    },
  };
}

async function makeIn(
  hierarchy: Hierarchy,
  group: string,
  limits: Limits,
  warnings: string[],
): Promise<string | undefined> {
  const dir = join(hierarchy.mount, group);
  try {
    await mkdir(dir, { recursive: true });
    if (hierarchy.version === 2 && hierarchy.controllers.length > 0) await delegate(hierarchy, group);
  } catch (error) {
    warnings.push(`no cgroup ${dir}: ${systemCode(error) ?? String(error)}`);
    return undefined;
  }
  for (const { file, value, what } of limitWrites(hierarchy, limits)) {
    try {
      await writeFile(join(dir, file), value);
    } catch (error) {
      if (what !== undefined) warnings.push(`${what} is not enforced: ${file}: ${systemCode(error) ?? String(error)}`);
    }
  }
  return join(dir, 'cgroup.procs');
}

/** On v2 a group has the controllers that each group above it hands down. */
async function delegate({ mount, controllers }: Hierarchy, group: string): Promise<void> {
  const text = controllers.map((name) => `+${name}`).join(' ');
  let at = mount;
  for (const part of group.split('/')) {
    await writeFile(join(at, 'cgroup.subtree_control'), text);
    at = join(at, part);
  }
}

const readProcs = async (dir: string): Promise<readonly number[]> => {
  const text = await readFile(join(dir, 'cgroup.procs'), 'utf8').catch(() => '');
  return text.split('\n').filter(Boolean).map(Number);
};

async function removeEmpty(dir: string): Promise<void> {
  for (let tries = 0; tries < 20; tries += 1) {
    try {
      return await rmdir(dir);
    } catch (error) {
      // The kernel lets go of the last process a moment after it is gone; groups below are no such matter.
      const holdsProcess = systemCode(error) === 'EBUSY' && (await readProcs(dir)).length === 0;
      if (!holdsProcess || (await hasGroups(dir))) return;
      await sleep(10);
    }
  }
}

const hasGroups = async (dir: string): Promise<boolean> => (await stat(dir).catch(() => undefined))?.nlink !== 2;

/** Kills everything in the group, over and over, because it may fork meanwhile. Resolves whether it is empty. */
export async function killAll(members: () => Promise<readonly number[]>, deadlineMs: number): Promise<boolean> {
  const until = performance.now() + deadlineMs;
  for (;;) {
    const pids = await members();
    if (pids.length === 0) return true;
    if (performance.now() >= until) return false;
    for (const pid of pids) signal(pid, 'SIGKILL');
    await sleep(10);
  }
}
