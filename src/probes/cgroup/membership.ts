// Which cgroup a process is in, of the hierarchy whose groups are shown: /proc/PID/cgroup (cgroups(7)).
import type { HostFiles } from '../host-files.ts';
import { unsigned } from '../kernel/text.ts';
import { readLayout, type CgroupLayout } from './layout.ts';

/** The controller of the hierarchy that is walked, as /proc/PID/cgroup names it; '' is v2. */
export function controllerOf({ v1, unified, tree }: CgroupLayout): string {
  if (tree === unified) return '';
  return [...v1].find(([, mount]) => mount === tree)?.[0] ?? '';
}

const DELETED = ' (deleted)';

/** The line of a controller in /proc/PID/cgroup (cgroups(7)): the number of the hierarchy, and the path in it. */
export function parseMembership(
  text: string,
  controller: string,
): { readonly hierarchy: number; readonly path: string } | undefined {
  for (const line of text.split('\n')) {
    const first = line.indexOf(':');
    const second = line.indexOf(':', first + 1);
    if (first === -1 || second === -1 || line[second + 1] !== '/') continue;
    if (
      !line
        .slice(first + 1, second)
        .split(',')
        .includes(controller)
    )
      continue;
    const hierarchy = unsigned(line.slice(0, first));
    const path = line.slice(second + 1);
    if (hierarchy === undefined) return undefined;
    return { hierarchy, path: path.endsWith(DELETED) ? path.slice(0, -DELETED.length) : path };
  }
  return undefined;
}

/** The controller of this host's hierarchy; undefined where no cgroups are mounted. */
export function readController(host: HostFiles): string | undefined {
  try {
    return controllerOf(readLayout(host));
  } catch {
    return undefined;
  }
}

/** The cgroup of a process; undefined when it has ended. */
export function readMembership(
  host: HostFiles,
  pid: number | 'self',
  controller: string,
): ReturnType<typeof parseMembership> {
  try {
    return parseMembership(host.text(`/proc/${pid}/cgroup`), controller);
  } catch {
    return undefined; // it has ended
  }
}
