// Strategic merge patch: lists of things with a name are merged by it (apimachinery/pkg/util/strategicpatch).
import type { Field, Shape } from '../objects/shape.ts';
import { badRequest } from './faults.ts';

type Json = Readonly<Record<string, unknown>>;

const isRecord = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const fieldShape = (shape: Shape | undefined, key: string): Shape | undefined => {
  if (shape?.type === 'map') return shape.of;
  return shape?.type === 'object' && Object.hasOwn(shape.fields, key) ? shape.fields[key]?.shape : undefined;
};

/** The object with the patch applied; neither is changed. Throws 400 for directives that make no sense. */
export const strategicPatch = (fields: Readonly<Record<string, Field>>, current: Json, patch: Json): Json =>
  mergeObject({ type: 'object', fields }, current, patch);

function mergeObject(shape: Shape | undefined, current: Json, patch: Json): Json {
  const directive = patch['$patch'];
  if (directive === 'delete') return {};
  if (directive !== undefined && directive !== 'replace' && directive !== 'merge') {
    throw badRequest(`unknown $patch directive ${JSON.stringify(directive)}`);
  }
  const retained = patch['$retainKeys'];
  if (retained !== undefined && !Array.isArray(retained)) throw badRequest('$retainKeys must be a list');
  const kept = directive === 'replace' ? {} : current;
  const result: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(kept)) {
    if (retained === undefined || (retained as readonly unknown[]).includes(key)) result[key] = value;
  }
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith('$')) continue;
    if (value === null) delete result[key];
    else result[key] = mergeValue(fieldShape(shape, key), result[key], value, patch, key);
  }
  return orderAndDelete(shape, result, patch);
}

function mergeValue(shape: Shape | undefined, current: unknown, value: unknown, patch: Json, key: string): unknown {
  if (isRecord(value)) return mergeObject(shape, isRecord(current) ? current : {}, value);
  if (!Array.isArray(value) || shape?.type !== 'list') return value;
  const had: readonly unknown[] = Array.isArray(current) ? current : [];
  if (shape.mergeKey !== undefined) return mergeList(shape.of, shape.mergeKey, had, value, patch[`${ORDER}${key}`]);
  return shape.set === true ? [...new Set([...had, ...(value as readonly unknown[])])] : value;
}

const ORDER = '$setElementOrder/';
const DELETE = '$deleteFromPrimitiveList/';

/** Directives beside a list: what leaves it, and the order of what the patch does not touch. */
function orderAndDelete(shape: Shape | undefined, result: Record<string, unknown>, patch: Json): Json {
  for (const [directive, value] of Object.entries(patch)) {
    if (!directive.startsWith(DELETE) && !directive.startsWith(ORDER)) continue;
    if (!Array.isArray(value)) throw badRequest(`${directive.slice(0, 100)} must be a list`);
    const key = directive.slice(directive.indexOf('/') + 1);
    const list = result[key];
    if (!Array.isArray(list)) continue;
    if (directive.startsWith(DELETE)) {
      const gone = new Set(value as unknown[]);
      result[key] = (list as unknown[]).filter((one) => !gone.has(one));
      continue;
    }
    const of = fieldShape(shape, key);
    const mergeKey = of?.type === 'list' ? of.mergeKey : undefined;
    if (patch[key] === undefined && mergeKey !== undefined) result[key] = inOrder(list, value, mergeKey, list);
  }
  return result;
}

const idOf = (item: unknown, mergeKey: string): unknown => (isRecord(item) ? item[mergeKey] : undefined);

function mergeList(
  shape: Shape,
  mergeKey: string,
  current: readonly unknown[],
  patch: readonly unknown[],
  order: unknown,
): readonly unknown[] {
  const replaces = patch.some((item) => isRecord(item) && item['$patch'] === 'replace' && item[mergeKey] === undefined);
  const result: unknown[] = replaces ? [] : [...current];
  // The first of a name: ports may have the same number twice, for two protocols.
  const places = new Map(result.map((item, i) => [idOf(item, mergeKey), i] as const).toReversed());
  for (const item of patch) {
    if (!isRecord(item)) throw badRequest(`items that are merged by ${mergeKey} must be objects`);
    const id = item[mergeKey];
    if (id === undefined) {
      if (item['$patch'] === 'replace') continue;
      throw badRequest(`an item has no ${mergeKey}, by which it is merged`);
    }
    const at = places.get(id) ?? result.length;
    const had = result[at];
    if (item['$patch'] === 'delete') {
      if (places.delete(id)) result[at] = undefined;
    } else {
      places.set(id, at);
      result[at] = mergeObject(shape, isRecord(had) ? had : {}, item);
    }
  }
  const merged = result.filter((item) => item !== undefined);
  return Array.isArray(order) ? inOrder(merged, order, mergeKey, current) : merged;
}

/** The order of the patch; what only the server has stays where it was among its neighbours. */
function inOrder(
  items: readonly unknown[],
  order: readonly unknown[],
  mergeKey: string,
  before: readonly unknown[],
): readonly unknown[] {
  const waiting = new Map<unknown, unknown[]>();
  for (const item of items) {
    const id = idOf(item, mergeKey);
    const same = waiting.get(id);
    if (same === undefined) waiting.set(id, [item]);
    else same.push(item);
  }
  const places = new Map(before.map((item, i) => [idOf(item, mergeKey), i]));
  const place = (item: unknown): number => places.get(idOf(item, mergeKey)) ?? -1;
  const ordered = order
    .map((one) => waiting.get(isRecord(one) ? one[mergeKey] : one)?.shift())
    .filter((item) => item !== undefined);
  const placed = new Set<unknown>(ordered);
  const others = items.filter((item) => !placed.has(item));
  const result: unknown[] = [];
  let next = 0;
  for (const item of ordered) {
    const at = place(item);
    for (; next < others.length; next += 1) {
      const other = place(others[next]);
      if (at < 0 || other < 0 || other >= at) break;
      result.push(others[next]);
    }
    result.push(item);
  }
  return [...result, ...others.slice(next)];
}
