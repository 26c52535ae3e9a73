// One cgroup: its files in whichever hierarchy has them. What is absent is asked for again only now and then.
import { systemCode } from '../../base/fault.ts';
import { readFailure, type HostFiles } from '../host-files.ts';
import type { CgroupLayout } from './layout.ts';

/** What the kernel answers where pressure is switched off, or a threaded group is asked for its processes. */
const UNSUPPORTED = new Set(['ENOTSUP', 'EOPNOTSUPP']);

/** Before the name of a file that is meant of v2, though v1 has one of that name. */
export const UNIFIED = 'unified/';

export class Cgroup {
  /** From the root of the hierarchies: `/docker/…`; the root itself is `/`. */
  readonly path: string;
  readonly #host: HostFiles;
  readonly #layout: CgroupLayout;
  readonly #paths = new Map<string, string | undefined>();
  readonly #absent = new Set<string>();
  /** Files that are there and could not be read, since {@link askAgain}. */
  failures = 0;

  constructor(host: HostFiles, layout: CgroupLayout, path: string) {
    this.#host = host;
    this.#layout = layout;
    this.path = path;
  }

  /** Whether a v1 hierarchy has this controller; then no v2 file of it exists. */
  isV1(controller: string): boolean {
    return this.#layout.v1.has(controller);
  }

  /**
   * The bytes of a file, valid until the next read of the host. Undefined where this kernel or group has no such file,
   * and where the group is gone: that is no error.
   */
  bytes(file: string): Buffer | undefined {
    if (this.#absent.has(file)) return undefined;
    const path = this.fileOf(file);
    if (path === undefined) return undefined;
    try {
      return this.#host.piece(path);
    } catch (error) {
      this.#absent.add(file);
      if (readFailure(error) !== 'absent' && !UNSUPPORTED.has(systemCode(error) ?? '')) this.failures += 1;
      return undefined;
    }
  }

  /** Looks for absent files again: a controller may have been enabled since. */
  askAgain(): void {
    this.#absent.clear();
    this.failures = 0;
  }

  /** Where a file of the group is, in the hierarchy that has it; undefined where none is mounted. */
  fileOf(file: string): string | undefined {
    if (!this.#paths.has(file)) this.#paths.set(file, this.#find(file));
    return this.#paths.get(file);
  }

  #find(file: string): string | undefined {
    const mount = this.#mountOf(file);
    const name = file.startsWith(UNIFIED) ? file.slice(UNIFIED.length) : file;
    return mount === undefined ? undefined : `${mount}${this.path === '/' ? '' : this.path}/${name}`;
  }

  #mountOf(file: string): string | undefined {
    const { v1, unified, tree } = this.#layout;
    if (file.startsWith(UNIFIED) || file.endsWith('.pressure')) return unified;
    if (file === 'cgroup.procs') return tree;
    return v1.get(file.slice(0, file.indexOf('.'))) ?? unified;
  }
}
