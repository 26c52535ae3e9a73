// What `jdos fds` shows: whose they are, kinds, deleted files, paths, sockets.
import { z } from '../base/schema.ts';
import { formatBytes } from '../base/units.ts';
import { type Io, paint, printable, table } from './io.ts';

const Held = z.object({
  fds: z.number(),
  files: z.number(),
  bytes: z.number(),
  diskBytes: z.number(),
  unsized: z.number(),
  items: z.array(z.object({ path: z.string(), bytes: z.number(), diskBytes: z.number(), fds: z.number() })),
});
type Held = z.output<typeof Held>;

export const Fds = z.object({
  total: z.number().nullable(),
  counted: z.number(),
  leftOut: z.array(z.string()),
  container: z.string().optional(),
  processes: z.array(z.object({ pid: z.number(), comm: z.string(), fds: z.number(), fdLimit: z.number().nullable() })),
  kinds: z.array(z.object({ kind: z.string(), count: z.number() })),
  sockets: z.array(z.object({ protocol: z.string(), state: z.string().nullable(), count: z.number() })),
  listening: z.array(z.object({ protocol: z.string(), address: z.string(), count: z.number() })),
  inotifyWatches: z.number().nullable(),
  deleted: Held,
  memfd: Held,
  targets: z.array(z.object({ path: z.string(), kind: z.string(), count: z.number() })),
});
export type Fds = z.output<typeof Fds>;

const PROCESSES_SHOWN = 5;
const LISTENING_SHOWN = 20;

/** All that is to be said, each part with a blank line before it; what there is none of is left out. Tables are cut to the terminal. */
export const fdsLines = (fds: Fds, io: Io): readonly string[] => [
  ...headLines(fds, io),
  ...[...processLines(fds), ...kindLines(fds), ...heldLines(fds), ...pathLines(fds), ...socketLines(fds)].map((line) =>
    line.length > io.columns ? `${line.slice(0, io.columns - 1)}…` : line,
  ),
];

function headLines({ processes, container, total, counted, leftOut }: Fds, io: Io): readonly string[] {
  const [first] = processes;
  const all = `${Math.max(total ?? 0, counted)} open file descriptors`;
  const missing = leftOut.map((what) => `${paint(io, 'yellow', 'left out:')} ${printable(what)}`);
  const looked = total === null || counted >= total ? [] : [`${counted} of them were looked at`];
  if (container !== undefined) return [`container ${printable(container)}: ${all}`, ...looked, ...missing];
  const limit = first === undefined || first.fdLimit === null ? '' : `, limit ${first.fdLimit}`;
  const whose = first === undefined ? '' : `${printable(first.comm)} (pid ${first.pid}): `;
  return [`${whose}${all}${limit}`, ...looked, ...missing];
}

/** Of a container: which of its processes has most. */
function processLines({ processes, container }: Fds): readonly string[] {
  if (container === undefined || processes.length === 0) return [];
  const rows = processes
    .slice(0, PROCESSES_SHOWN)
    .map(({ pid, comm, fds, fdLimit }) => [String(pid), String(fds), String(fdLimit ?? '?'), printable(comm)]);
  return ['', ...table(['PID', 'FDS', 'LIMIT', 'PROCESS'], rows, ['PID', 'FDS', 'LIMIT'])];
}

function kindLines({ kinds, inotifyWatches, memfd }: Fds): readonly string[] {
  const notes: Readonly<Record<string, string>> = {
    inotify: inotifyWatches === null ? 'watches unknown' : `${inotifyWatches} watches`,
    memfd: `${formatBytes(memfd.diskBytes)} of memory`,
  };
  const rows = kinds.map(({ kind, count }) => [printable(kind), String(count), notes[kind] ?? '']);
  return rows.length === 0 ? [] : ['', ...table(['KIND', 'FDS', ''], rows, ['FDS'])];
}

function heldLines({ deleted: { fds, files, diskBytes, unsized, items } }: Fds): readonly string[] {
  if (fds === 0) return [];
  const rows = items.map(({ path, bytes, diskBytes: disk, fds: holders }) => [
    formatBytes(disk),
    formatBytes(bytes),
    String(holders),
    printable(path),
  ]);
  const sized = `${formatBytes(diskBytes)} on disk in ${files} files by ${fds - unsized} descriptors`;
  const unknown = `deleted and still held, of a size that is not known: ${unsized} descriptors`;
  return [
    '',
    ...(files === 0 ? [] : [`deleted and still held: ${sized}`]),
    ...(unsized === 0 ? [] : [unknown]),
    ...(rows.length === 0 ? [] : table(['ON DISK', 'SIZE', 'FDS', 'DELETED FILE'], rows, ['ON DISK', 'SIZE', 'FDS'])),
  ];
}

function pathLines({ targets }: Fds): readonly string[] {
  const rows = targets.map(({ path, kind, count }) => [String(count), printable(kind), printable(path)]);
  return rows.length === 0 ? [] : ['', ...table(['FDS', 'KIND', 'PATH'], rows, ['FDS'])];
}

function socketLines({ sockets, listening }: Fds): readonly string[] {
  if (sockets.length === 0) return [];
  const rows = sockets.map(({ protocol, state, count }) => [protocol, printable(state ?? '-'), String(count)]);
  const where = listening.slice(0, LISTENING_SHOWN).map(({ protocol, address }) => `${protocol} ${printable(address)}`);
  const more = listening.length > LISTENING_SHOWN ? ` and ${listening.length - LISTENING_SHOWN} more` : '';
  return [
    '',
    ...table(['PROTOCOL', 'STATE', 'SOCKETS'], rows, ['SOCKETS']),
    ...(where.length === 0 ? [] : ['', `listens on ${where.join(', ')}${more}`]),
  ];
}
