// templates/jdos.example.yaml is the reference of the configuration: complete, and its values are the defaults.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { Config, parseConfig } from '../../src/daemon/config.ts';

const NAME = 'templates/jdos.example.yaml';
const TEXT = readFileSync(join(import.meta.dirname, '..', '..', NAME), 'utf8');
/** The file with every key that stands behind a `#: ` in use. */
const ALL = TEXT.replaceAll(/^( *)#: /gm, '$1');

interface Def {
  readonly innerType?: Node;
  readonly in?: Node;
  readonly shape?: Readonly<Record<string, Node>>;
  readonly element?: Node;
  readonly valueType?: Node;
}
interface Node {
  readonly def: Def;
}

const SCHEMA = Config as unknown as Node;

/** What a schema is beneath its defaults, options and transformations. */
function bare({ def }: Node): Def {
  const inner = def.innerType ?? def.in;
  return inner === undefined ? def : bare(inner);
}

/** The keys of `schema` that `values` do not show: every object at the place must be shown by one of them. */
function missing(schema: Node, values: readonly unknown[], path: string): readonly string[] {
  const { shape, element, valueType } = bare(schema);
  const inner = (pick: (value: object) => readonly unknown[]): readonly unknown[] =>
    values.flatMap((value) => (typeof value === 'object' && value !== null ? pick(value) : []));
  if (shape !== undefined) {
    return Object.entries(shape).flatMap(([key, part]) => {
      const at = path === '' ? key : `${path}.${key}`;
      const shown = inner((value) => (key in value ? [(value as Record<string, unknown>)[key]] : []));
      return shown.length === 0 ? [at] : missing(part, shown, at);
    });
  }
  if (element !== undefined)
    return missing(
      element,
      inner((value) => Object.values(value)),
      `${path}[]`,
    );
  if (valueType !== undefined)
    return missing(
      valueType,
      inner((value) => Object.values(value)),
      `${path}.*`,
    );
  return [];
}

t.test('the example is valid, and what it sets are the defaults', async (t) => {
  t.same(parseConfig(TEXT, NAME), parseConfig('', 'nothing'));
});

t.test('the example is valid with every key in use', async (t) => {
  t.doesNotThrow(() => parseConfig(ALL, NAME));
  t.notMatch(ALL, /^ *#:/m, 'no key stays behind its mark');
});

t.test('every key of the configuration stands in the example', async (t) => {
  t.same(missing(SCHEMA, [parse(ALL)], ''), []);
});

t.test('a key that is not in the example is found, at every depth', async (t) => {
  for (const key of ['serve', 'headerCount', 'smapsSeconds', 'reason', 'clearCrit', 'passwordFile']) {
    const without = ALL.split('\n').filter((line) => !new RegExp(`^ *(- )?${key}:`).test(line));
    const found = missing(SCHEMA, [parse(without.join('\n').replace(/^serve:\n.*\n/m, ''))], '');
    t.match(found.map((path) => path.split('.').at(-1)).join(), key, `${key} is missed`);
  }
});
