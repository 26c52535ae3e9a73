// What the daemon's thread and the trace thread say to each other.
import type { OtlpFormat } from '../ingest/response.ts';
import type { Filter } from '../query/search.ts';
import type { Rejection } from '../span.ts';

export interface TraceThreadData {
  readonly dir: string;
  readonly limits: TraceLimits;
}

export interface TraceLimits {
  readonly retentionMs: number;
  /** Most bytes on disk; half of the budget of the file system unless given. */
  readonly maxBytes?: number;
  readonly hotBytes: number;
  readonly hotMs: number;
}

export type TraceRequest =
  | { readonly id: number; readonly kind: 'ingest'; readonly format: OtlpFormat; readonly body: Uint8Array }
  | { readonly id: number; readonly kind: 'find'; readonly traceId: string }
  | { readonly id: number; readonly kind: 'search'; readonly filter: Filter }
  | { readonly id: number; readonly kind: 'services' }
  | { readonly id: number; readonly kind: 'flush' }
  | { readonly id: number; readonly kind: 'close' };

/** Why a request was not taken in. */
export type Refusal = 'malformed' | 'overloaded' | 'disk_full' | 'failed';

export interface Taken {
  readonly kind: 'taken';
  readonly accepted: number;
  readonly rejected: readonly (readonly [Rejection, number])[];
}
export interface Refused {
  readonly kind: 'refused';
  readonly why: Refusal;
  readonly message: string;
}

export type TraceReply =
  | { readonly kind: 'ready'; readonly stats: TraceStats }
  | { readonly kind: 'unusable'; readonly message: string }
  | { readonly kind: 'stats'; readonly stats: TraceStats }
  | { readonly kind: 'committed'; readonly seconds: number; readonly bytes: number }
  | { readonly kind: 'trouble'; readonly message: string; readonly cause: string }
  | (Taken & { readonly id: number })
  | (Refused & { readonly id: number })
  /** JSON, or undefined where nothing was found. */
  | { readonly kind: 'answer'; readonly id: number; readonly json: Uint8Array | undefined }
  | { readonly kind: 'failed'; readonly id: number; readonly message: string };

export interface TraceStats {
  readonly hotSpans: number;
  readonly hotBytes: number;
  readonly blocks: number;
  readonly spans: number;
  readonly partitions: number;
  readonly diskBytes: number;
  readonly maxBytes: number;
  readonly deletedPartitions: number;
  readonly flushes: number;
  /** Why nothing is taken in at the moment, or what else is wrong. */
  readonly full: boolean;
  readonly usedRatio: number;
  readonly trouble: string | null;
}
