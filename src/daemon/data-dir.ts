// The data directory: its layout, its modes, the lock that keeps a second daemon out, and the first admin token.
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { chmodSync, chownSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Fault, faultKind, systemCode } from '../base/fault.ts';
import { takeLock } from '../drivers/sqlite/index.ts';
import type { Account } from './account.ts';

const DATA_DIR_BUSY = faultKind(
  'JD_DATA_DIR_BUSY',
  409,
  'stop the other daemon, or give this one a directory of its own with --data-dir',
);
const DATA_DIR_UNUSABLE = faultKind(
  'JD_DATA_DIR_UNUSABLE',
  500,
  'give --data-dir a directory that this user may write to, on a file system with free space',
);
const TOKEN_UNUSABLE = faultKind(
  'JD_ADMIN_TOKEN_UNUSABLE',
  500,
  'remove the file admin.token from the data directory; a new token is made at the next start',
);

/** Where things are below the data directory. */
export interface DataDir {
  readonly root: string;
  /** Sockets of the processes; 0770 for the group of the serve user. */
  readonly run: string;
  /** Owned by the serve user: database, certificates, reports. */
  readonly state: string;
  /** What runs pods keeps its state here; root's alone. */
  readonly pods: string;
  /** Directories that pods on docker share among their containers; root's alone. */
  readonly volumes: string;
  readonly adminTokenFile: string;
  /** Group of the sockets, where the serve process has a user of its own. */
  readonly group: number | undefined;
}

export const layout = (root: string, group?: number): DataDir => ({
  root,
  run: join(root, 'run'),
  state: join(root, 'state'),
  pods: join(root, 'pods'),
  volumes: join(root, 'volumes'),
  adminTokenFile: join(root, 'admin.token'),
  group,
});

/** Socket of the front door. */
export const frontSocket = (dir: DataDir): string => join(dir.run, 'jdos.sock');
/** Socket on which a process of the daemon answers yaRPC. */
export const processSocket = (dir: DataDir, process: 'agent' | 'probe' | 'serve'): string =>
  join(dir.run, `${process}.sock`);

/** Linux' sun_path holds 108 bytes with the final zero (unix(7)). */
const MAX_SOCKET_PATH = 107;

/**
 * Makes the directories with their modes and takes the lock on them for the life of this process.
 * Throws a Fault when another daemon holds it or the directory cannot be used.
 */
export function prepareDataDir(
  root: string,
  owner: Account | undefined,
): { readonly dir: DataDir; readonly lock: Disposable } {
  const dir = layout(root, owner?.gid);
  if (Buffer.byteLength(processSocket(dir, 'agent')) > MAX_SOCKET_PATH) {
    throw new Fault(
      DATA_DIR_UNUSABLE,
      `the path ${root} is too long: sockets below it may have ${MAX_SOCKET_PATH} bytes`,
      {
        remedy: 'give --data-dir a shorter path',
      },
    );
  }
  try {
    mkdirSync(root, { recursive: true, mode: 0o750 });
    const lock = takeLock(join(root, 'lock'));
    if (lock === undefined)
      throw new Fault(DATA_DIR_BUSY, `another daemon${holder(root)} uses the data directory ${root}`);
    writeFileSync(join(root, 'daemon.pid'), `${process.pid}\n`);
    for (const [path, mode] of [
      [dir.run, 0o770],
      [dir.state, 0o750],
    ] as const) {
      mkdirSync(path, { recursive: true });
      chmodSync(path, mode);
      if (owner !== undefined) chownSync(path, path === dir.state ? owner.uid : 0, owner.gid);
    }
    for (const path of [dir.pods, dir.volumes]) {
      mkdirSync(path, { recursive: true, mode: 0o700 });
      chmodSync(path, 0o700);
    }
    chmodSync(root, 0o750);
    if (owner !== undefined) chownSync(root, 0, owner.gid);
    return { dir, lock };
  } catch (error) {
    if (error instanceof Fault) throw error;
    throw new Fault(
      DATA_DIR_UNUSABLE,
      `the data directory ${root} cannot be used (${systemCode(error) ?? 'unknown'})`,
      { cause: error },
    );
  }
}

function holder(root: string): string {
  try {
    const pid = readFileSync(join(root, 'daemon.pid'), 'utf8').trim();
    return /^\d+$/.test(pid) ? ` (pid ${pid})` : '';
  } catch {
    return '';
  }
}

const INSTALLATION = /^[0-9a-f-]{36}$/;

/**
 * The name of this installation, made at the first start: what it has in engines that others use too is marked with it,
 * and whoever loses the data directory loses the claim to that.
 */
export function installationId({ root }: DataDir): string {
  const file = join(root, 'installation.id');
  try {
    if (statSync(file, { throwIfNoEntry: false }) === undefined) {
      // Whole or not at all: half a name would disown every container.
      writeFileSync(`${file}.new`, `${randomUUID()}\n`, { flush: true });
      renameSync(`${file}.new`, file);
    }
    const id = readFileSync(file, 'utf8').trim();
    if (INSTALLATION.test(id)) return id;
    throw new Fault(DATA_DIR_UNUSABLE, `${file} does not hold the name of an installation`, {
      remedy:
        "put the value of the label jdos.io/installation of this host's containers into it (`docker inspect`), or remove the file to begin anew",
    });
  } catch (error) {
    if (error instanceof Fault) throw error;
    throw new Fault(DATA_DIR_UNUSABLE, `${file} cannot be read or made (${systemCode(error) ?? 'unknown'})`, {
      cause: error,
    });
  }
}

/** The shape of the front door's tokens. */
const TOKEN = /^jdos_[0-9A-Za-z]{22,200}$/;

/** Reads the admin token, or makes it at the first start (mode 0600). Gives its SHA-256, which is all that others get. */
export function adminTokenHash(dir: DataDir): string {
  const file = dir.adminTokenFile;
  try {
    if (statSync(file, { throwIfNoEntry: false }) === undefined) {
      writeFileSync(file, `jdos_${randomBytes(24).toString('hex')}\n`, { mode: 0o600, flag: 'wx', flush: true });
    }
    const token = readFileSync(file, 'utf8').trim();
    if (!TOKEN.test(token))
      throw new Fault(TOKEN_UNUSABLE, `${file} holds no token (jdos_ and at least 22 letters or digits)`);
    return createHash('sha256').update(token).digest('hex');
  } catch (error) {
    if (error instanceof Fault) throw error;
    throw new Fault(TOKEN_UNUSABLE, `${file} cannot be read or made (${systemCode(error) ?? 'unknown'})`, {
      cause: error,
    });
  }
}
