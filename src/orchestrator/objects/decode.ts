// Foreign JSON made into an object of a known shape: what is unknown is named and left out, what has a wrong type is refused.
import { fieldPath, nearest } from '../../base/schema.ts';
import { type Cause, forbidden } from './cause.ts';
import { QUANTITY_TEXT, quantitySign } from './quantity.ts';
import type { Field, Shape } from './shape.ts';

/** Something that cannot be as it is, and where it stands. */
export interface Misfit {
  readonly field: string;
  /** With the field in it. */
  readonly text: string;
}

export interface Decoded {
  readonly value: Readonly<Record<string, unknown>>;
  /** Unknown and misplaced fields: `unknown field "spec.foo"`. */
  readonly unknown: readonly Misfit[];
  /** Wrong types: the object cannot be read. */
  readonly errors: readonly Misfit[];
  /** Fields that are known and refused. */
  readonly refused: readonly Cause[];
  /** Fields that are kept and have no, or another, effect. */
  readonly warnings: readonly string[];
}

/** For more unknown fields than that nobody wants to know what was meant. */
const MOST_GUESSED = 20;

type Path = readonly (string | number)[];

interface Found {
  readonly unknown: Misfit[];
  readonly errors: Misfit[];
  readonly refused: Cause[];
  readonly warnings: string[];
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const kindOf = (value: unknown): string =>
  Array.isArray(value) ? 'list' : typeof value === 'object' ? 'object' : typeof value;

/** What stands for nothing: null as everywhere in Kubernetes, and what is empty. */
const isEmpty = (value: unknown): boolean =>
  value === '' || value === false || (typeof value === 'object' && Object.keys(value ?? {}).length === 0);

/** Decodes an object by the fields it may have. Never throws. */
export function decode(fields: Readonly<Record<string, Field>>, raw: unknown): Decoded {
  const found: Found = { unknown: [], errors: [], refused: [], warnings: [] };
  const value = decodeShape({ type: 'object', fields }, raw, [], found);
  return { value: isRecord(value) ? value : {}, ...found };
}

function decodeShape(shape: Shape, value: unknown, path: Path, found: Found): unknown {
  const wrong = (expected: string): undefined => {
    const got = JSON.stringify(value) ?? 'nothing';
    const field = fieldPath(path);
    const text = `${field || 'the object'}: expected ${expected}, got ${kindOf(value)} ${got.slice(0, 60)}`;
    found.errors.push({ field, text });
  };
  switch (shape.type) {
    case 'any':
      return value;
    case 'string':
      return typeof value === 'string' ? value : wrong('a string');
    case 'boolean':
      return typeof value === 'boolean' ? value : wrong('true or false');
    case 'integer':
      return Number.isSafeInteger(value) ? value : wrong('a whole number');
    case 'integerOrString':
      return typeof value === 'string' || Number.isSafeInteger(value) ? value : wrong('a whole number or a string');
    case 'time':
      return isTime(value) ? value : wrong('a time in RFC 3339, like 2026-11-22T08:00:00Z');
    case 'quantity': {
      const text = typeof value === 'number' ? String(value) : value;
      return typeof text === 'string' && quantitySign(text) !== undefined
        ? text
        : wrong(`a quantity: ${QUANTITY_TEXT}`);
    }
    case 'list':
      if (!Array.isArray(value)) return wrong('a list');
      return value.map((item, i) => decodeShape(shape.of, item, [...path, i], found));
    case 'map': {
      if (!isRecord(value)) return wrong('an object');
      const entries = Object.entries(value).filter(([, item]) => item !== null);
      return Object.fromEntries(
        entries.map(([key, item]) => [key, decodeShape(shape.of, item, [...path, key], found)]),
      );
    }
    case 'object':
      return isRecord(value) ? decodeFields(shape.fields, value, path, found) : wrong('an object');
  }
}

const isTime = (value: unknown): boolean =>
  typeof value === 'string' &&
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(value) &&
  !Number.isNaN(Date.parse(value));

function decodeFields(
  fields: Readonly<Record<string, Field>>,
  value: Readonly<Record<string, unknown>>,
  path: Path,
  found: Found,
): Record<string, unknown> {
  const decoded: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    const field = Object.hasOwn(fields, key) ? fields[key] : undefined;
    const at = fieldPath([...path, key]);
    if (field === undefined) {
      const near = found.unknown.length < MOST_GUESSED ? nearest(key.slice(0, 64), Object.keys(fields)) : undefined;
      const meant = near === undefined ? '' : `, did you mean ${JSON.stringify(near)}?`;
      found.unknown.push({ field: at, text: `unknown field ${JSON.stringify(at)}${meant}` });
    }
    if (field === undefined || item === null || item === undefined || field.dropped === true) continue;
    if (field.refused !== undefined && !isEmptyRefusal(field, item)) {
      found.refused.push(forbidden(at, field.refused));
      continue;
    }
    const kept = decodeShape(field.shape, item, [...path, key], found);
    if (kept === undefined || field.refused !== undefined) continue;
    if (field.effect !== undefined && !isEmpty(kept) && kept !== field.usual)
      found.warnings.push(`${at}: ${field.effect}`);
    decoded[key] = kept;
  }
  return decoded;
}

/** `configMap: {}` names a source; an empty list or text of anything else asks for nothing. */
const isEmptyRefusal = ({ shape }: Field, item: unknown): boolean =>
  shape.type === 'any' ? Array.isArray(item) && item.length === 0 : isEmpty(item);
