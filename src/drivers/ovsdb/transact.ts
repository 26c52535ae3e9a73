// The operations of an OVSDB transaction (RFC 7047, section 5.2), typed, and what became of them.
import { Fault } from '../../base/fault.ts';
import { z } from '../../base/schema.ts';
import { OVS_GARBLED, OVS_REFUSED } from './faults.ts';
import type { Atom } from './values.ts';

/** Values as OVSDB writes them; made by {@link uuid}, {@link named}, {@link set} and {@link map}. */
type WireValue = Atom | readonly ['uuid' | 'named-uuid', string] | readonly ['set' | 'map', readonly unknown[]];
type WireRow = Readonly<Record<string, WireValue>>;

export const uuid = (id: string): WireValue => ['uuid', id];
/** The row that an `insert` of the same transaction makes under this name. */
export const named = (name: string): WireValue => ['named-uuid', name];
export const set = (values: readonly WireValue[]): WireValue => ['set', values];
export const map = (values: Readonly<Record<string, WireValue>>): WireValue => ['map', Object.entries(values)];

export type Condition = readonly [
  column: string,
  is: '==' | '!=' | '<' | '<=' | '>' | '>=' | 'includes' | 'excludes',
  value: WireValue,
];
type Mutation = readonly [column: string, by: '+=' | '-=' | '*=' | '/=' | '%=' | 'insert' | 'delete', value: WireValue];

export type Operation =
  | { readonly op: 'insert'; readonly table: string; readonly row: WireRow; readonly 'uuid-name'?: string }
  | {
      readonly op: 'select';
      readonly table: string;
      readonly where: readonly Condition[];
      readonly columns?: readonly string[];
    }
  | { readonly op: 'update'; readonly table: string; readonly where: readonly Condition[]; readonly row: WireRow }
  | {
      readonly op: 'mutate';
      readonly table: string;
      readonly where: readonly Condition[];
      readonly mutations: readonly Mutation[];
    }
  | { readonly op: 'delete'; readonly table: string; readonly where: readonly Condition[] }
  | {
      readonly op: 'wait';
      readonly table: string;
      readonly where: readonly Condition[];
      readonly columns: readonly string[];
      readonly until: '==' | '!=';
      readonly rows: readonly WireRow[];
      /** Milliseconds. */
      readonly timeout?: number;
    }
  | { readonly op: 'comment'; readonly comment: string }
  | { readonly op: 'assert'; readonly lock: string };

const Result = z.object({
  count: z.number().optional(),
  uuid: z.tuple([z.literal('uuid'), z.string()]).optional(),
  /** Of a `select`, as OVSDB writes them. */
  rows: z.array(z.record(z.string(), z.unknown())).optional(),
});
const Failure = z.object({ error: z.string(), details: z.string().optional() });
const Results = z.array(z.union([Failure, z.null(), Result]));

/** What one operation did. */
export interface OperationResult {
  /** Rows that matched. */
  readonly count?: number | undefined;
  /** Of the row that was made. */
  readonly uuid?: string | undefined;
  readonly rows?: readonly Readonly<Record<string, unknown>>[] | undefined;
}

/**
 * The result of each operation. Throws a Fault when one failed, which undoes all of them, or when the whole could not be committed:
 * then the answer has one entry more than there are operations.
 */
export function readResults(raw: unknown, operations: readonly Operation[]): readonly OperationResult[] {
  const parsed = Results.safeParse(raw);
  if (!parsed.success || parsed.data.length < operations.length) {
    throw new Fault(OVS_GARBLED, 'the answer to a transaction cannot be understood');
  }
  return parsed.data.slice(0, operations.length + 1).flatMap((result, index): OperationResult[] => {
    if (result !== null && 'error' in result) {
      const what = operations[index] === undefined ? 'the commit' : `operation ${index} (${operations[index].op})`;
      throw new Fault(
        OVS_REFUSED,
        `ovsdb-server undid the transaction: ${what}: ${result.error} ${result.details ?? ''}`.trim(),
      );
    }
    if (operations[index] === undefined) return [];
    return [result === null ? {} : { count: result.count, uuid: result.uuid?.[1], rows: result.rows }];
  });
}
