// Validation at the edges: zod, and its issues turned into field errors that say where, what and what was expected.
import { distance } from 'fastest-levenshtein';
import { z } from 'zod';
import type { FieldError } from './fault.ts';

export { z };

/** `inspector.checks[2].limit` from the path of an issue. */
export const fieldPath = (path: readonly PropertyKey[]): string =>
  path.reduce<string>(
    (text, key) => (typeof key === 'number' ? `${text}[${key}]` : text === '' ? String(key) : `${text}.${String(key)}`),
    '',
  );

/** The known key nearest to a misspelt one, or undefined when none is near. */
export function nearest(key: string, known: readonly string[]): string | undefined {
  const ranked = known.map((name) => ({ name, far: distance(key.toLowerCase(), name.toLowerCase()) }));
  const best = ranked.sort((a, b) => a.far - b.far)[0];
  return best !== undefined && best.far <= Math.max(2, Math.floor(key.length / 3)) ? best.name : undefined;
}

const at = (value: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>((inner, key) => (inner as Record<PropertyKey, unknown> | undefined)?.[key], value);

/** The keys that the object schema found at `path` knows, for suggestions. */
function knownKeys(schema: unknown, path: readonly PropertyKey[]): readonly string[] {
  let node: unknown = schema;
  const unwrap = (): void => {
    for (let inner = node; inner !== undefined;) {
      node = inner;
      inner = (node as { def?: { innerType?: unknown } }).def?.innerType;
    }
  };
  unwrap();
  for (const key of path) {
    const def = (node as { def?: { shape?: Record<PropertyKey, unknown>; element?: unknown; valueType?: unknown } })
      .def;
    node = typeof key === 'number' ? def?.element : (def?.shape?.[key] ?? def?.valueType);
    if (node === undefined) return [];
    unwrap();
  }
  return Object.keys((node as { def?: { shape?: object } }).def?.shape ?? {});
}

/**
 * Parses foreign data. Returns the typed value, or every wrong field at once.
 * Unknown keys of strict objects are named with the nearest known key.
 */
export function parseWith<S extends z.ZodType>(
  schema: S,
  value: unknown,
): { readonly value: z.output<S> } | { readonly errors: readonly FieldError[] } {
  const result = schema.safeParse(value);
  if (result.success) return { value: result.data };
  const errors = result.error.issues.flatMap((issue): FieldError[] => {
    if (issue.code === 'unrecognized_keys') {
      const known = knownKeys(schema, issue.path);
      return issue.keys.map((key) => {
        const near = nearest(key, known);
        const expected =
          near === undefined ? `one of the keys ${known.join(', ')}` : `no such key; did you mean ${near}?`;
        return { path: fieldPath([...issue.path, key]), expected, value: at(value, [...issue.path, key]) };
      });
    }
    return [{ path: fieldPath(issue.path), expected: expectation(issue), value: at(value, issue.path) }];
  });
  return { errors };
}

function expectation(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `a value of type ${issue.expected}`;
    case 'invalid_value':
      return `one of ${issue.values.map(String).join(', ')}`;
    case 'too_small':
      return `at least ${String(issue.minimum)}${issue.origin === 'string' ? ' characters' : ''}`;
    case 'too_big':
      return `at most ${String(issue.maximum)}${issue.origin === 'string' ? ' characters' : ''}`;
    default:
      return issue.message;
  }
}

/** One line per wrong field: `path: expected X, got Y`; without the second half where the value was not handed on. */
export const describeField = (error: FieldError): string => {
  const wanted = `${error.path === '' ? '(top level)' : error.path}: expected ${error.expected}`;
  if (!('value' in error)) return wanted;
  return `${wanted}, got ${error.value === undefined ? 'nothing' : clip(JSON.stringify(error.value) ?? String(error.value))}`;
};

const clip = (text: string): string => (text.length <= 80 ? text : `${text.slice(0, 77)}...`);
