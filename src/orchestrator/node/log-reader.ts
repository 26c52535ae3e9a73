// The next piece of a container's output, from the file where its runtime keeps it.
import { Fault, faultKind } from '../../base/fault.ts';
import type { LogFile } from '../runtimes/runtime.ts';
import { decodeDockerLines } from './docker-lines.ts';
import type { LogCursor } from './log-cursor.ts';
import { type OpenLog, openLogFile, tailOffset } from './log-file.ts';

const LOG_WITHOUT_TIMES = faultKind(
  'JD_LOG_WITHOUT_TIMES',
  400,
  'leave out --timestamps and --since and use --tail, or run the pod with runtimeClassName: docker',
);

export const PIECE_BYTES = 256 * 1024;
/** A tail looks back no further: lines without an end would have it read a whole disk. */
const TAIL_BYTES = 64 * 1024 * 1024;
/** JSON may write one byte as six. */
const ENCODED = 6;

export interface PieceRequest {
  readonly file: LogFile;
  readonly attempt: number;
  readonly cursor: LogCursor | undefined;
  readonly tailLines?: number | undefined;
  readonly since?: number | undefined;
  readonly timestamps: boolean;
}

export interface Piece {
  readonly data: Buffer;
  readonly cursor: LogCursor;
  /** Whether all that is there now was read. */
  readonly atEnd: boolean;
}

/** What is there after the cursor, at most {@link PIECE_BYTES}. */
export async function readPiece(request: PieceRequest): Promise<Piece> {
  const { file, attempt, cursor, since, timestamps } = request;
  if (file.format === 'raw' && (timestamps || since !== undefined)) {
    throw new Fault(
      LOG_WITHOUT_TIMES,
      `the process runtime keeps output as it was written, without times: there is no ${timestamps ? 'timestamp to show' : 'time to start from'}; use --tail, or runtimeClassName docker`,
    );
  }
  await using now = await openLogFile(file.path);
  await using before = await openLogFile(`${file.path}.1`);
  if (now === undefined) return { data: Buffer.alloc(0), cursor: cursor ?? origin(attempt), atEnd: true };
  const at = cursor ?? (await firstCursor(request, now, before));
  // Rotated meanwhile: the rest of the old file comes first, where it is still there.
  const rotated = at.inode !== now.inode && before !== undefined && before.inode === at.inode;
  const from = rotated ? before : now;
  // Cut off, or rotated twice: what is lost is lost, and the file is read from its start.
  const offset = from.inode === at.inode && at.offset <= from.size ? at.offset : 0;
  const piece = await readFrom(from, offset, request);
  const exhausted = piece.used === 0 || offset + piece.used >= from.size;
  const next =
    rotated && exhausted
      ? { attempt, inode: now.inode, offset: 0 }
      : { attempt, inode: from.inode, offset: offset + piece.used };
  return { data: piece.data, cursor: next, atEnd: !rotated && exhausted };
}

const origin = (attempt: number): LogCursor => ({ attempt, inode: 0, offset: 0 });

async function firstCursor(
  { attempt, tailLines }: PieceRequest,
  now: OpenLog,
  before: OpenLog | undefined,
): Promise<LogCursor> {
  if (tailLines === undefined) {
    const first = before ?? now;
    return { attempt, inode: first.inode, offset: 0 };
  }
  const { offset, found } = await tailOffset(now, tailLines, TAIL_BYTES);
  if (found >= tailLines || before === undefined) return { attempt, inode: now.inode, offset };
  const older = await tailOffset(before, tailLines - found, TAIL_BYTES);
  return { attempt, inode: before.inode, offset: older.offset };
}

async function readFrom(
  from: OpenLog,
  offset: number,
  { file, since, timestamps, cursor }: PieceRequest,
): Promise<{ readonly data: Buffer; readonly used: number }> {
  if (file.format === 'raw') {
    const data = await from.read(offset, PIECE_BYTES);
    return { data, used: data.length };
  }
  // A part of a long line is followed by its rest: it carries no time of its own.
  const partial = cursor !== undefined && timestamps && (await endsWithin(from, offset));
  for (let at = offset; ;) {
    const input = await from.read(at, PIECE_BYTES * ENCODED);
    const { data, used } = decodeDockerLines(input, { timestamps, since, partial, most: PIECE_BYTES });
    at += used;
    if (data.length > 0 || used === 0) return { data, used: at - offset };
  }
}

/** Whether the line before the offset is a part that goes on. */
async function endsWithin(from: OpenLog, offset: number): Promise<boolean> {
  const start = Math.max(0, offset - PIECE_BYTES);
  const input = await from.read(start, offset - start);
  const last = input.lastIndexOf(10, input.length - 2) + 1;
  return decodeDockerLines(input.subarray(last), {
    timestamps: false,
    since: undefined,
    partial: false,
    most: PIECE_BYTES,
  }).partial;
}
