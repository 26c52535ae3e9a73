// The partitions of the store: opened, the one being written, rolled by age and size, deleted by age and by the budget.
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { explain } from '../../base/fault.ts';
import {
  deletePartition,
  diskState,
  fileBytes,
  listPartitions,
  partitionName,
  planRetention,
} from '../../drivers/sqlite/index.ts';
import type { TraceLimits } from './messages.ts';
import { openPartition, type Partition } from './partition.ts';

const STORE = 'traces';
const DAY_MS = 86_400_000;
/** A partition is a small part of the budget, so that keeping within it deletes little at a time. */
const PARTS_OF_BUDGET = 16;

interface Shelf {
  /** Oldest first. */
  partitions(): readonly Partition[];
  /** The partition that takes what arrives now; made where there is none or the last one is old or large enough. */
  current(): Partition;
  /** After a failed write: the next one goes to a new file. */
  roll(): void;
  /** Deletes what is too old or too much; gives the number of files. */
  retain(): number;
  maxBytes(): number;
  bytes(): number;
  close(): void;
}

interface ShelfOptions {
  readonly dir: string;
  readonly limits: TraceLimits;
  readonly now: () => number;
  readonly onTrouble: (message: string, cause: string) => void;
}

interface Kept {
  readonly partition: Partition;
  readonly begins: number;
  written: number;
  bytes: number;
}

export function openShelf({ dir, limits, now, onTrouble }: ShelfOptions): Shelf {
  const kept: Kept[] = [];
  let closedForWriting = false;
  for (const { file, begins, written, bytes } of listPartitions(dir, STORE)) {
    try {
      kept.push({ partition: openPartition(file), begins, written, bytes });
    } catch (error) {
      // Kept for whoever wants to repair it; its name no longer makes it a partition.
      renameSync(file, `${file}.damaged`);
      onTrouble(`the partition ${file} cannot be read and is set aside as ${file}.damaged`, explain(error));
    }
  }
  const maxBytes = (): number => limits.maxBytes ?? Math.floor(diskState(dir).budgetBytes / 2);
  const measure = (): void => {
    const last = kept.at(-1);
    if (last !== undefined) last.bytes = fileBytes(last.partition.file);
  };
  return {
    partitions: () => kept.map(({ partition }) => partition),
    current() {
      measure();
      const last = kept.at(-1);
      const isOpen = last !== undefined && !closedForWriting && now() - last.begins < DAY_MS;
      if (isOpen && last.bytes < maxBytes() / PARTS_OF_BUDGET) {
        last.written = now();
        return last.partition;
      }
      // Later than the last one, also when the clock was set back.
      const begins = Math.max(now(), (last?.begins ?? 0) + 1);
      const partition = openPartition(join(dir, partitionName(STORE, begins)));
      kept.push({ partition, begins, written: now(), bytes: 0 });
      closedForWriting = false;
      return partition;
    },
    roll: () => void (closedForWriting = true),
    retain() {
      measure();
      const going = planRetention(kept, { now: now(), maxAgeMs: limits.retentionMs, maxBytes: maxBytes() });
      for (const one of going) {
        kept.splice(kept.indexOf(one), 1);
        one.partition[Symbol.dispose]();
        deletePartition(one.partition.file);
      }
      return going.length;
    },
    maxBytes,
    bytes() {
      measure();
      return kept.reduce((sum, { bytes }) => sum + bytes, 0);
    },
    close() {
      for (const { partition } of kept.splice(0)) partition[Symbol.dispose]();
    },
  };
}
