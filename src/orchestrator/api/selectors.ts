// Label and field selectors of lists and watches.
import type { AnyObject } from '../objects/meta.ts';
import { badRequest } from './faults.ts';
import type { Resource } from './resource.ts';

export type Matches = (object: AnyObject) => boolean;
type Labels = Readonly<Record<string, string>>;
type Test = (labels: Labels) => boolean;

const KEY = String.raw`[A-Za-z0-9][-A-Za-z0-9_./]*`;
const VALUE = String.raw`[-A-Za-z0-9_.]*`;
const SET = new RegExp(String.raw`^(${KEY})\s+(in|notin)\s*\(([^()]*)\)$`);
const EQUAL = new RegExp(String.raw`^(${KEY})\s*(==|=|!=)\s*(${VALUE})$`);
const EXISTS = new RegExp(String.raw`^(!?)\s*(${KEY})$`);

/** What stands between commas outside of parentheses. */
function pieces(text: string): readonly string[] {
  const found: string[] = [];
  let from = 0;
  let inside = false;
  for (let at = 0; at <= text.length; at += 1) {
    const char = text[at];
    if (char === '(') inside = true;
    else if (char === ')') inside = false;
    else if (char === undefined || (char === ',' && !inside)) {
      found.push(text.slice(from, at).trim());
      from = at + 1;
    }
  }
  return found.filter((piece) => piece !== '');
}

/** Labels are of foreign making: `constructor` is the name of one only where somebody wrote it. */
const valueOf = (labels: Labels, key: string): string | undefined =>
  Object.hasOwn(labels, key) ? labels[key] : undefined;

function labelTest(piece: string): Test {
  const set = SET.exec(piece);
  if (set !== null) {
    const [, key = '', operator, list = ''] = set;
    const values = new Set(list.split(',').map((value) => value.trim()));
    const isIn: Test = (labels) => values.has(valueOf(labels, key) ?? '\0');
    return operator === 'in' ? isIn : (labels) => !isIn(labels);
  }
  const equal = EQUAL.exec(piece);
  if (equal !== null) {
    const [, key = '', operator, value = ''] = equal;
    const is: Test = (labels) => valueOf(labels, key) === value;
    return operator === '!=' ? (labels) => !is(labels) : is;
  }
  const exists = EXISTS.exec(piece);
  if (exists === null) throw badRequest(`unable to parse requirement: ${JSON.stringify(piece.slice(0, 100))}`);
  const [, not, key = ''] = exists;
  return (labels) => (valueOf(labels, key) === undefined) === (not === '!');
}

const FIELD = /^([A-Za-z][\w.]*)\s*(==|=|!=)\s*(.*)$/s;
const NOTHING = { metadata: {} } as AnyObject;

function fieldTest(piece: string, resource: Resource): Matches {
  const [, key = '', operator, value = ''] = FIELD.exec(piece) ?? [];
  if (operator === undefined) {
    throw badRequest(`invalid field selector: ${JSON.stringify(piece.slice(0, 100))}; can't understand it`);
  }
  if (!Object.hasOwn(selectable(resource, NOTHING), key)) {
    throw badRequest(`field label not supported: ${key.slice(0, 100)}`);
  }
  const is: Matches = (object) => selectable(resource, object)[key] === value;
  return operator === '!=' ? (object) => !is(object) : is;
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
