// The trace store in its thread: accepted bytes into a segment, hot in memory, packed into partitions, found again.
import { mkdirSync } from 'node:fs';
import { explain } from '../../base/fault.ts';
import { diskState, type DiskState } from '../../drivers/sqlite/index.ts';
import { decodeRequest, type Decoded } from '../ingest/decode.ts';
import { JsonError, transcode } from '../ingest/json.ts';
import type { OtlpFormat } from '../ingest/response.ts';
import { WireError } from '../../base/protobuf-wire.ts';
import { type Filter, search } from '../query/search.ts';
import { assemble, type Trace } from '../query/trace.ts';
import type { Summary } from '../span.ts';
import { type Block, pack } from './block.ts';
import { openGroupCommit } from './commit.ts';
import { HotWindow } from './hot.ts';
import type { Refused, Taken, TraceLimits, TraceStats } from './messages.ts';
import { deleteSegment, listSegments, readSegment, records, wholeBytes } from './segment.ts';
import { openShelf } from './shelf.ts';

export interface LocalTraceStore {
  /** `done` is called once: with what was kept, which is on disk then, or why nothing was. */
  ingest(format: OtlpFormat, body: Uint8Array, done: (outcome: Taken | Refused) => void): void;
  /** 32 hex digits, or the last 16 of an id. */
  find(traceId: string): Trace | undefined;
  search(filter: Filter): readonly Summary[];
  /** Services with their operations, both sorted. */
  services(): readonly { readonly name: string; readonly operations: readonly string[] }[];
  /** Packs what is hot. Rejects where the partition cannot be written; what is hot stays so. */
  flush(): Promise<void>;
  /** Deletes what is too old or too much. */
  retain(): void;
  stats(): TraceStats;
  close(): Promise<void>;
}

export interface LocalTraceStoreOptions {
  readonly dir: string;
  readonly limits: TraceLimits;
  readonly now: () => number;
  readonly onCommit?: (seconds: number, bytes: number) => void;
  readonly onTrouble?: (message: string, cause: string) => void;
  /** After everything that changes the stats for long. */
  readonly onChange?: () => void;
  /** For tests: called between the commit of a partition and the deletion of its segments. */
  readonly beforeDelete?: () => void;
  /** The file system; for tests. */
  readonly disk?: () => DiskState;
}

const RETRY_MS = 5000;
const DISK_EVERY_MS = 1000;
const FULL_CODES: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT']);
const SQLITE_FULL = 13;

const isFull = (error: unknown): boolean =>
  FULL_CODES.has((error as { code?: unknown }).code) || (error as { errcode?: unknown }).errcode === SQLITE_FULL;

/** Opens the store and takes up what an earlier life left in segments. Throws where the directory cannot be used. */
export function openLocalTraceStore(options: LocalTraceStoreOptions): LocalTraceStore {
  const { dir, limits, now, onChange = () => undefined, onTrouble = () => undefined } = options;
  mkdirSync(dir, { recursive: true, mode: 0o750 });
  const shelf = openShelf({ dir, limits, now, onTrouble });
  let hot = new HotWindow();
  /** Being packed: still found, no longer added to. */
  let moving: { readonly window: HotWindow; readonly segments: readonly string[] } | undefined;
  let flushing: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let fullTimer: NodeJS.Timeout | undefined;
  let closed = false;
  let trouble: string | null = null;
  let disk = options.disk?.() ?? diskState(dir);
  let diskAt = now();
  let deletedPartitions = 0;
  let flushes = 0;
  const counts = { blocks: 0, spans: 0 };
  const recount = (): void => {
    counts.blocks = 0;
    counts.spans = 0;
    for (const partition of shelf.partitions()) {
      const { blocks, spans } = partition.counts();
      counts.blocks += blocks;
      counts.spans += spans;
    }
  };

  const found = replay();
  const log = openGroupCommit({ dir, now, found, onCommit: options.onCommit ?? (() => undefined) });
  recount();
  retain();
  if (hot.spans > 0) arm(hot.bytes >= limits.hotBytes ? 0 : limits.hotMs);

  /** Hot again what was accepted and not packed; segments that were packed and only not deleted are deleted. */
  function replay(): readonly string[] {
    const left: string[] = [];
    for (const id of listSegments(dir)) {
      if (shelf.partitions().some((partition) => partition.hasSegment(id))) {
        deleteSegment(dir, id);
        continue;
      }
      const bytes = readSegment(dir, id);
      for (const record of records(bytes)) hot.add(decodeRequest(record).spans);
      const torn = bytes.length - wholeBytes(bytes);
      if (torn > 0)
        onTrouble(
          `the end of the segment ${id} was not written whole; it was never acknowledged and is left out`,
          `${torn} bytes`,
        );
      left.push(id);
    }
    return left;
  }

  function arm(ms: number): void {
    if (closed) return;
    if (ms === 0) clearTimeout(timer);
    else if (timer !== undefined) return;
    timer = setTimeout(() => {
      timer = undefined;
      void flush().catch(() => undefined);
    }, ms);
  }

  function checkDisk(): DiskState {
    if (Math.abs(now() - diskAt) >= DISK_EVERY_MS) {
      const before = disk.full;
      disk = options.disk?.() ?? diskState(dir);
      diskAt = now();
      if (before !== disk.full) onChange();
    }
    // Room is noticed also when nobody sends.
    if (disk.full && !closed) fullTimer ??= setTimeout(recheck, RETRY_MS).unref();
    return disk;
  }

  function recheck(): void {
    fullTimer = undefined;
    checkDisk();
  }

  const windows = (): readonly HotWindow[] => (moving === undefined ? [hot] : [hot, moving.window]);

  function decode(format: OtlpFormat, body: Uint8Array): { request: Uint8Array; decoded: Decoded } | Refused {
    try {
      const request = format === 'json' ? transcode(body) : body;
      return { request, decoded: decodeRequest(request) };
    } catch (error) {
      if (!(error instanceof WireError || error instanceof JsonError)) throw error;
      return { kind: 'refused', why: 'malformed', message: error.message };
    }
  }

  function ingest(format: OtlpFormat, body: Uint8Array, done: (outcome: Taken | Refused) => void): void {
    const got = decode(format, body);
    if ('kind' in got) return done(got);
    const { request, decoded } = got;
    const taken: Taken = { kind: 'taken', accepted: decoded.spans.length, rejected: [...decoded.rejected] };
    if (decoded.spans.length === 0) return done(taken);
    if (checkDisk().full) return done(refusedForDisk());
    if (hot.bytes + (moving?.window.bytes ?? 0) >= 2 * limits.hotBytes) {
      arm(0);
      const message = trouble ?? 'spans come faster than they can be packed';
      return done({ kind: 'refused', why: 'overloaded', message });
    }
    log.append(request, (error) => {
      if (error !== undefined) {
        trouble = `segments cannot be written: ${explain(error)}`;
        onTrouble('a segment cannot be written; the spans were refused', explain(error));
        onChange();
        return done(
          isFull(error)
            ? refusedForDisk()
            : { kind: 'refused', why: 'failed', message: `the spans could not be written: ${explain(error)}` },
        );
      }
      if (trouble !== null && moving === undefined) {
        trouble = null;
        onChange();
      }
      hot.add(decoded.spans);
      arm(hot.bytes >= limits.hotBytes ? 0 : limits.hotMs);
      done(taken);
    });
  }

  const refusedForDisk = (): Refused => ({
    kind: 'refused',
    why: 'disk_full',
    message: `the file system of ${dir} is ${Math.round(disk.usedRatio * 100)} % full`,
  });

  /** Takes the hot window aside, together with exactly the segments that its spans are in. */
  const setAside = (): Promise<NonNullable<typeof moving>> =>
    new Promise((resolve) =>
      log.seal(() => {
        moving = { window: hot, segments: log.segments() };
        hot = new HotWindow();
        resolve(moving);
      }),
    );

  async function flushOnce(): Promise<void> {
    const { window, segments } = moving ?? (await setAside());
    const blocks: Block[] = [];
    for await (const block of pack(window.traces)) blocks.push(block);
    if (closed) return;
    if (blocks.length > 0 || segments.length > 0) shelf.current().write(blocks, segments);
    moving = undefined;
    trouble = null;
    flushes += blocks.length > 0 ? 1 : 0;
    for (const block of blocks) {
      counts.blocks += 1;
      counts.spans += block.spans;
    }
    options.beforeDelete?.();
    log.forget(segments);
    for (const id of segments) deleteSegment(dir, id);
    retain();
  }

  function flush(): Promise<void> {
    if (flushing !== undefined) return flushing;
    if (moving === undefined && hot.spans === 0) return Promise.resolve();
    clearTimeout(timer);
    timer = undefined;
    flushing = flushOnce()
      .catch((error: unknown) => {
        trouble = `spans cannot be packed: ${explain(error)}`;
        onTrouble('hot spans cannot be packed; they stay in their segments', explain(error));
        if (!isFull(error)) shelf.roll();
        arm(RETRY_MS);
        throw error;
      })
      .finally(() => {
        flushing = undefined;
        if (hot.spans > 0) arm(hot.bytes >= limits.hotBytes ? 0 : limits.hotMs);
        onChange();
      });
    return flushing;
  }

  function retain(): void {
    const deleted = shelf.retain();
    if (deleted === 0) return;
    deletedPartitions += deleted;
    recount();
    onChange();
  }

  return {
    ingest,
    find(traceId) {
      const spans = windows().flatMap((window) => window.find(traceId));
      for (const partition of shelf.partitions()) for (const { read } of partition.find(traceId)) spans.push(...read());
      return assemble(spans);
    },
    search: (filter) => search(filter, { hot: windows(), partitions: shelf.partitions() }),
    services() {
      const known = new Map<string, Set<string>>();
      const add = (service: string, operation: string | null): void => {
        const operations = known.get(service) ?? new Set();
        known.set(service, operations);
        if (operation !== null) operations.add(operation);
      };
      for (const { traces } of windows())
        for (const spans of traces.values()) for (const { source, name } of spans) add(source.service, name);
      for (const partition of shelf.partitions())
        for (const { service, operation } of partition.names()) add(service, operation);
      return [...known.keys()].sort().map((name) => ({ name, operations: [...(known.get(name) ?? [])].sort() }));
    },
    flush,
    retain() {
      checkDisk();
      retain();
    },
    stats: () => ({
      hotSpans: windows().reduce((sum, { spans }) => sum + spans, 0),
      hotBytes: windows().reduce((sum, { bytes }) => sum + bytes, 0),
      ...counts,
      partitions: shelf.partitions().length,
      diskBytes: shelf.bytes(),
      maxBytes: shelf.maxBytes(),
      deletedPartitions,
      flushes,
      full: checkDisk().full,
      usedRatio: disk.usedRatio,
      trouble,
    }),
    async close() {
      closed = true;
      clearTimeout(timer);
      clearTimeout(fullTimer);
      await log.close();
      await flushing?.catch(() => undefined);
      shelf.close();
    },
  };
}
