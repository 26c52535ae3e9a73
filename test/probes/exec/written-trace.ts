// Pages of a ring buffer as the kernel lays them out, written by hand.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EVENTS, openDecoder, type Decode } from '../../../src/probes/exec/events.ts';
import { parseFormat, parsePageFormat, type EventFormat } from '../../../src/probes/exec/format.ts';

const RECORDED = join(import.meta.dirname, '../../fixtures/exec/debian12-6.18');

/** A file that was recorded. */
export const recorded = (file: string): Buffer => readFileSync(join(RECORDED, file));

export const formatOf = (name: string): EventFormat =>
  parseFormat(recorded(`${name.replace('/', '-')}.format`).toString('utf8'));

export const PAGE = parsePageFormat(recorded('header_page').toString('utf8'));

/** The decoder of the recorded kernel. */
export const decoder = (): Decode => openDecoder(new Map(EVENTS.map(({ kind, name }) => [kind, formatOf(name)])));

const NAMES = {
  task: 'task/task_newtask',
  exec: 'sched/sched_process_exec',
  exit: 'sched/sched_process_exit',
} as const;

/** The bytes of a record; texts that are not of a fixed size stand at its end. */
export function record(
  event: keyof typeof NAMES | 'oom/mark_victim' | 'cgroup/cgroup_attach_task',
  values: Readonly<Record<string, number | string | Buffer>>,
): Buffer {
  const { id, fields } = formatOf(event in NAMES ? NAMES[event as keyof typeof NAMES] : event);
  const fixed = Math.ceil(Math.max(...[...fields.values()].map(({ offset, size }) => offset + size)) / 4) * 4;
  const tail: Buffer[] = [];
  let length = fixed;
  const bytes = Buffer.alloc(fixed);
  bytes.writeUInt16LE(id, 0);
  for (const [name, value] of Object.entries(values)) {
    const { offset, size } = fields.get(name) ?? { offset: 0, size: 0 };
    if (typeof value !== 'number') {
      const text = Buffer.concat([Buffer.from(value), Buffer.alloc(1)]);
      if (size !== 4) text.copy(bytes, offset, 0, Math.min(size, text.length));
      else {
        bytes.writeUInt32LE((text.length << 16) | length, offset);
        tail.push(text);
        length += text.length;
      }
    } else if (size === 8) bytes.writeBigUInt64LE(BigInt(value), offset);
    else if (size === 4) bytes.writeInt32LE(value, offset);
    else bytes.writeUInt8(value, offset);
  }
  const all = Buffer.concat([bytes, ...tail]);
  return Buffer.concat([all, Buffer.alloc((4 - (all.length % 4)) % 4)]);
}

/** One entry of a page: nanoseconds since the entry before, and a record; without one, only time passes. */
interface Entry {
  readonly after: number;
  readonly record?: Buffer;
}

const word = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
};

const SHORT = 112;

/** A page that begins at a time in nanoseconds. */
export function page(at: number, entries: readonly Entry[]): Buffer {
  const header = Buffer.alloc(PAGE.dataAt);
  const data = Buffer.concat(
    entries.flatMap(({ after, record }) => {
      if (record === undefined || after >= 2 ** 27) {
        const extend = [word(((after % 2 ** 27) << 5) | 30), word(Math.floor(after / 2 ** 27))];
        return record === undefined ? extend : [...extend, ...entryOf(0, record)];
      }
      return entryOf(after, record);
    }),
  );
  header.writeBigUInt64LE(BigInt(at), 0);
  header.writeUInt32LE(data.length, 8);
  return Buffer.concat([header, data, Buffer.alloc(Math.max(0, PAGE.bytes - header.length - data.length), 0xee)]);
}

const entryOf = (after: number, record: Buffer): readonly Buffer[] =>
  record.length <= SHORT
    ? [word((after << 5) | (record.length / 4)), record]
    : [word(after << 5), word(record.length + 4), record];
