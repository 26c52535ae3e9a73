// Counts file descriptors by kind, path, socket and held file, with bounds on what it remembers.
import type { FileStatus } from '../host-files.ts';
import { topBy } from '../process/steady-top.ts';
import type { FdsAnswer } from './answer.ts';
import type { SocketFacts } from './sockets.ts';

type HeldFiles = FdsAnswer['deleted'];

const LISTED = 20;
const MOST_LISTENING = 100;
/** Characters of all paths that are remembered: a process chooses its paths, of up to 4096 bytes each. */
const MOST_CHARACTERS = 8 * 1024 * 1024;
const MOST_KINDS = 100;
const PATH_SHOWN = 1000;

const byCount = <T extends { readonly count: number }>(items: readonly T[], most = Infinity): T[] =>
  items.toSorted((a, b) => b.count - a.count).slice(0, most);

export interface Tally {
  /** Descriptors counted so far. */
  counted(): number;
  /** What is known of a path from a descriptor before. */
  kindOf(path: string): string | undefined;
  note(kind: string): void;
  notePath(path: string, kind: string): void;
  noteHeld(as: 'deleted' | 'memfd', path: string, status: FileStatus | undefined): void;
  noteSocket(socket: SocketFacts | undefined, count: number): void;
  noteWatches(watches: number | undefined): void;
  finish(): Omit<FdsAnswer, 'at' | 'total' | 'complete' | 'leftOut' | 'processes'>;
  /** Paths that were too many to remember: `targets` may miss some. */
  forgot(): boolean;
}

export function openTally(): Tally {
  const kinds = new Map<string, number>();
  const paths = new Map<string, { readonly kind: string; count: number }>();
  const sockets = new Map<string, { readonly protocol: string; readonly state: string | null; count: number }>();
  const listening = new Map<string, { readonly protocol: string; readonly address: string; count: number }>();
  const held = { deleted: openHeld(), memfd: openHeld() };
  let counted = 0;
  let characters = 0;
  let forgot = false;
  let watches: number | null = 0;

  const note = (kind: string): void => {
    counted += 1;
    const name = kinds.has(kind) || kinds.size < MOST_KINDS ? kind : 'other';
    kinds.set(name, (kinds.get(name) ?? 0) + 1);
  };
  return {
    counted: () => counted,
    note,
    kindOf: (path) => paths.get(path)?.kind,
    notePath(path, kind) {
      note(kind);
      const known = paths.get(path);
      if (known !== undefined) known.count += 1;
      else if (characters > MOST_CHARACTERS) forgot = true;
      else {
        characters += path.length;
        paths.set(path, { kind, count: 1 });
      }
    },
    noteHeld: (as, path, status) => held[as].note(path, status),
    noteSocket(socket, count) {
      const { protocol, state = null, listens } = socket ?? { protocol: 'unlisted' };
      bump(sockets, `${protocol} ${state}`, { protocol, state, count: 0 }, count);
      if (listens !== undefined && listening.size < MOST_LISTENING)
        bump(listening, `${protocol} ${listens}`, { protocol, address: clip(listens), count: 0 }, count);
    },
    noteWatches(more) {
      watches = more === undefined || watches === null ? null : watches + more;
    },
    finish: () => ({
      counted,
      kinds: byCount([...kinds].map(([kind, count]) => ({ kind, count }))),
      sockets: byCount([...sockets.values()]),
      listening: byCount([...listening.values()]),
      inotifyWatches: watches,
      deleted: held.deleted.finish(),
      memfd: held.memfd.finish(),
      targets: topBy([...paths], ([, { count }]) => count, LISTED).map(([path, { kind, count }]) => ({
        path: clip(path),
        kind,
        count,
      })),
    }),
    forgot: () => forgot,
  };
}

const clip = (path: string): string => (path.length > PATH_SHOWN ? `${path.slice(0, PATH_SHOWN - 1)}…` : path);

function bump<T extends { count: number }>(map: Map<string, T>, key: string, first: T, by: number): void {
  let entry = map.get(key);
  if (entry === undefined) map.set(key, (entry = first));
  entry.count += by;
}

/** Files that exist only because they are open; a file with several descriptors takes its room once. */
function openHeld() {
  const files = new Map<string, { path: string; bytes: number; diskBytes: number; fds: number }>();
  let [fds, unsized, characters] = [0, 0, 0];
  return {
    note(path: string, status: FileStatus | undefined): void {
      fds += 1;
      if (status === undefined) return void (unsized += 1);
      const { device, inode, bytes, diskBytes } = status;
      const key = `${device} ${inode}`;
      const known = files.get(key);
      if (known !== undefined) return void (known.fds += 1);
      const shown = characters > MOST_CHARACTERS ? '…' : clip(path);
      characters += shown.length;
      files.set(key, { path: shown, bytes, diskBytes, fds: 1 });
    },
    finish(): HeldFiles {
      const all = [...files.values()];
      return {
        fds,
        files: files.size,
        bytes: all.reduce((sum, file) => sum + file.bytes, 0),
        diskBytes: all.reduce((sum, file) => sum + file.diskBytes, 0),
        unsized,
        items: topBy(all, ({ diskBytes }) => diskBytes, LISTED),
      };
    },
  };
}
