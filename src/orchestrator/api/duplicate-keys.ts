// Keys that stand twice in one object of a JSON text: JSON.parse keeps the last without a word.

interface Open {
  /** Keys seen; undefined for a list. */
  readonly keys: Set<string> | undefined;
  /** The key, or the index, that is being read. */
  at: string | number;
  /** Whether the next string is a key. */
  expectsKey: boolean;
}

const MOST = 20;

const pathOf = (open: readonly Open[]): string =>
  open.reduce((path, { at }) => (typeof at === 'number' ? `${path}[${at}]` : path === '' ? at : `${path}.${at}`), '');

/** Where the string that begins at `from` ends, the quote included. */
function endOfString(json: string, from: number): number {
  let at = from + 1;
  while (json.charCodeAt(at) !== 0x22) at += json.charCodeAt(at) === 0x5c ? 2 : 1;
  return at + 1;
}

/** Paths of repeated keys, each once. `json` has been parsed already: it is valid. */
export function duplicateKeys(json: string): readonly string[] {
  const found = new Set<string>();
  const open: Open[] = [];
  for (let i = 0; i < json.length && found.size < MOST; i += 1) {
    const top = open.at(-1);
    switch (json[i]) {
      case '{':
        open.push({ keys: new Set(), at: '', expectsKey: true });
        break;
      case '[':
        open.push({ keys: undefined, at: 0, expectsKey: false });
        break;
      case '}':
      case ']':
        open.pop();
        break;
      case ',':
        if (typeof top?.at === 'number') top.at += 1;
        else if (top !== undefined) top.expectsKey = true;
        break;
      case '"': {
        const end = endOfString(json, i);
        if (top?.keys !== undefined && top.expectsKey) {
          const key = JSON.parse(json.slice(i, end)) as string;
          top.at = key;
          top.expectsKey = false;
          if (top.keys.has(key)) found.add(pathOf(open));
          top.keys.add(key);
        }
        i = end - 1;
        break;
      }
      default:
    }
  }
  return [...found];
}
