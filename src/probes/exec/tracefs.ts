// A trace of our own: an instance of tracefs (Documentation/trace/ftrace.rst), made, read without blocking, and removed.
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '../../base/fault.ts';
import { readFailure } from '../host-files.ts';
import { labelled } from '../process/bytes.ts';
import { EVENTS, openDecoder, type Decode, type TraceEvent } from './events.ts';
import { parseFormat, parsePageFormat, type EventFormat, type PageFormat } from './format.ts';

/** Where tracefs is mounted; the second is a mount that the kernel makes in debugfs. */
const MOUNTS = ['/sys/kernel/tracing', '/sys/kernel/debug/tracing'];
const PREFIX = 'jdos-';

/** The directory of the instances of this host; undefined where tracefs is not mounted. Throws when it may not be read. */
export function findInstances(mounts: readonly string[] = MOUNTS): string | undefined {
  for (const mount of mounts) {
    const instances = join(mount, 'instances');
    try {
      readdirSync(instances);
      return instances;
    } catch (error) {
      if (readFailure(error) !== 'absent') throw error;
    }
  }
  return undefined;
}

/** Instances of probe processes, the living ones among them: the kernel keeps an instance that somebody reads. */
const ourInstances = (instances: string): readonly string[] =>
  readdirSync(instances)
    .filter((name) => name.startsWith(PREFIX))
    .map((name) => join(instances, name));

/** Removes the instances that killed probe processes left. Never rejects. */
export async function clearTraces(): Promise<void> {
  try {
    const instances = findInstances();
    if (instances === undefined) return;
    await Promise.allSettled(ourInstances(instances).map((instance) => rmdir(instance)));
  } catch {
    // not ours to look into, then there is nothing of ours either
  }
}

function removeLeft(instances: string): void {
  for (const instance of ourInstances(instances)) {
    try {
      rmdirSync(instance);
    } catch {
      // in use by another daemon, or removed by it just now
    }
  }
}

export interface Trace {
  readonly page: PageFormat;
  readonly decode: Decode;
  /** The kernel has the event that tells of moves between cgroups. */
  readonly tellsMoves: boolean;
  /** CPUs that the host may have. */
  readonly cpus: number;
  /** Reads the next page of a CPU into `into`; false when it has none. Never blocks. */
  read(cpu: number, into: Buffer): boolean;
  /** Events that were lost since the trace was opened, over all CPUs. */
  lost(): number;
  /** Ends it: nothing of it is left in the kernel. Never throws. */
  close(): void;
}

/**
 * Kilobytes of ring buffer for each CPU that runs. 512 hold about 2,500 lives of processes, which is a second of a CPU that
 * does nothing but start them; 16 MiB at most are taken together, and 64 KiB at least for each.
 */
export const bufferKilobytes = (cpus: number): number => Math.max(64, Math.min(512, Math.floor(16_384 / cpus)));

interface TraceOptions {
  /** CPUs that run now. */
  readonly cpus: number;
  readonly pid: number;
}

/**
 * Opens a trace of the events of processes, after removing what was left by others that were killed. Throws the system
 * error when that is not possible, and leaves nothing then.
 */
export function openTrace(instances: string, { cpus, pid }: TraceOptions): Trace {
  removeLeft(instances);
  const dir = mkdtempSync(join(instances, `${PREFIX}${pid}-`)); // pids of other containers may be the same
  const fds: number[] = [];
  const close = (): void => {
    for (const fd of fds.splice(0)) closeSync(fd);
    try {
      rmdirSync(dir);
    } catch {
      // somebody looks at it: the next start removes it
    }
  };
  try {
    const names = perCpu(dir);
    for (const name of names) {
      const flags = constants.O_RDONLY | constants.O_NONBLOCK;
      fds.push(openSync(join(dir, 'per_cpu', name, 'trace_pipe_raw'), flags));
    }
    set(dir, 'tracing_on', '0');
    set(dir, 'trace_clock', 'mono');
    set(dir, 'buffer_size_kb', String(bufferKilobytes(cpus)));
    const formats = enable(dir);
    set(dir, 'tracing_on', '1');
    return {
      page: parsePageFormat(readFileSync(join(dir, 'events/header_page'), 'utf8')),
      decode: openDecoder(formats),
      tellsMoves: formats.has('move'),
      cpus: fds.length,
      read: (cpu, into) => readPage(fds[cpu], into),
      lost: () => names.reduce((sum, name) => sum + lostOf(readFileSync(join(dir, 'per_cpu', name, 'stats'))), 0),
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

const perCpu = (dir: string): readonly string[] =>
  readdirSync(join(dir, 'per_cpu')).filter((name) => /^cpu\d+$/.test(name));

/** Without O_CREAT: what this kernel does not have is an error that says so. */
const set = (dir: string, file: string, value: string): void => writeFileSync(join(dir, file), value, { flag: 'r+' });

function enable(dir: string): ReadonlyMap<TraceEvent['kind'], EventFormat> {
  const formats = new Map<TraceEvent['kind'], EventFormat>();
  for (const { kind, name, optional } of EVENTS) {
    try {
      formats.set(kind, parseFormat(readFileSync(join(dir, 'events', name, 'format'), 'utf8')));
      set(dir, join('events', name, 'enable'), '1');
    } catch (error) {
      if (!optional || readFailure(error) !== 'absent') throw error;
    }
  }
  return formats;
}

function readPage(fd: number | undefined, into: Buffer): boolean {
  if (fd === undefined) return false;
  try {
    return readSync(fd, into, 0, into.length, null) > 0;
  } catch (error) {
    if (systemCode(error) === 'EAGAIN') return false;
    throw error;
  }
}

const LOSSES = ['overrun', 'commit overrun', 'dropped events'].map((name) => Buffer.from(`\n${name}:`));

/** What `per_cpu/cpuN/stats` says was overwritten before it was read, or not written at all. */
export const lostOf = (stats: Buffer): number => LOSSES.reduce((sum, label) => sum + (labelled(stats, label) ?? 0), 0);
