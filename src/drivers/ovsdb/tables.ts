// A copy of the monitored tables, kept by the updates of `monitor_cond` and of the older `monitor`.
import { Fault } from '../../base/fault.ts';
import { OVS_GARBLED } from './faults.ts';
import type { Columns } from './schema.ts';
import { applyDifference, decodeValue, type ColumnType, type Value } from './values.ts';

/** Values by column; a column that the database does not have is missing. */
export type Row = ReadonlyMap<string, Value>;
/** Rows by UUID, by table. Tables and rows are replaced, not changed, when something in them is. */
export type Tables = ReadonlyMap<string, ReadonlyMap<string, Row>>;

/** How updates are told: `update2` of monitor_cond, or `update` of RFC 7047. */
export type Dialect = 'update2' | 'update';

const MOST_ROWS = 200_000;

const isRecord = (json: unknown): json is Readonly<Record<string, unknown>> =>
  typeof json === 'object' && json !== null && !Array.isArray(json);

function record(json: unknown, what: string): Readonly<Record<string, unknown>> {
  if (isRecord(json)) return json;
  throw new Fault(OVS_GARBLED, `${what} cannot be understood`);
}

/** The tables with the rows of an update in them. Throws a Fault for what is no update, or of tables that were not asked for. */
export function applyUpdates(tables: Tables, updates: unknown, columns: Columns, dialect: Dialect): Tables {
  const after = new Map(tables);
  for (const [table, rows] of Object.entries(record(updates, 'an update'))) {
    const types = columns.get(table);
    if (types === undefined) throw new Fault(OVS_GARBLED, `an update of the table ${table}, which nobody asked for`);
    const changed = new Map(after.get(table));
    for (const [uuid, update] of Object.entries(record(rows, `an update of ${table}`))) {
      const row = changeRow(changed.get(uuid), record(update, `an update of ${table}`), types, dialect);
      if (row === undefined) changed.delete(uuid);
      else changed.set(uuid, row);
    }
    after.set(table, changed);
  }
  const rows = [...after.values()].reduce((sum, { size }) => sum + size, 0);
  if (rows > MOST_ROWS) throw new Fault(OVS_GARBLED, `the database has more than ${MOST_ROWS} rows`);
  return after;
}

type Update = Readonly<Record<string, unknown>>;
type Types = ReadonlyMap<string, ColumnType>;

/** The row after an update; undefined when it is gone. */
function changeRow(before: Row | undefined, update: Update, types: Types, dialect: Dialect): Row | undefined {
  try {
    if (dialect === 'update') return 'new' in update ? decodeRow(update['new'], types, before) : undefined;
    if ('initial' in update) return decodeRow(update['initial'], types);
    if ('insert' in update) return decodeRow(update['insert'], types);
    if ('modify' in update) return modified(before, record(update['modify'], 'a changed row'), types);
    if ('delete' in update) return undefined;
  } catch (error) {
    throw error instanceof Fault ? error : new Fault(OVS_GARBLED, 'a row cannot be understood', { cause: error });
  }
  throw new Fault(OVS_GARBLED, 'an update tells neither of a new, a changed nor a removed row');
}

function decodeRow(json: unknown, types: Types, before?: Row): Row {
  const told = record(json, 'a row');
  const row = new Map<string, Value>();
  for (const [column, type] of types) {
    if (column in told) row.set(column, decodeValue(told[column], type));
    else row.set(column, before?.get(column) ?? type.empty);
  }
  return row;
}

function modified(before: Row | undefined, told: Update, types: Types): Row {
  if (before === undefined) throw new Fault(OVS_GARBLED, 'a row changed that is not there');
  const row = new Map(before);
  for (const [column, json] of Object.entries(told)) {
    const type = types.get(column);
    if (type !== undefined) row.set(column, applyDifference(before.get(column), decodeValue(json, type)));
  }
  return row;
}
