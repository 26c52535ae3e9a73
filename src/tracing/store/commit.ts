// Group commit: all records that wait are written together and share one fdatasync, before any of them is acknowledged.
import { close, fdatasync, ftruncateSync, writev } from 'node:fs';
import { createSegment, frame, newSegmentId } from './segment.ts';

interface GroupCommit {
  /** `done` is called when the record is on disk, or with the error that kept it from there. */
  append(record: Uint8Array, done: (error: Error | undefined) => void): void;
  /** Calls back between two commits, with the segment closed: every record in it has been reported as done. */
  seal(sealed: () => void): void;
  /** Ids of closed and open segments with records that are not yet `forget`ten, oldest first. */
  segments(): readonly string[];
  forget(ids: readonly string[]): void;
  close(): Promise<void>;
}

interface GroupCommitOptions {
  readonly dir: string;
  readonly now: () => number;
  /** Segments of an earlier life. */
  readonly found: readonly string[];
  /** Told how long each commit took on the disk, in seconds, and how many bytes it wrote. */
  readonly onCommit: (seconds: number, bytes: number) => void;
}

interface Waiting {
  readonly record: Uint8Array;
  readonly done: (error: Error | undefined) => void;
}

export function openGroupCommit({ dir, now, found, onCommit }: GroupCommitOptions): GroupCommit {
  const segments = [...found];
  let waiting: Waiting[] = [];
  let seals: (() => void)[] = [];
  let fd: number | undefined;
  let size = 0;
  let busy = false;
  let scheduled = false;

  const closeSegment = (): void => {
    if (fd !== undefined) close(fd, () => undefined);
    fd = undefined;
    size = 0;
  };
  const finish = (batch: readonly Waiting[], error: Error | undefined): void => {
    busy = false;
    for (const { done } of batch) done(error);
    const sealing = seals;
    seals = [];
    if (sealing.length > 0) closeSegment();
    for (const sealed of sealing) sealed();
    if (waiting.length > 0) schedule();
  };
  /** Takes back what a failed write left, so that what follows is not behind a torn record. */
  const failed = (batch: readonly Waiting[], error: Error, keep: boolean): void => {
    try {
      if (fd !== undefined) ftruncateSync(fd, size);
    } catch {
      keep = false;
    }
    if (!keep) closeSegment();
    finish(batch, error);
  };
  const commit = (): void => {
    scheduled = false;
    if (busy || waiting.length === 0) return;
    const batch = waiting;
    waiting = [];
    busy = true;
    try {
      if (fd === undefined) {
        const id = newSegmentId(now());
        fd = createSegment(dir, id);
        segments.push(id);
      }
    } catch (error) {
      return finish(batch, error as Error);
    }
    const file = fd;
    const parts = batch.flatMap(({ record }) => [frame(record), record]);
    const bytes = parts.reduce((sum, part) => sum + part.length, 0);
    writev(file, parts, (error, written) => {
      if (error !== null) return failed(batch, error, true);
      if (written !== bytes) return failed(batch, new Error('the disk took only a part of the write'), true);
      const began = performance.now();
      fdatasync(file, (unsynced) => {
        // After a failed fdatasync the kernel may drop the pages and report the next one as good: use the file no more.
        if (unsynced !== null) return failed(batch, unsynced, false);
        size += bytes;
        onCommit((performance.now() - began) / 1000, bytes);
        finish(batch, undefined);
      });
    });
  };
  const schedule = (): void => {
    if (scheduled || busy) return;
    scheduled = true;
    setImmediate(commit);
  };

  return {
    append(record, done) {
      waiting.push({ record, done });
      schedule();
    },
    seal(sealed) {
      if (busy) return void seals.push(sealed);
      closeSegment();
      sealed();
    },
    segments: () => [...segments],
    forget(ids) {
      for (const id of ids) {
        const at = segments.indexOf(id);
        if (at >= 0) segments.splice(at, 1);
      }
    },
    close: () =>
      new Promise((resolve) => {
        const end = (): void => {
          if (waiting.length > 0) return void seals.push(end);
          closeSegment();
          resolve();
        };
        if (busy || waiting.length > 0) seals.push(end);
        else end();
      }),
  };
}
