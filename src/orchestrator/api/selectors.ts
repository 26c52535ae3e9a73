// Label and field selectors of lists and watches.
import type { AnyObject } from '../objects/meta.ts';
import { badRequest } from './faults.ts';
import type { Resource } from './resource.ts';

export type Matches = (object: AnyObject) => boolean;
type Test = (labels: Readonly<Record<string, string>>) => boolean;

const KEY = String.raw`[A-Za-z0-9][-A-Za-z0-9_./]*`;
const VALUE = String.raw`[-A-Za-z0-9_.]*`;
const SET = new RegExp(String.raw`^(${KEY})\s+(in|notin)\s*\(([^()]*)\)$`);
const EQUAL = new RegExp(String.raw`^(${KEY})\s*(==|=|!=)\s*(${VALUE})$`);
const EXISTS = new RegExp(String.raw`^(!?)\s*(${KEY})$`);

/** Commas outside of parentheses. */
const pieces = (text: string): readonly string[] =>
  text
    .split(/,(?![^(]*\))/)
    .map((piece) => piece.trim())
    .filter((piece) => piece !== '');

function labelTest(piece: string): Test {
  const set = SET.exec(piece);
  if (set !== null) {
    const [, key = '', operator, list = ''] = set;
    const values = list.split(',').map((value) => value.trim());
    if (operator === 'in') return (labels) => labels[key] !== undefined && values.includes(labels[key]);
    return (labels) => labels[key] === undefined || !values.includes(labels[key]);
  }
  const equal = EQUAL.exec(piece);
  if (equal !== null) {
    const [, key = '', operator, value = ''] = equal;
    return operator === '!=' ? (labels) => labels[key] !== value : (labels) => labels[key] === value;
  }
  const exists = EXISTS.exec(piece);
  if (exists === null) throw badRequest(`unable to parse requirement: ${JSON.stringify(piece.slice(0, 100))}`);
  const [, not, key = ''] = exists;
  return not === '!' ? (labels) => labels[key] === undefined : (labels) => labels[key] !== undefined;
}

const FIELD = /^([A-Za-z][\w.]*)\s*(==|=|!=)\s*(.*)$/;

function fieldTest(piece: string, resource: Resource): Matches {
  const [, key = '', operator, value = ''] = FIELD.exec(piece) ?? [];
  if (operator === undefined) {
    throw badRequest(`invalid field selector: ${JSON.stringify(piece.slice(0, 100))}; can't understand it`);
  }
  const read = (object: AnyObject): string | undefined => selectable(resource, object)[key];
  const probe = { metadata: {} } as AnyObject;
  if (read(probe) === undefined) throw badRequest(`field label not supported: ${key.slice(0, 100)}`);
  return operator === '!=' ? (object) => read(object) !== value : (object) => read(object) === value;
}

const selectable = (resource: Resource, object: AnyObject): Readonly<Record<string, string>> => ({
  'metadata.name': object.metadata.name ?? '',
  ...(resource.namespaced ? { 'metadata.namespace': object.metadata.namespace ?? '' } : {}),
  ...resource.selectable(object),
});

/** Undefined where everything matches. Throws 400 for what is no selector. */
export function parseSelectors(resource: Resource, labels: string, fields: string): Matches | undefined {
  const labelTests = pieces(labels).map(labelTest);
  const fieldTests = pieces(fields).map((piece) => fieldTest(piece, resource));
  if (labelTests.length + fieldTests.length === 0) return undefined;
  return (object) =>
    labelTests.every((test) => test(object.metadata.labels ?? {})) && fieldTests.every((test) => test(object));
}
