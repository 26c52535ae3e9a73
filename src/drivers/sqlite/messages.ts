// What the caller's thread and the store thread say to each other.
import type { Migrations, Row, Statement, StoreOptions } from './state-store.ts';

export interface StoreThreadData extends StoreOptions {
  readonly file: string;
  readonly migrations: readonly Migrations[];
}

export type StoreRequest =
  | { readonly id: number; readonly kind: 'read'; readonly statement: Statement }
  | { readonly id: number; readonly kind: 'write'; readonly statements: readonly Statement[] }
  | { readonly id: number; readonly kind: 'close' };

export type StoreReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'unusable'; readonly problem: StoreProblem }
  | { readonly kind: 'rows'; readonly id: number; readonly rows: readonly Row[] }
  | { readonly kind: 'changes'; readonly id: number; readonly changes: number }
  | { readonly kind: 'failed'; readonly id: number; readonly problem: StoreProblem };

/** An error of SQLite: its primary result code (https://sqlite.org/rescode.html) and its message. */
export interface StoreProblem {
  readonly code: number;
  readonly message: string;
}

/** The code of a database that a newer version of the daemon has written; none of SQLite's. */
export const NEWER_SCHEMA = -1;
