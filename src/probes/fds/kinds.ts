// What an open file descriptor is, by the text of its link in /proc/PID/fd and what fdinfo says of it.
import { constants } from 'node:fs';
import { eachLine } from '../kernel/text.ts';

/** Kinds with a name of our own; anything else is called what the kernel calls it, such as `io_uring` or `pidfd`. */
type Kind = 'socket' | 'pipe' | 'file' | 'directory' | 'device' | 'namespace' | 'memfd' | 'dmabuf' | (string & {});

const ANONYMOUS = 'anon_inode:';
const NUMBERED = /^([a-z_]{1,40}):\[(\d{1,20})\]$/;
const NAMESPACES = new Set(['cgroup', 'ipc', 'mnt', 'net', 'pid', 'pid_for_children', 'time', 'user', 'uts']);
const MEMFD = '/memfd:';
const UNREACHABLE = '(unreachable)';
const DELETED = ' (deleted)';
/** Regular files below /dev. */
const NO_DEVICES = ['/dev/shm/', '/dev/mqueue/', '/dev/hugepages/'];

/** What can be told by the link alone: a kind, or that it is a path. */
export type Target =
  | { readonly kind: Kind; readonly inode?: number }
  | {
      readonly kind: undefined;
      /** Without the ` (deleted)` behind it. */
      readonly path: string;
      readonly deleted: boolean;
      /** Named as a file of memfd_create(2), which any file at the top of a file system may be. */
      readonly memfd: boolean;
    };

/** Classifies the text of a link (proc_pid_fd(5)). A file whose name ends in ` (deleted)` looks like one that was removed. */
export function classify(link: string): Target {
  if (link.startsWith('/') || link.startsWith(UNREACHABLE)) {
    if (link.startsWith('/dmabuf:')) return { kind: 'dmabuf' };
    const deleted = link.endsWith(DELETED);
    const path = deleted ? link.slice(0, -DELETED.length) : link;
    return { kind: undefined, path, deleted, memfd: deleted && path.startsWith(MEMFD) };
  }
  if (link.startsWith(ANONYMOUS)) return { kind: anonymous(link.slice(ANONYMOUS.length)) };
  const [, name = '', number] = NUMBERED.exec(link) ?? [];
  if (number === undefined) return { kind: 'other' };
  return { kind: NAMESPACES.has(name) ? 'namespace' : name, inode: Number(number) };
}

/** `[eventfd]`, `inotify`, `kvm-vcpu:3`: without brackets, and without the number of one of many. */
const anonymous = (name: string): Kind => {
  const bare = name.replace(/^\[(.*)\]$/, '$1').replace(/:\d+$/, '');
  return /^[A-Za-z][\w.-]{0,39}$/.test(bare) ? bare : 'other';
};

/** What a path leads to, without asking its file system: a FIFO counts as a file, and so does a directory opened as one. */
export function kindOfPath(path: string, { directory }: { readonly directory: boolean }): Kind {
  if (directory) return 'directory';
  return path.startsWith('/dev/') && !NO_DEVICES.some((top) => path.startsWith(top)) ? 'device' : 'file';
}

/** What JDOS uses of /proc/PID/fdinfo/FD (proc_pid_fdinfo(5)). */
export interface FdInfo {
  /** Opened with O_DIRECTORY, as opendir(3) does. */
  readonly directory: boolean;
  /** As in /proc/PID/mountinfo. */
  readonly mountId: number | undefined;
  /** Lines of an inotify descriptor that stand for one watch each. */
  readonly watches: number;
}

/** Parses fdinfo; what is not there is undefined, other lines are none of ours. */
export function parseFdInfo(text: string): FdInfo {
  const flags = /^flags:\t0?([0-7]{1,16})$/m.exec(text)?.[1];
  const mount = /^mnt_id:\t(\d{1,10})$/m.exec(text)?.[1];
  let watches = 0;
  eachLine(text, (line) => {
    if (line.startsWith('inotify wd:')) watches += 1;
  });
  return {
    directory: flags !== undefined && (Number.parseInt(flags, 8) & constants.O_DIRECTORY) !== 0,
    mountId: mount === undefined ? undefined : Number(mount),
    watches,
  };
}
