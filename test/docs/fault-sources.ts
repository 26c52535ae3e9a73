// The faults of the sources: every declared kind, where it is declared, and the messages it is thrown with.
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import { type FaultKind, faultKinds } from '../../src/base/fault.ts';

const SRC = join(import.meta.dirname, '..', '..', 'src');

export interface DocumentedFault extends FaultKind {
  /** The file that declares it, below src/. */
  readonly file: string;
  /** What it says; what differs from case to case stands between « and », or is a `…` where it has no name. */
  readonly messages: readonly string[];
}

const DECLARED = /(?:export )?const (\w+) = faultKind\(\s*'(JD_[A-Z0-9_]+)'/g;
const IMPORTED = /import (?:type )?\{([^}]*)\} from '(\.[^']+)'/g;
const THROWN = /new Fault\(\s*([A-Z][A-Z0-9_]*),\s*/g;

/** Files that run when they are imported: a kind that is declared in one could not be listed. */
export const runsOnImport = (text: string): boolean => /^(?:await|void) /m.test(text);

export async function sources(): Promise<ReadonlyMap<string, string>> {
  const files = (await readdir(SRC, { recursive: true })).filter((file) => file.endsWith('.ts')).sort();
  return new Map(
    await Promise.all(files.map(async (file) => [file, await readFile(join(SRC, file), 'utf8')] as const)),
  );
}

/** Loads every module that declares a kind, and gives all kinds with their messages, by file and code. */
export async function documentedFaults(texts: ReadonlyMap<string, string>): Promise<readonly DocumentedFault[]> {
  const home = new Map<string, string>();
  const codes = new Map<string, string>();
  for (const [file, text] of texts) {
    if (file === 'base/fault.ts') continue;
    for (const [, name = '', code = ''] of text.matchAll(DECLARED)) {
      home.set(code, file);
      codes.set(`${file} ${name}`, code);
    }
    if (text.includes('faultKind(') && !runsOnImport(text)) await import(join(SRC, file));
  }
  const messages = new Map<string, Set<string>>();
  for (const [file, text] of texts) {
    const names = namesIn(file, text);
    for (const match of text.matchAll(THROWN)) {
      const code = codes.get(`${names.get(match[1] ?? '') ?? file} ${match[1]}`);
      const message = literalAt(text, match.index + match[0].length);
      if (code === undefined || message === undefined) continue;
      messages.set(code, (messages.get(code) ?? new Set()).add(message));
    }
  }
  return faultKinds()
    .map((kind) => ({ ...kind, file: home.get(kind.code) ?? '', messages: [...(messages.get(kind.code) ?? [])] }))
    .sort((a, b) => (`${a.file} ${a.code}` < `${b.file} ${b.code}` ? -1 : 1));
}

/** Which file each imported name comes from. */
function namesIn(file: string, text: string): ReadonlyMap<string, string> {
  return new Map(
    [...text.matchAll(IMPORTED)].flatMap(([, names = '', from = '']) =>
      names
        .split(',')
        .map((name) => name.trim().replace(/^type /, ''))
        .map((name) => [name, normalize(join(dirname(file), from))] as const),
    ),
  );
}

/** The string or template literal that begins at `start`, its expressions as `…`; undefined for anything else. */
function literalAt(text: string, start: number): string | undefined {
  const quote = text[start];
  if (quote !== "'" && quote !== '`') return undefined;
  let message = '';
  for (let at = start + 1; at < text.length; at += 1) {
    const here = text[at];
    if (here === quote) return message.split('\\n')[0]?.replace(/:$/, '').trim();
    if (here === '$' && text[at + 1] === '{' && quote === '`') {
      const end = endOfExpression(text, at + 2);
      message += placeholder(text.slice(at + 2, end));
      at = end;
    } else if (here === '\\' && text[at + 1] !== 'n') message += text[(at += 1)] ?? '';
    else message += here;
  }
  return undefined;
}

/** `«port»` for `address.port`, `…` for anything that is more than a name. */
function placeholder(expression: string): string {
  const name = /^(?:\w+\.)*([a-z]\w*)$/.exec(expression)?.[1];
  return name === undefined ? '…' : `«${name}»`;
}

/** The brace that closes an expression; braces within strings of it do not occur unpaired. */
function endOfExpression(text: string, start: number): number {
  for (let at = start, depth = 1; at < text.length; at += 1) {
    if (text[at] === '{') depth += 1;
    if (text[at] === '}') depth -= 1;
    if (depth === 0) return at;
  }
  return text.length;
}
