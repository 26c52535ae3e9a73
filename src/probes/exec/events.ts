// The events of processes, out of the kernel's trace records. Ids are those of the host's first pid namespace.
import type { EventFormat } from './format.ts';

/** Times are nanoseconds of CLOCK_MONOTONIC; a tid is also the pid of the first thread of a process. */
export type TraceEvent =
  | {
      readonly kind: 'task';
      readonly at: number;
      /** The thread that made it. */
      readonly parent: number;
      readonly tid: number;
      readonly comm: string;
      /** One more thread of its parent's process. */
      readonly thread: boolean;
      /** Put into another cgroup than its parent's as it was made (clone3 with CLONE_INTO_CGROUP). */
      readonly placed: boolean;
    }
  | {
      readonly kind: 'exec';
      readonly at: number;
      readonly tid: number;
      /** The thread that called execve; from then on it has the tid of the process. */
      readonly caller: number;
      readonly comm: string;
    }
  | {
      readonly kind: 'exit';
      readonly at: number;
      readonly tid: number;
      readonly comm: string;
      /** The last thread of its process. Undefined on kernels that do not say (without `group_dead`). */
      readonly last: boolean | undefined;
    }
  | { readonly kind: 'victim'; readonly at: number; readonly tid: number; readonly comm: string | undefined }
  | {
      readonly kind: 'move';
      readonly at: number;
      readonly tid: number;
      /** Number of the hierarchy as in /proc/PID/cgroup. */
      readonly hierarchy: number;
      readonly path: string;
    };

/** Where each kind comes from. Without the optional ones less is known. */
export const EVENTS = [
  { kind: 'task', name: 'task/task_newtask', optional: false },
  { kind: 'exec', name: 'sched/sched_process_exec', optional: false },
  { kind: 'exit', name: 'sched/sched_process_exit', optional: false },
  { kind: 'victim', name: 'oom/mark_victim', optional: true },
  { kind: 'move', name: 'cgroup/cgroup_attach_task', optional: true },
] as const satisfies readonly { kind: TraceEvent['kind']; name: string; optional: boolean }[];

const CLONE_THREAD = 0x0001_0000; // include/uapi/linux/sched.h
const CLONE_INTO_CGROUP_HIGH = 0x2; // bit 33
const COMM_BYTES = 15;

export type Decode = (page: Buffer, at: number, start: number, end: number) => TraceEvent | undefined;

/** Reads one kind of record, whose bounds are known to hold its fixed fields. */
type Read = (record: Buffer, at: number) => TraceEvent | undefined;

/** Undefined for a record of another event or one that is too short. Throws where a format lacks a field that is needed. */
export function openDecoder(formats: ReadonlyMap<TraceEvent['kind'], EventFormat>): Decode {
  const readers = new Map<number, { readonly bytes: number; readonly read: Read }>();
  for (const [kind, format] of formats) {
    const bytes = Math.max(...[...format.fields.values()].map(({ offset, size }) => offset + size));
    readers.set(format.id, { bytes, read: READERS[kind](openFields(kind, format)) });
  }
  return (page, at, start, end) => {
    if (end - start < 2) return undefined;
    const reader = readers.get(page.readUInt16LE(start));
    if (reader === undefined || end - start < reader.bytes) return undefined;
    return reader.read(page.subarray(start, end), at);
  };
}

type Fields = ReturnType<typeof openFields>;

function openFields(kind: string, { fields }: EventFormat) {
  const field = (name: string): { readonly offset: number; readonly size: number } => {
    const found = fields.get(name);
    if (found === undefined) throw new Error(`the kernel's event of kind ${kind} has no field ${name}`);
    return found;
  };
  return {
    has: (name: string): boolean => fields.has(name),
    int(name: string): (record: Buffer) => number {
      const { offset } = field(name);
      return (record) => record.readInt32LE(offset);
    },
    /** The higher half of a field of 64 bits; 0 of a shorter one. */
    high(name: string): (record: Buffer) => number {
      const { offset, size } = field(name);
      return size === 8 ? (record) => record.readUInt32LE(offset + 4) : () => 0;
    },
    flag(name: string): (record: Buffer) => boolean {
      const { offset } = field(name);
      return (record) => record[offset] !== 0;
    },
    /** The bytes of a text: of so many in the record, or of `__data_loc` (length and offset in one word). */
    bytes(name: string): (record: Buffer) => Buffer {
      const { offset, size } = field(name);
      if (size !== 4) return (record) => upToNul(record.subarray(offset, offset + size));
      return (record) => {
        const from = record.readUInt16LE(offset);
        return upToNul(record.subarray(from, from + record.readUInt16LE(offset + 2)));
      };
    },
  };
}

function upToNul(bytes: Buffer): Buffer {
  const nul = bytes.indexOf(0);
  return nul === -1 ? bytes : bytes.subarray(0, nul);
}

const SLASH = 0x2f;

/** What execve(2) makes of a file's name: its last part, cut. */
const commOf = (file: Buffer): string => {
  const from = file.lastIndexOf(SLASH) + 1;
  return file.toString('utf8', from, Math.min(file.length, from + COMM_BYTES));
};

const READERS: Readonly<Record<TraceEvent['kind'], (fields: Fields) => Read>> = {
  task(fields) {
    const [parent, tid, low] = [fields.int('common_pid'), fields.int('pid'), fields.int('clone_flags')];
    const [high, comm] = [fields.high('clone_flags'), fields.bytes('comm')];
    return (record, at) => ({
      kind: 'task',
      at,
      parent: parent(record),
      tid: tid(record),
      comm: comm(record).toString('utf8'),
      thread: (low(record) & CLONE_THREAD) !== 0,
      placed: (high(record) & CLONE_INTO_CGROUP_HIGH) !== 0,
    });
  },
  exec: (fields) => {
    const [tid, caller, file] = [fields.int('pid'), fields.int('old_pid'), fields.bytes('filename')];
    return (record, at) => ({
      kind: 'exec',
      at,
      tid: tid(record),
      caller: caller(record),
      comm: commOf(file(record)),
    });
  },
  exit(fields) {
    const [tid, comm] = [fields.int('pid'), fields.bytes('comm')];
    const last = fields.has('group_dead') ? fields.flag('group_dead') : () => undefined;
    return (record, at) => ({
      kind: 'exit',
      at,
      tid: tid(record),
      comm: comm(record).toString('utf8'),
      last: last(record),
    });
  },
  victim(fields) {
    const tid = fields.int('pid');
    const comm = fields.has('comm') ? fields.bytes('comm') : undefined;
    return (record, at) => ({ kind: 'victim', at, tid: tid(record), comm: comm?.(record).toString('utf8') });
  },
  move(fields) {
    const [tid, hierarchy, path] = [fields.int('pid'), fields.int('dst_root'), fields.bytes('dst_path')];
    return (record, at) => ({
      kind: 'move',
      at,
      tid: tid(record),
      hierarchy: hierarchy(record),
      path: path(record).toString('utf8'),
    });
  },
};
