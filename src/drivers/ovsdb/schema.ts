// What of the wished columns a database has: OVSDB refuses to monitor one that its schema does not know.
import { Fault } from '../../base/fault.ts';
import { z } from '../../base/schema.ts';
import { OVS_GARBLED } from './faults.ts';
import { columnType, type ColumnType } from './values.ts';

/** Columns by table, as many as a caller can use. */
export type Wish = Readonly<Record<string, readonly string[]>>;

/** The types of the columns that are wished and there, by table. */
export type Columns = ReadonlyMap<string, ReadonlyMap<string, ColumnType>>;

const Schema = z.object({
  name: z.string(),
  version: z.string().optional(),
  tables: z.record(z.string(), z.object({ columns: z.record(z.string(), z.object({ type: z.unknown() })) })),
});

export interface Described {
  readonly version: string | undefined;
  readonly columns: Columns;
}

/** Throws a Fault for what is no schema of a database. */
export function chooseColumns(raw: unknown, wish: Wish): Described {
  const parsed = Schema.safeParse(raw);
  if (!parsed.success)
    throw new Fault(OVS_GARBLED, 'the schema of the database cannot be understood', { cause: parsed.error });
  const { tables, version } = parsed.data;
  const columns = new Map<string, ReadonlyMap<string, ColumnType>>();
  for (const [table, wished] of Object.entries(wish)) {
    const there = tables[table]?.columns;
    if (there === undefined) continue;
    const types = wished.flatMap((name): [string, ColumnType][] => {
      const type = there[name] === undefined ? undefined : columnType(there[name].type);
      return type === undefined ? [] : [[name, type]];
    });
    columns.set(table, new Map(types));
  }
  return { version, columns };
}
