// What the serve process and the history thread say to each other.
import type { HistoryConfig } from './config.ts';
import type { By } from './culprit.ts';
import type { Lines } from './intake.ts';
import type { Snapshot } from './process-log.ts';

export interface HistoryThreadData {
  readonly dir: string;
  readonly config: HistoryConfig;
}

/** What is asked of one metric. */
export interface SeriesQuery {
  readonly metric: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Unix milliseconds. */
  readonly from: number;
  readonly to: number;
  readonly stepSeconds: number;
  readonly limit: number;
  /** The last series of the page before. */
  readonly after: string | undefined;
}

export interface NamesQuery {
  readonly metric: string | undefined;
  readonly from: number;
  readonly to: number;
  readonly limit: number;
  readonly after: string | undefined;
}

export interface ProcessesQuery {
  /** Unix milliseconds. */
  readonly at: number;
  readonly by: By;
  readonly limit: number;
}

export type HistoryRequest =
  | { readonly kind: 'collected'; readonly lines: readonly Lines[]; readonly snapshot: Snapshot | undefined }
  | { readonly id: number; readonly kind: 'series'; readonly query: SeriesQuery }
  | { readonly id: number; readonly kind: 'names'; readonly query: NamesQuery }
  | { readonly id: number; readonly kind: 'processes'; readonly query: ProcessesQuery }
  | { readonly id: number; readonly kind: 'close' };

export type HistoryReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'unusable'; readonly message: string }
  /** `taken`: how many `collected` were worked through. */
  | { readonly kind: 'taken'; readonly taken: number }
  | { readonly kind: 'stats'; readonly stats: HistoryStats }
  | { readonly kind: 'growth'; readonly growth: FdsGrowth }
  | { readonly kind: 'trouble'; readonly message: string; readonly cause: string }
  /** JSON. */
  | { readonly kind: 'answer'; readonly id: number; readonly json: Uint8Array }
  | { readonly kind: 'failed'; readonly id: number; readonly message: string };

export interface HistoryStats {
  readonly series: number;
  /** Names of series that were beyond the limit; the first of them. */
  readonly beyond: number;
  readonly diskBytes: number;
  readonly maxBytes: number;
  /** Unix milliseconds of the oldest file of minutes. */
  readonly since: number | null;
  readonly lostMinutes: number;
  /** The file system is too full to write to. */
  readonly full: boolean;
  readonly usedRatio: number;
  readonly trouble: string | null;
}

/** File descriptors gained per hour over the last day. */
export interface FdsGrowth {
  readonly groups: ReadonlyMap<string, number>;
  readonly processes: readonly { readonly pid: number; readonly startTime: number; readonly perHour: number }[];
}
