// YAML of clients, read with bounds: parsing takes far longer than its length suggests for texts that are made to.
import { Composer, type Document, isAlias, isMap, isScalar, isSeq, LineCounter, Lexer, Parser } from 'yaml';

/** Pieces of a text: a manifest has about five a line. 100,000 are parsed in less than half a second. */
const MAX_LEXEMES = 100_000;
const MAX_ALIASES = 100;
const MOST_REPEATED = 20;

export interface YamlDocument {
  /** Plain JSON values. */
  readonly value: unknown;
  /** Paths of keys that stand twice in one map: the last one counts. */
  readonly repeated: readonly string[];
}

/** Throws an Error for a text that has too many pieces, anchors or aliases to be one of manifests. */
function checkCost(text: string): void {
  let lexemes = 0;
  let references = 0;
  for (const lexeme of new Lexer().lex(text)) {
    lexemes += 1;
    if (lexeme.startsWith('*') || lexeme.startsWith('&')) references += 1;
    if (lexemes > MAX_LEXEMES) throw new Error(`more than ${MAX_LEXEMES} words and signs of YAML; send JSON, or less`);
    if (references > MAX_ALIASES) throw new Error(`more than ${MAX_ALIASES} anchors and aliases`);
  }
}

/** All documents of a text, as YAML 1.2. Throws an Error that says what is wrong and in which line. */
export function parseYaml(text: string): readonly YamlDocument[] {
  checkCost(text);
  const lines = new LineCounter();
  // Without pretty errors and the check for unique keys, both of which take quadratic time.
  const composer = new Composer({ uniqueKeys: false, prettyErrors: false });
  const documents = [...composer.compose(new Parser(lines.addNewLine).parse(text))];
  return documents.map((document) => {
    const [error] = document.errors;
    if (error !== undefined) {
      const { line, col } = lines.linePos(error.pos[0]);
      throw new Error(`${error.message} at line ${line}, column ${col}`);
    }
    return { value: document.toJS({ maxAliasCount: MAX_ALIASES }) as unknown, repeated: repeatedKeys(document) };
  });
}

function repeatedKeys(document: Pick<Document, 'contents'>): readonly string[] {
  const found = new Set<string>();
  const look = (node: unknown, path: string): void => {
    if (found.size >= MOST_REPEATED || isAlias(node)) return;
    if (isSeq(node)) node.items.forEach((item, i) => look(item, `${path}[${i}]`));
    if (!isMap(node)) return;
    const keys = new Set<string>();
    for (const { key, value } of node.items) {
      const name = isScalar(key) ? String(key.value) : '?';
      const at = path === '' ? name : `${path}.${name}`;
      if (keys.has(name)) found.add(at);
      keys.add(name);
      look(value, at);
    }
  };
  look(document.contents, '');
  return [...found];
}
