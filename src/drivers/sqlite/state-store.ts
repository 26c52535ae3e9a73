// The port to a SQLite file held by a store thread: statements go in, rows come out, the caller never blocks.

export type SqlValue = string | number | bigint | null | Uint8Array;
export type Row = Readonly<Record<string, SqlValue>>;
export interface Statement {
  readonly sql: string;
  readonly values?: readonly SqlValue[];
}

/** One part's tables. Statements are applied once each, in order; only ever append. */
export interface Migrations {
  readonly part: string;
  readonly statements: readonly string[];
}

export interface StoreOptions {
  /**
   * FULL (the default): a commit is on disk when it is acknowledged, also after a power cut. NORMAL: it survives the
   * death of the process, and a power cut from the next checkpoint on (https://sqlite.org/pragma.html#pragma_synchronous).
   */
  readonly synchronous?: 'FULL' | 'NORMAL';
  /** Opens a file that is there for reading beside its writer; no migrations. */
  readonly readOnly?: boolean;
}

export interface StateStore extends AsyncDisposable {
  /** All rows of a query; at most 100,000. Rejects on an integer beyond 2^53. */
  all(sql: string, ...values: readonly SqlValue[]): Promise<readonly Row[]>;
  /** The first row, or undefined. */
  get(sql: string, ...values: readonly SqlValue[]): Promise<Row | undefined>;
  /** Runs the statements in one transaction; committed when it resolves, and unless `synchronous` says otherwise on disk. Resolves with the changes made. */
  write(...statements: readonly Statement[]): Promise<number>;
  /** Bytes of the database and its write-ahead log. */
  size(): Promise<number>;
}
