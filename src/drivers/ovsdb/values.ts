// The values of OVSDB columns: from RFC 7047's JSON, by the type in the schema, and the differences that `update2` tells.
import { z } from '../../base/schema.ts';

/** A UUID is a string. Integers beyond 2⁵³ lose their last digits, as in every JSON of JavaScript. */
export type Atom = string | number | boolean;
export type AtomMap = ReadonlyMap<Atom, Atom>;
/** An optional column that is empty is undefined. */
export type Value = Atom | undefined | readonly Atom[] | AtomMap;

/** What a column holds, and the value that is left out of a new row (ovsdb-server(7): the default of its type). */
export interface ColumnType {
  /** `optional` holds none or one; `set` and `map` are told by their differences. */
  readonly kind: 'scalar' | 'optional' | 'set' | 'map';
  readonly empty: Value;
}

const Base = z.union([z.string(), z.object({ type: z.string() }).transform(({ type }) => type)]);
const Type = z.union([
  z.string(),
  z.object({
    key: Base,
    value: Base.optional(),
    min: z.number().optional(),
    max: z.union([z.number(), z.literal('unlimited')]).optional(),
  }),
]);

const DEFAULTS: Readonly<Record<string, Atom>> = {
  integer: 0,
  real: 0,
  boolean: false,
  string: '',
  uuid: '00000000-0000-0000-0000-000000000000',
};

/** A column by its `<type>` (RFC 7047, section 3.2); undefined for what is no type. */
export function columnType(type: unknown): ColumnType | undefined {
  const parsed = Type.safeParse(type);
  if (!parsed.success) return undefined;
  const { key, value, min = 1, max = 1 } = typeof parsed.data === 'string' ? { key: parsed.data } : parsed.data;
  if (value !== undefined) return { kind: 'map', empty: new Map() };
  if (max !== 1) return { kind: 'set', empty: [] };
  return min === 0 ? { kind: 'optional', empty: undefined } : { kind: 'scalar', empty: DEFAULTS[key] };
}

const isTagged = (json: unknown, tag: string): json is [string, unknown] =>
  Array.isArray(json) && json.length === 2 && json[0] === tag;

function atom(json: unknown): Atom {
  if (typeof json === 'string' || typeof json === 'number' || typeof json === 'boolean') return json;
  if ((isTagged(json, 'uuid') || isTagged(json, 'named-uuid')) && typeof json[1] === 'string') return json[1];
  throw new TypeError(`${JSON.stringify(json)?.slice(0, 80)} is no atom of OVSDB`);
}

function list(json: unknown, tag: 'set' | 'map'): readonly unknown[] {
  if (isTagged(json, tag) && Array.isArray(json[1])) return json[1] as readonly unknown[];
  throw new TypeError(`${JSON.stringify(json)?.slice(0, 80)} is no ${tag} of OVSDB`);
}

const pair = (json: unknown): readonly [Atom, Atom] => {
  if (!Array.isArray(json) || json.length !== 2) throw new TypeError('a map of OVSDB holds something else than pairs');
  return [atom(json[0]), atom(json[1])];
};

/** Decodes a `<value>` (RFC 7047, section 5.1). A set of one stands for itself. Throws for what is none. */
export function decodeValue(json: unknown, { kind }: ColumnType): Value {
  if (kind === 'map') return new Map(list(json, 'map').map(pair));
  const atoms = isTagged(json, 'set') ? list(json, 'set').map(atom) : [atom(json)];
  if (kind === 'set') return atoms;
  if (atoms.length > 1 || (atoms.length === 0 && kind === 'scalar')) {
    throw new TypeError(`${atoms.length} values in a column for one`);
  }
  return atoms[0];
}

/**
 * The value after a `modify` of `update2` (ovsdb-server(7), section 4.1.14). Of a set the difference are the elements that only one side
 * has. Of a map it is each pair that came, went or changed, and its value is the new one: where the old one had the same, it went.
 */
export function applyDifference(old: Value, difference: Value): Value {
  if (difference instanceof Map) {
    const after = new Map(old instanceof Map ? (old as AtomMap) : []);
    for (const [key, value] of difference as AtomMap) {
      if (after.get(key) === value) after.delete(key);
      else after.set(key, value);
    }
    return after;
  }
  if (!Array.isArray(difference)) return difference;
  const after = new Set(Array.isArray(old) ? (old as readonly Atom[]) : []);
  for (const one of difference as readonly Atom[]) if (!after.delete(one)) after.add(one);
  return [...after];
}
