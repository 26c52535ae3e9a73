// JSON Patch (RFC 6902) and JSON Merge Patch (RFC 7396).
import { isDeepStrictEqual } from 'node:util';
import { badRequest, INVALID, KubeFault } from './faults.ts';

type Json = Readonly<Record<string, unknown>>;

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** RFC 7396. */
export function mergePatch(current: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch;
  const result: Record<string, unknown> = isRecord(current) ? { ...current } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = mergePatch(result[key], value);
  }
  return result;
}

const MAX_OPERATIONS = 10_000;
/** What `copy` may add in all: copies of copies would double with each. */
const MAX_COPIED = 1024 * 1024;

const rejected = (why: string): KubeFault =>
  new KubeFault(INVALID, 'Invalid', `the server rejected our request due to an error in our request: ${why}`);

const noPointer = (value: unknown): KubeFault =>
  badRequest(`${JSON.stringify(value)?.slice(0, 100)} is no JSON pointer`);

function textOf(operation: Json, member: 'path' | 'from'): string | undefined {
  const value = operation[member];
  if (value === undefined || typeof value === 'string') return value;
  throw noPointer(value);
}

function pointer(text: string): readonly string[] {
  if (text !== '' && !text.startsWith('/')) throw noPointer(text);
  const parts = text
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  if (parts.includes('__proto__')) throw badRequest('a JSON pointer names __proto__');
  return parts;
}

function step(value: unknown, part: string, path: string): unknown {
  if (Array.isArray(value) && /^(0|[1-9]\d{0,8})$/.test(part) && Number(part) < value.length)
    return value[Number(part)];
  if (isRecord(value) && Object.hasOwn(value, part)) return value[part];
  throw rejected(`there is nothing at ${path}`);
}

const at = (document: unknown, path: string): unknown =>
  pointer(path).reduce<unknown>((value, part) => step(value, part, path), document);

/** Changes `document`, which is a copy of its own. `put`: how the value gets to its place; undefined takes away what is there. */
function edit(document: unknown, path: string, value: unknown, how: 'add' | 'replace' | 'remove'): unknown {
  const parts = pointer(path);
  const last = parts.at(-1);
  if (last === undefined) {
    if (how === 'remove') throw rejected('the whole document cannot be removed');
    return value;
  }
  const parent = parts.slice(0, -1).reduce<unknown>((inner, part) => step(inner, part, path), document);
  if (Array.isArray(parent)) {
    const end = how === 'add' && last === '-';
    if (!end && !/^(0|[1-9]\d{0,8})$/.test(last)) throw rejected(`${path} names no place in a list`);
    const index = end ? parent.length : Number(last);
    if (index > parent.length || (how !== 'add' && index === parent.length))
      throw rejected(`there is nothing at ${path}`);
    if (how === 'add') parent.splice(index, 0, value);
    else if (how === 'replace') parent[index] = value;
    else parent.splice(index, 1);
    return document;
  }
  if (!isRecord(parent)) throw rejected(`there is nothing at ${path}`);
  if (how !== 'add' && !Object.hasOwn(parent, last)) throw rejected(`there is nothing at ${path}`);
  if (how === 'remove') delete parent[last];
  else parent[last] = value;
  return document;
}

/** RFC 6902, on a copy. Throws 400 for what is no patch, 422 for one that does not fit. */
export function jsonPatch(current: Json, patch: unknown): unknown {
  if (!Array.isArray(patch)) throw badRequest('a JSON patch must be a list of operations');
  if (patch.length > MAX_OPERATIONS) throw badRequest(`a JSON patch may have ${MAX_OPERATIONS} operations`);
  let document: unknown = structuredClone(current);
  let copied = 0;
  for (const operation of patch as readonly unknown[]) {
    if (!isRecord(operation)) throw badRequest('an operation of a JSON patch must be an object');
    const { op, value } = operation;
    const path = textOf(operation, 'path') ?? '';
    const from = textOf(operation, 'from') ?? '';
    switch (op) {
      case 'add':
      case 'replace':
        document = edit(document, path, structuredClone(value), op);
        break;
      case 'remove':
        document = edit(document, path, undefined, 'remove');
        break;
      case 'test':
        if (!isDeepStrictEqual(at(document, path), value)) throw rejected(`the test of ${path} failed`);
        break;
      case 'move': {
        if (path.startsWith(`${from}/`)) throw rejected('nothing can be moved into itself');
        const moved = at(document, from);
        document = edit(edit(document, from, undefined, 'remove'), path, moved, 'add');
        break;
      }
      case 'copy': {
        const source = at(document, from);
        copied += JSON.stringify(source)?.length ?? 0;
        if (copied > MAX_COPIED) throw rejected(`the copies have more than ${MAX_COPIED} bytes`);
        document = edit(document, path, structuredClone(source), 'add');
        break;
      }
      default:
        throw badRequest(`${JSON.stringify(op)?.slice(0, 40)} is no operation of a JSON patch`);
    }
  }
  return document;
}
