// The mounts of a host as /proc/PID/mountinfo lists them, and which of them are shown.
import { eachLine, unexpected } from '../kernel/text.ts';

export interface Mount {
  readonly mountpoint: string;
  readonly device: string;
  readonly fstype: string;
  /** Mounted read-only, or its file system became read-only, as ext4's does after an error. */
  readonly readonly: boolean;
}

const FILE = '/proc/PID/mountinfo';

/** Undoes the kernel's `\040`: a backslash and three octal digits for blank, tab, line feed, `#` and backslash. */
export function decodeOctal(text: string): string {
  if (!text.includes('\\')) return text;
  return text.replace(/\\([0-3][0-7]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

/** How ext4 says that it writes no more after an error, since Linux 6.15 (`emergency_ro`; before 6.12 it became `ro`), or was shut down. */
const READONLY = new Set(['ro', 'emergency_ro', 'shutdown']);

/** Whether one of the options of a mount, or of its file system, says that nothing is written. */
export const isReadonly = (options: string | undefined): boolean =>
  options?.split(',').some((option) => READONLY.has(option)) ?? false;

function parseMount(line: string): Mount {
  const separator = line.indexOf(' - '); // fields have no blanks, so this is the end of the optional ones
  if (separator === -1) throw unexpected(FILE, line);
  const [, , , , mountpoint, options] = line.slice(0, separator).split(' ');
  const [fstype, device, superOptions] = line.slice(separator + 3).split(' ');
  if (!mountpoint?.startsWith('/') || options === undefined || !fstype || device === undefined) {
    throw unexpected(FILE, line);
  }
  return {
    mountpoint: decodeOctal(mountpoint),
    device: decodeOctal(device),
    fstype: decodeOctal(fstype),
    readonly: isReadonly(options) || isReadonly(superOptions),
  };
}

/**
 * Parses mountinfo (proc_pid_mountinfo(5)). Of several mounts on one mount point only the last is there: it covers the
 * others, and its numbers are the ones statfs(2) gives.
 */
export function parseMountinfo(text: string): Mount[] {
  const mounts = new Map<string, Mount>();
  eachLine(text, (line) => {
    const mount = parseMount(line);
    mounts.delete(mount.mountpoint);
    mounts.set(mount.mountpoint, mount);
  });
  return [...mounts.values()];
}

const isAtOrBelow = (path: string, top: string): boolean =>
  path === top || path.startsWith(top.endsWith('/') ? top : `${top}/`);

interface Exclusions {
  readonly excludeTypes: readonly string[];
  /** Paths that are left out with everything below them. */
  readonly excludeMounts: readonly string[];
}

export const isShown = (mount: Mount, { excludeTypes, excludeMounts }: Exclusions): boolean =>
  !excludeTypes.includes(mount.fstype) && !excludeMounts.some((top) => isAtOrBelow(mount.mountpoint, top));

/** The mounts below `root` as the host names them, when only this process' own mounts can be read. */
export function belowRoot(mounts: readonly Mount[], root: string): Mount[] {
  if (root === '/') return [...mounts];
  return mounts
    .filter(({ mountpoint }) => isAtOrBelow(mountpoint, root))
    .map((mount) => ({ ...mount, mountpoint: mount.mountpoint.slice(root.length) || '/' }));
}
