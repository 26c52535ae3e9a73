// Bytes of a log that grows, is rotated to `.1` and may be cut off, read in pieces; the end of it found from behind.
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { systemCode } from '../../base/fault.ts';

/** A file that is open, with what it was when it was opened. */
export interface OpenLog extends AsyncDisposable {
  readonly inode: number;
  readonly size: number;
  read(offset: number, length: number): Promise<Buffer>;
}

const CHUNK = 64 * 1024;

/** Undefined where there is no such file, or something that is no file: opening never waits. */
export async function openLogFile(path: string): Promise<OpenLog | undefined> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    const about = await handle.stat();
    if (!about.isFile()) {
      await handle.close();
      return undefined;
    }
    const file = handle;
    return {
      inode: about.ino,
      size: about.size,
      async read(offset, length) {
        const buffer = Buffer.alloc(Math.max(0, Math.min(length, about.size - offset)));
        const { bytesRead } = await file.read(buffer, 0, buffer.length, offset);
        return buffer.subarray(0, bytesRead);
      },
      [Symbol.asyncDispose]: () => file.close(),
    };
  } catch (error) {
    await handle?.close().catch(() => undefined);
    if (['ENOENT', 'ELOOP', 'ENXIO', 'ENOTDIR'].includes(systemCode(error) ?? '')) return undefined;
    throw error;
  }
}

/** The offset at which the last `lines` lines begin, and how many were found; reads from behind, at most `most` bytes. */
export async function tailOffset(
  file: OpenLog,
  lines: number,
  most: number,
): Promise<{ readonly offset: number; readonly found: number }> {
  let end = file.size;
  let found = 0;
  if (lines === 0) return { offset: end, found };
  const least = Math.max(0, file.size - most);
  while (end > least) {
    const start = Math.max(least, end - CHUNK);
    const chunk = await file.read(start, end - start);
    // The newline at the very end closes the last line and begins none.
    for (let i = chunk.length - 1; i >= 0; i -= 1) {
      if (chunk[i] !== 10 || start + i === file.size - 1) continue;
      found += 1;
      if (found === lines) return { offset: start + i + 1, found };
    }
    end = start;
  }
  return { offset: least, found: file.size > least ? found + 1 : found };
}
