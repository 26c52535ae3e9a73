// What the verbs read of a request: its query, and the body as JSON or YAML.
import type { RouteRequest } from '../../base/route.ts';
import { duplicateKeys } from './duplicate-keys.ts';
import { badRequest, KubeFault, MEDIA } from './faults.ts';
import { decodeProtobuf } from './protobuf.ts';
import { parseYaml } from './yaml.ts';

export type KubeRequest = RouteRequest<Record<string, string>, Record<string, unknown>, Buffer>;

/** The value of a parameter; the first where there are several. */
export function parameter({ query }: Pick<KubeRequest, 'query'>, name: string): string | undefined {
  const value = query[name];
  return Array.isArray(value) ? String(value[0]) : value === undefined ? undefined : String(value);
}

export const isTrue = (value: string | undefined): boolean => value === 'true' || value === '1';

/** A whole number of a parameter that is there. Throws 400. */
export function wholeNumber(request: Pick<KubeRequest, 'query'>, name: string): number | undefined {
  const text = parameter(request, name);
  if (text === undefined || text === '') return undefined;
  if (!/^\d{1,15}$/.test(text))
    throw badRequest(`the parameter ${name} must be a whole number, not ${text.slice(0, 40)}`);
  return Number(text);
}

/** Whether nothing is to be kept. Throws 400 for anything but `All`. */
export function isDryRun(request: KubeRequest): boolean {
  const value = parameter(request, 'dryRun');
  if (value === undefined || value === '') return false;
  if (value !== 'All') throw badRequest(`dryRun must be All, not ${value.slice(0, 40)}`);
  return true;
}

const MAX_DEPTH = 64;

export const mediaType = (headers: KubeRequest['headers']): string =>
  String(headers['content-type'] ?? '')
    .split(';', 1)[0]
    ?.trim()
    .toLowerCase() ?? '';

/** Whether a value nests deeper than anything Kubernetes has, or carries a key that is a trap. */
export function isTrap(value: unknown, depth = 0): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (depth > MAX_DEPTH || Object.hasOwn(value, '__proto__')) return true;
  return Object.values(value).some((item) => isTrap(item, depth + 1));
}

const JSON_TYPES = new Set([
  '',
  'application/json',
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
]);
const PROTOBUF = 'application/vnd.kubernetes.protobuf';
const YAML_TYPES = new Set(['application/yaml', 'application/x-yaml', 'text/yaml', 'application/apply-patch+yaml']);

/** What a body says. */
export interface BodyValue {
  /** Plain JSON values; undefined where the body is empty. */
  readonly value: unknown;
  /** Paths of keys that stand twice in one object: the last one counts. */
  readonly repeated: readonly string[];
}

/** Throws 400 and 415. */
export function readBody({ body, headers }: Pick<KubeRequest, 'body' | 'headers'>): BodyValue {
  if (body.length === 0) return { value: undefined, repeated: [] };
  const type = mediaType(headers);
  const message = type === PROTOBUF ? decodeProtobuf(body) : undefined;
  if (message !== undefined) return { value: message, repeated: [] };
  if (!JSON_TYPES.has(type) && !YAML_TYPES.has(type)) {
    throw new KubeFault(MEDIA, 'UnsupportedMediaType', `the body must be JSON or YAML, not ${type.slice(0, 60)}`);
  }
  const read = parseText(body, YAML_TYPES.has(type));
  if (isTrap(read.value)) throw badRequest(`the body nests deeper than ${MAX_DEPTH}, or sets __proto__`);
  return { value: read.value, repeated: read.repeated() };
}

interface Text {
  readonly value: unknown;
  readonly repeated: () => readonly string[];
}

function parseText(body: Buffer, yaml: boolean): Text {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(body);
    if (!yaml) return { value: JSON.parse(text), repeated: () => duplicateKeys(text) };
    const documents = parseYaml(text);
    if (documents.length > 1) throw new Error('there are multiple documents; send one at a time');
    const { value, repeated } = documents[0] ?? { value: undefined, repeated: [] };
    return { value, repeated: () => repeated };
  } catch (error) {
    throw badRequest(`the body cannot be read: ${(error as Error).message.slice(0, 300)}`);
  }
}
