// Which cgroup hierarchies a host has mounted, and in which of them each controller is: v1, v2, or both side by side.
import { Fault, faultKind } from '../../base/fault.ts';
import { decodeOctal } from '../host/mounts.ts';
import { readFailure, type HostFiles } from '../host-files.ts';
import { eachLine } from '../kernel/text.ts';

const NO_CGROUPS = faultKind(
  'JD_NO_CGROUPS',
  503,
  'mount a cgroup hierarchy at /sys/fs/cgroup, or point hostRoot at the root of the host: /proc/1/mountinfo there lists none',
);

export interface CgroupLayout {
  readonly mode: 'v1' | 'v2' | 'hybrid';
  /** Mount points of the v1 hierarchies by controller; those without one by name, such as `name=systemd`. */
  readonly v1: ReadonlyMap<string, string>;
  /** The mount point of v2. On hybrid hosts it has the pressure and the CPU time of each group, and few controllers. */
  readonly unified: string | undefined;
  /** The mount point of the hierarchy whose tree says which groups there are. */
  readonly tree: string;
}

/** Flags and options of a v1 hierarchy that are not controllers (cgroups(7) and the mount options of the kernel). */
const NO_CONTROLLERS = new Set(['rw', 'ro', 'xattr', 'noprefix', 'clone_children', 'cpuset_v2_mode', 'seclabel']);
/** Of v1 the first that is mounted is walked: container runtimes make their groups in all of these. */
const WALKED = ['memory', 'pids', 'cpu', 'cpuacct', 'blkio', 'name=systemd'];

/** The hierarchies in mountinfo (proc_pid_mountinfo(5)); undefined where there are none. */
export function parseCgroupMounts(text: string): CgroupLayout | undefined {
  const v1 = new Map<string, string>();
  let unified: string | undefined;
  // A mount that shows the whole hierarchy is better than one that shows a part, which containers have.
  const rooted = new Set<string>();
  eachLine(text, (line) => {
    const separator = line.indexOf(' - cgroup');
    if (separator === -1) return;
    const [, , , root, mountpoint] = line.slice(0, separator).split(' ');
    const [type, , options = ''] = line.slice(separator + 3).split(' ');
    if (!mountpoint?.startsWith('/')) return;
    const keep = (key: string, take: (mount: string) => void): void => {
      if (rooted.has(key)) return;
      if (root === '/') rooted.add(key);
      take(decodeOctal(mountpoint));
    };
    if (type === 'cgroup2') keep('v2', (mount) => (unified = mount));
    if (type !== 'cgroup') return;
    for (const option of options.split(',')) {
      if (option === '' || NO_CONTROLLERS.has(option) || option.startsWith('release_agent=')) continue;
      keep(option, (mount) => v1.set(option, mount));
    }
  });
  const walked = WALKED.map((name) => v1.get(name)).find((mount) => mount !== undefined);
  const hasControllers = [...v1.keys()].some((name) => !name.startsWith('name='));
  const tree = hasControllers || unified === undefined ? (walked ?? unified) : unified;
  if (tree === undefined) return undefined;
  return { mode: unified === undefined ? 'v1' : hasControllers ? 'hybrid' : 'v2', v1, unified, tree };
}

const LARGEST = 16 * 1024 * 1024; // an overlay mount has a line of some kilobytes, and hosts with thousands exist

/** The hierarchies of the host, as its first process sees them. Throws a Fault where there are none. */
export function readLayout(host: HostFiles): CgroupLayout {
  const layout = parseCgroupMounts(readMountinfo(host));
  if (layout === undefined) throw new Fault(NO_CGROUPS, 'no cgroup hierarchy is mounted');
  return layout;
}

function readMountinfo(host: HostFiles): string {
  try {
    return host.text('/proc/1/mountinfo', LARGEST);
  } catch (error) {
    if (readFailure(error) === 'failed') throw error;
    return host.text('/proc/self/mountinfo', LARGEST);
  }
}
