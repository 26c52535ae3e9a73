// What the documents name exists: links, commands and their options, configuration keys, codes, metrics, paths.
import { readdirSync, readFileSync, existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import type { Command } from 'commander';
import t from 'tap';
import { parse } from 'yaml';
import { buildProgram } from '../../src/cli/index.ts';
import { Config, parseConfig } from '../../src/daemon/config.ts';
import { sources } from './fault-sources.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

const DOCUMENTS: ReadonlyMap<string, string> = new Map(
  [
    ...readdirSync(ROOT),
    ...readdirSync(join(ROOT, 'docs'), { recursive: true }).map((file) => join('docs', String(file))),
  ]
    .filter((file) => file.endsWith('.md'))
    .toSorted()
    .map((file) => [file, read(file)]),
);

/** Text between fences, by the language of the fence. */
const fenced = (text: string, language: string): readonly string[] =>
  [...text.matchAll(/^ *```(\w*)[^\n]*\n([\s\S]*?)^ *```$/gm)].flatMap(([, of, body = '']) =>
    of === language ? [body.replaceAll(new RegExp(`^${/^ */.exec(body)?.[0] ?? ''}`, 'gm'), '')] : [],
  );
const spans = (text: string): readonly string[] =>
  [...text.replaceAll(/^ *```[\s\S]*?^ *```$/gm, '').matchAll(/`([^`\n]+)`/g)].map(([, span = '']) => span);

/** GitHub's anchor of a heading. */
const anchor = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');
const anchors = (text: string): readonly string[] => [...text.matchAll(/^#+ (.+)$/gm)].map(([, h = '']) => anchor(h));

t.test('every link leads somewhere', async (t) => {
  for (const [file, text] of DOCUMENTS) {
    const targets = [...text.matchAll(/\]\(([^)\s]+)\)|(?:src|srcset)="([^"]+)"/g)].map(([, a, b]) => a ?? b ?? '');
    for (const target of targets.filter((one) => !/^https?:/.test(one))) {
      const [path = '', fragment] = target.split('#');
      const to = path === '' ? file : normalize(join(dirname(file), path));
      t.ok(existsSync(join(ROOT, to)), `${file} links to ${target}`);
      if (fragment !== undefined) t.ok(anchors(read(to)).includes(fragment), `${file} links to ${target}: the heading`);
    }
  }
});

const ignored = { out: () => undefined, err: () => undefined, colour: false, columns: 100, env: {} };
const PROGRAM = buildProgram({ io: ignored, exit: () => undefined });

/** Why a command line could not be run, as far as its names go; undefined when it could. */
function unknownIn(words: readonly string[]): string | undefined {
  let command: Command = PROGRAM;
  for (const [i, word] of words.entries()) {
    const flag = /^--?[a-z][a-z-]*/.exec(word)?.[0];
    if (flag !== undefined) {
      const known = [...command.options, ...(command.parent?.options ?? [])].some(
        (o) => o.long === flag || o.short === flag,
      );
      if (!known && flag !== '--help') return `${command.name()} has no ${flag}`;
    }
    const sub = command.commands.find((one) => one.name() === word);
    if (sub !== undefined) command = sub;
    else if (flag === undefined && command.commands.length > 0 && command.registeredArguments.length === 0 && i < 2) {
      if (!/^[A-Z[]/.test(word) && words[i - 1]?.startsWith('-') !== true) return `${command.name()} has no ${word}`;
    }
  }
  return undefined;
}

t.test('every command that is shown exists, with its options', async (t) => {
  let shown = 0;
  for (const [file, text] of DOCUMENTS) {
    const lines = [...fenced(text, 'sh').flatMap((block) => block.split('\n')), ...spans(text)];
    for (const line of lines) {
      const [, rest] = /^(?:\.\/)?jdos (.+)$/.exec(line.trim()) ?? [];
      if (rest === undefined) continue;
      shown += 1;
      const words = rest.replace(/\s+[#>|;].*$/, '').split(/\s+/);
      t.equal(unknownIn(words), undefined, `${file}: ${line.trim()}`);
    }
  }
  t.ok(shown > 50, `${shown} commands are shown`);
  t.match(unknownIn(['mail', 'tset']), /no tset/, 'a wrong one is found');
  t.match(unknownIn(['top', '--bye']), /no --bye/, 'a wrong option is found');
});

interface Schema {
  readonly def: {
    readonly innerType?: Schema;
    readonly in?: Schema;
    readonly shape?: Readonly<Record<string, Schema>>;
  };
}

/** Whether the configuration has a key of this path. */
function isKey(path: string): boolean {
  let at: Schema | undefined = Config as unknown as Schema;
  for (const key of path.split('.')) {
    while (at?.def.innerType !== undefined || at?.def.in !== undefined) at = at.def.innerType ?? at.def.in;
    at = at?.def.shape?.[key];
  }
  return at !== undefined;
}

const KEY = new RegExp(`(?<![\\w/.-])(?:${Object.keys(Config.shape).join('|')})(?:\\.[a-z]\\w*)+(?![\\w/(-])`, 'g');
/** Names of files that look like keys: report.html, report.ts… */
const FILE = /\.(?:html|json|csv|txt|hbs|ts|test|yaml|md|sock|db)\b/;

t.test('every configuration key that is named exists', async (t) => {
  for (const [file, text] of DOCUMENTS) {
    for (const [key] of text.matchAll(KEY)) if (!FILE.test(key)) t.ok(isKey(key), `${key} of ${file}`);
  }
  t.ok(isKey('report.smtp.passwordFile'));
  t.notOk(isKey('report.smtp.password'));
});

t.test('every piece of configuration that is shown is valid', async (t) => {
  for (const [file, text] of DOCUMENTS) {
    for (const block of fenced(text, 'yaml')) {
      const [first = ''] = Object.keys((parse(block) as object | null) ?? {});
      if (first in Config.shape) t.doesNotThrow(() => parseConfig(block, file), `${first} in ${file}`);
    }
  }
});

t.test('every code, metric and path that is named exists', async (t) => {
  const code = [...(await sources()).values()].join('\n');
  const metrics = read('docs/metrics.md');
  for (const [file, text] of DOCUMENTS) {
    for (const [name] of text.matchAll(/\bJD_[A-Z0-9_]*[A-Z0-9]\b/g))
      t.ok(code.includes(`'${name}'`), `${name} of ${file}`);
    for (const span of spans(text)) {
      const [, metric] = /^((?:jdos|node(?!_modules)|namedprocess)_[a-z0-9_]+)(?:$|[ {])/.exec(span) ?? [];
      if (metric !== undefined) t.ok(metrics.includes(`| \`${metric}\` |`), `${metric} of ${file}`);
      const [, path] = /^(?:(?:GET|POST) )?(\/(?:metrics|jdos|livez|readyz|yarpc)[\w./-]*)$/.exec(span) ?? [];
      if (path !== undefined) t.ok(isServed(code, path), `${path} of ${file}`);
    }
  }
});

/** Whether a route has this path; the views of the exposition are made of their names. */
function isServed(code: string, path: string): boolean {
  const view = /^\/metrics\/(\w+)$/.exec(path)?.[1];
  return code.includes(`'${path}'`) || (view !== undefined && new RegExp(`VIEWS = .*'${view}'`).test(code));
}
