// The one reader of the host: every path is below a root, bounded in size, opened without blocking, and regular.
import {
  closeSync,
  constants,
  fstatSync,
  opendirSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  realpathSync,
  statfsSync,
  statSync,
  watch,
} from 'node:fs';
import { join } from 'node:path';
import { Fault, faultKind, systemCode } from '../base/fault.ts';

const NOT_REGULAR = faultKind(
  'JD_NOT_A_REGULAR_FILE',
  500,
  'put back the regular file that belongs at this path; the daemon does not read FIFOs, sockets or devices in its place',
);
const TOO_LARGE = faultKind(
  'JD_FILE_TOO_LARGE',
  500,
  'look at what writes this file: it is larger than any kernel makes it',
);
export const QUARANTINED = faultKind(
  'JD_TARGET_QUARANTINED',
  503,
  'an earlier read of this target hung; find out why (a dead NFS or FUSE server, a process in state D), it is tried again by itself',
);

/** Told about each read that can block for ever, so that a hang can be named and the process killed. */
interface Announcer {
  begin(target: string): void;
  end(): void;
}

export interface FileSystemStats {
  readonly blockSize: number;
  readonly blocks: number;
  readonly free: number;
  readonly available: number;
  readonly files: number;
  readonly filesFree: number;
}

/** What an inode is, by stat(2). */
export interface FileStatus {
  readonly device: number;
  readonly inode: number;
  /** Names that lead to it; 0: it was removed, and is there as long as something holds it. */
  readonly links: number;
  readonly bytes: number;
  /** What it takes: `st_blocks` of 512 bytes. */
  readonly diskBytes: number;
}

/** Why a read failed, in the words of the self metrics. */
type ReadFailure = 'absent' | 'permission' | 'failed';

const ABSENT = new Set(['ENOENT', 'ESRCH', 'ENODEV', 'ENOTDIR', 'ENXIO']);
const FORBIDDEN = new Set(['EACCES', 'EPERM']);

export function readFailure(error: unknown): ReadFailure {
  const code = systemCode(error);
  if (code !== undefined && ABSENT.has(code)) return 'absent';
  return code !== undefined && FORBIDDEN.has(code) ? 'permission' : 'failed';
}

const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
const DEFAULT_LIMIT = 1024 * 1024;
const PROC_SUPER_MAGIC = 0x9fa0; // include/uapi/linux/magic.h
const SYSFS_MAGIC = 0x62656572;

export class HostFiles {
  /** `/`, or the directory where the host is mounted (`--host-root`). */
  readonly root: string;
  readonly #announcer: Announcer;
  readonly #quarantined: ReadonlySet<string>;
  /** Trees that the kernel makes itself hold regular files only: the check of each file is saved there. */
  readonly #kernelTrees: readonly string[];
  #buffer = Buffer.allocUnsafeSlow(64 * 1024);

  constructor(root: string, announcer: Announcer = { begin() {}, end() {} }, quarantined: Iterable<string> = []) {
    this.root = root;
    this.#announcer = announcer;
    this.#quarantined = new Set(quarantined);
    this.#kernelTrees = [['/proc', PROC_SUPER_MAGIC] as const, ['/sys', SYSFS_MAGIC] as const]
      .filter(([path, magic]) => magicOf(this.path(path)) === magic)
      .map(([path]) => `${path}/`);
  }

  /** The real path of a host path. */
  path(hostPath: string): string {
    return this.root === '/' ? hostPath : join(this.root, hostPath);
  }

  /**
   * The bytes of a file. The result is a view of one reused buffer: it is valid until the next read.
   * Throws the system error, or a Fault for anything but a regular file of at most `limit` bytes.
   */
  bytes(hostPath: string, limit = DEFAULT_LIMIT): Buffer {
    return this.#read(hostPath, limit, false);
  }

  /**
   * As {@link bytes}, of a file that the kernel makes in one piece (single_open(), as /proc/PID/stat): what one read
   * leaves room for is the whole, and a second one is saved. Others, such as /proc/net/dev, come a page at a time.
   */
  piece(hostPath: string): Buffer {
    return this.#read(hostPath, DEFAULT_LIMIT, true);
  }

  #read(hostPath: string, limit: number, piece: boolean): Buffer {
    const fd = openSync(this.path(hostPath), FLAGS);
    try {
      const kernel = this.#kernelTrees.some((tree) => hostPath.startsWith(tree));
      if (!kernel && !fstatSync(fd).isFile()) throw new Fault(NOT_REGULAR, `${hostPath} is not a regular file`);
      let length = 0;
      for (;;) {
        if (length === this.#buffer.length) this.#grow(hostPath, limit);
        const got = readSync(fd, this.#buffer, length, this.#buffer.length - length, null);
        length += got;
        if (got === 0 || (piece && length < this.#buffer.length)) return this.#buffer.subarray(0, length);
      }
    } finally {
      closeSync(fd);
    }
  }

  #grow(hostPath: string, limit: number): void {
    if (this.#buffer.length >= limit) throw new Fault(TOO_LARGE, `${hostPath} is larger than ${limit} bytes`);
    const larger = Buffer.allocUnsafeSlow(Math.min(limit, this.#buffer.length * 4));
    this.#buffer.copy(larger);
    this.#buffer = larger;
  }

  /** A file as text; bytes that are not UTF-8 become U+FFFD. */
  text(hostPath: string, limit = DEFAULT_LIMIT): string {
    return this.bytes(hostPath, limit).toString('utf8');
  }

  /** The names in a directory. */
  list(hostPath: string): string[] {
    return readdirSync(this.path(hostPath));
  }

  /**
   * The names in a directory one by one, without reading all of a large one first. It is held open until the last, or until
   * the iteration ends; of a process that ends meanwhile it lists nothing more, also when another gets its pid.
   */
  *entries(hostPath: string): Generator<string, void, undefined> {
    const directory = opendirSync(this.path(hostPath), { bufferSize: 512 });
    try {
      for (let entry = directory.readSync(); entry !== null; entry = directory.readSync()) yield entry.name;
    } finally {
      directory.closeSync();
    }
  }

  /** The names of the directories in a directory; symbolic links are none. */
  directories(hostPath: string): string[] {
    return readdirSync(this.path(hostPath), { withFileTypes: true }).flatMap((entry) =>
      entry.isDirectory() ? [entry.name] : [],
    );
  }

  /** Inode and number of links; a directory that the kernel makes has two, and one for each directory in it. */
  node(hostPath: string): { readonly inode: number; readonly links: number } {
    const { ino, nlink } = statSync(this.path(hostPath));
    return { inode: ino, links: nlink };
  }

  /** What a symbolic link points to. */
  link(hostPath: string): string {
    return readlinkSync(this.path(hostPath));
  }

  /** The real path that a host path leads to, all links followed; below the root as long as they are relative ones, as in sysfs. */
  resolve(hostPath: string): string {
    return realpathSync(this.path(hostPath));
  }

  /** What a path leads to, or the file of a descriptor. Can hang on a dead server: call it within {@link risky}. */
  status(hostPath: string): FileStatus {
    const { dev, ino, nlink, size, blocks } = statSync(this.path(hostPath));
    return { device: dev, inode: ino, links: nlink, bytes: size, diskBytes: blocks * 512 };
  }

  /** `st_size` of a path; of `/proc/PID/fd` the number of open fds on Linux 6.2 and later, 0 before. */
  size(hostPath: string): number {
    return statSync(this.path(hostPath)).size;
  }

  /** When a file was last written or touched (`st_mtime`), in Unix milliseconds. */
  modifiedAt(hostPath: string): number {
    return statSync(this.path(hostPath)).mtimeMs;
  }

  /**
   * Calls back when the kernel says that a file has changed, as it does of `cgroup.events` and its like. Returns what ends
   * it. Throws when the file is not there or this user may watch no more files (fs.inotify.max_user_watches).
   */
  watch(hostPath: string, onChange: () => void): () => void {
    const watcher = watch(this.path(hostPath), { persistent: false }, onChange);
    watcher.on('error', () => watcher.close());
    return () => watcher.close();
  }

  /** Usage of the file system mounted at a path. Can hang on a dead server: call it within {@link risky}. */
  statfs(hostPath: string): FileSystemStats {
    const s = statfsSync(this.path(hostPath));
    return {
      blockSize: s.bsize,
      blocks: s.blocks,
      free: s.bfree,
      available: s.bavail,
      files: s.files,
      filesFree: s.ffree,
    };
  }

  isQuarantined(target: string): boolean {
    return this.#quarantined.has(target);
  }

  /**
   * Does a read that can block for ever. It is announced first; when it outlives the deadline, this process is killed
   * and the next one finds the target quarantined: then this throws a Fault instead of reading.
   */
  risky<T>(target: string, read: () => T): T {
    this.#refuseQuarantined(target);
    this.#announcer.begin(target);
    try {
      return read();
    } finally {
      this.#announcer.end();
    }
  }

  /**
   * Does many such reads, which together take far less than the deadline, under one announcement: an announcement for each
   * would cost as much as the reads. When one hangs, `kind` is quarantined; as long as it is, each read is announced by
   * itself, so that the next hang names its target.
   */
  riskyEach(kind: string, work: (risky: <T>(target: string, read: () => T) => T) => void): void {
    if (this.#quarantined.has(kind)) return work((target, read) => this.risky(target, read));
    this.risky(kind, () =>
      work((target, read) => {
        this.#refuseQuarantined(target);
        return read();
      }),
    );
  }

  #refuseQuarantined(target: string): void {
    if (this.#quarantined.has(target)) throw new Fault(QUARANTINED, `${target} is in quarantine: reading it hung`);
  }
}

function magicOf(path: string): number | undefined {
  try {
    return statfsSync(path).type;
  } catch {
    return undefined;
  }
}
