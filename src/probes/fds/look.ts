// Looks at the file descriptors of one process, one after another; stops between any two of them.
import { systemCode } from '../../base/fault.ts';
import { QUARANTINED, readFailure, type FileStatus, type HostFiles } from '../host-files.ts';
import { classify, kindOfPath, parseFdInfo, type FdInfo, type Target } from './kinds.ts';
import { isLocal, type openMounts } from './mounts.ts';
import { SOCKET_TABLES, visitSockets } from './sockets.ts';
import type { Tally } from './tally.ts';

/** The sockets of a network namespace: descriptors by inode, and a process that is in it. */
interface Sockets {
  readonly pid: number;
  readonly left: Map<number, number>;
}

export interface Look {
  readonly host: HostFiles;
  readonly tally: Tally;
  readonly mounts: ReturnType<typeof openMounts>;
  readonly sockets: Map<string, Sockets>;
  /** Descriptors after which no more are looked at. */
  readonly most: number;
  /** Why the answer is not complete. */
  readonly leftOut: Set<string>;
}

/** A line of some 150 bytes for each watch, of which a user may have a million. */
const LARGEST_FDINFO = 16 * 1024 * 1024;
/** Some hundred thousand sockets. */
const LARGEST_TABLE = 16 * 1024 * 1024;

/**
 * Notes each descriptor of a process, and yields after it. Throws the system error when the process is gone or may not be
 * looked at. A descriptor that was closed meanwhile is not counted.
 */
export function* lookAt(look: Look, pid: number): Generator<void, void, undefined> {
  const { host, tally, most, leftOut } = look;
  const sockets = socketsOf(look, pid);
  let refused = false;
  for (const fd of host.entries(`/proc/${pid}/fd`)) {
    if (tally.counted() >= most) return void leftOut.add(`all beyond the first ${most} descriptors`);
    try {
      note(look, { pid, fd }, linkOf(host, pid, fd), sockets);
    } catch (error) {
      const failure = readFailure(error);
      if (failure === 'failed') throw error;
      if (failure === 'permission' && !refused) {
        if (tally.counted() === 0) throw error;
        leftOut.add(`descriptors of pid ${pid} that this user may not look at`);
        refused = true;
      }
    }
    yield;
  }
}

function linkOf(host: HostFiles, pid: number, fd: string): Target {
  try {
    return classify(host.link(`/proc/${pid}/fd/${fd}`));
  } catch (error) {
    if (readFailure(error) !== 'failed') throw error;
    return { kind: 'other' }; // a path of more than 4095 bytes has no text (ENAMETOOLONG)
  }
}

function socketsOf({ host, sockets }: Look, pid: number): Sockets {
  let namespace = `of pid ${pid}`;
  try {
    namespace = host.link(`/proc/${pid}/ns/net`);
  } catch {
    // a namespace of its own then: its tables are read through this process
  }
  let known = sockets.get(namespace);
  if (known === undefined) sockets.set(namespace, (known = { pid, left: new Map() }));
  return known;
}

interface Descriptor {
  readonly pid: number;
  readonly fd: string;
}

function note(look: Look, descriptor: Descriptor, target: Target, { left }: Sockets): void {
  const { tally } = look;
  if (target.kind === undefined) return notePath(look, descriptor, target);
  tally.note(target.kind);
  if (target.kind === 'socket' && target.inode !== undefined) {
    left.set(target.inode, (left.get(target.inode) ?? 0) + 1);
  }
  if (target.kind === 'inotify') tally.noteWatches(watchesOf(look, descriptor));
}

/** The watches are listed under a lock that is held while a file system lets go of a file: that can hang. */
function watchesOf({ host, leftOut }: Look, { pid, fd }: Descriptor): number | undefined {
  const path = `/proc/${pid}/fdinfo/${fd}`;
  try {
    return host.risky(`pid ${pid} fd ${fd} watches`, () => parseFdInfo(host.text(path, LARGEST_FDINFO)).watches);
  } catch {
    leftOut.add(`the inotify watches of pid ${pid} fd ${fd}`);
    return undefined;
  }
}

function notePath(look: Look, descriptor: Descriptor, target: Target & { readonly kind: undefined }): void {
  const { tally, mounts } = look;
  const { path, deleted, memfd } = target;
  const known = deleted ? undefined : tally.kindOf(path);
  if (known !== undefined) return tally.notePath(path, known);
  const info = infoOf(look, descriptor);
  const kind = kindOfPath(path, { directory: info?.directory ?? false });
  if (!deleted || kind !== 'file') return tally.notePath(path, kind);
  const mount = info?.mountId === undefined ? undefined : mounts(descriptor.pid, info.mountId);
  // The kernel's own mount, where these are, stands in no list of mounts.
  if (memfd && mount === undefined) {
    const status = statusOf(look, descriptor, 'files in memory');
    tally.note('memfd');
    return tally.noteHeld('memfd', path.slice(1), status);
  }
  // Named after the file system: when it hangs, none of its files is asked for a while, whoever holds it.
  const asked = mount !== undefined && isLocal(mount);
  const status = asked
    ? statusOf(look, descriptor, `deleted files on ${mount.mountpoint} (${mount.device})`)
    : undefined;
  tally.notePath(`${path} (deleted)`, kind);
  if (status === undefined || status.links === 0) tally.noteHeld('deleted', path, status);
}

function infoOf({ host }: Look, { pid, fd }: Descriptor): FdInfo | undefined {
  try {
    return parseFdInfo(host.text(`/proc/${pid}/fdinfo/${fd}`));
  } catch {
    return undefined;
  }
}

function statusOf({ host, leftOut }: Look, { pid, fd }: Descriptor, target: string): FileStatus | undefined {
  try {
    return host.risky(target, () => host.status(`/proc/${pid}/fd/${fd}`));
  } catch (error) {
    if (systemCode(error) === QUARANTINED.code) leftOut.add(`the size of ${target}: asking for it hung`);
    return undefined;
  }
}

/** Tells the noted sockets apart by the tables of their namespaces; yields after each table. */
export function* nameSockets({ host, tally, sockets, leftOut }: Look): Generator<void, void, undefined> {
  for (const { pid, left } of sockets.values()) {
    let read = 0;
    for (const table of SOCKET_TABLES) {
      if (left.size === 0) break;
      try {
        const text = host.text(`/proc/${pid}/net/${table.file}`, LARGEST_TABLE);
        read += 1;
        visitSockets(
          text,
          table,
          (inode) => left.has(inode),
          (inode, socket) => {
            tally.noteSocket(socket, left.get(inode) ?? 0);
            left.delete(inode);
          },
        );
      } catch (error) {
        // Without IPv6, say, there is no such table.
        if (readFailure(error) !== 'absent') leftOut.add(`sockets of ${table.file}: their table cannot be read`);
      }
      yield;
    }
    if (left.size === 0) continue;
    if (read === 0) leftOut.add('protocols and states of sockets: their tables cannot be read');
    else
      tally.noteSocket(
        undefined,
        [...left.values()].reduce((sum, count) => sum + count, 0),
      );
  }
}
