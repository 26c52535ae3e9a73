// Literals that every match of a pattern must contain, so that lines without them need not be matched.
import { LEAST_LITERAL } from './prefilter.ts';

/** What takes away the certainty that the character before it is there, and only once. */
const QUANTIFIERS = new Set(['?', '*', '+', '{']);
/** `\.` and its like are the character itself; `\d` and its like are classes, `\b` and `\A` nothing at all. */
const ESCAPED = /^[^a-zA-Z0-9]$/;

/**
 * One literal for each alternative at the top of a pattern in RE2's syntax, the longest run of characters that must be there;
 * undefined when one of them has none of at least four bytes, or letters of either case match.
 */
export function literalsOf(pattern: string): readonly string[] | undefined {
  if (/\(\?[a-zA-Z]*[ix]/.test(pattern) || pattern.includes('\\Q')) return undefined;
  const alternatives = runsOf(pattern);
  const longest = alternatives.map((runs) => runs.reduce((a, b) => (b.length > a.length ? b : a), ''));
  return longest.every((literal) => Buffer.byteLength(literal) >= LEAST_LITERAL) ? longest : undefined;
}

/** The runs of plain characters outside of groups and classes, by alternative. */
function runsOf(pattern: string): readonly (readonly string[])[] {
  const alternatives: string[][] = [[]];
  let run = '';
  const end = (): void => {
    if (run !== '') alternatives.at(-1)?.push(run);
    run = '';
  };
  for (let at = 0; at < pattern.length;) {
    const char = pattern[at] ?? '';
    if (char === '(' || char === '[') {
      end();
      at = char === '(' ? afterGroup(pattern, at) : afterClass(pattern, at);
      continue;
    }
    if (char === '|') {
      end();
      alternatives.push([]);
      at += 1;
      continue;
    }
    const escaped = char === '\\';
    const plain = escaped ? ESCAPED.test(pattern[at + 1] ?? '') : !'.^$)*+?{}'.includes(char);
    const next = at + (escaped ? afterEscape(pattern, at) : 1);
    if (!plain) end();
    else if (QUANTIFIERS.has(pattern[next] ?? '')) {
      end();
      at = next;
      continue;
    } else run += escaped ? (pattern[at + 1] ?? '') : char;
    // The bounds of a quantifier are no text.
    at = char === '{' ? Math.max(next, pattern.indexOf('}', at) + 1) : next;
  }
  end();
  return alternatives;
}

/** Characters of an escape: `\pN`, `\p{Greek}`, `\x41`, `\x{1F600}` and `\123` are more than two. */
function afterEscape(pattern: string, at: number): number {
  const [whole] =
    /^\\(?:[pP](?:\{[^}]*\}|.)|x(?:\{[^}]*\}|..)|[0-7]{1,3}|[\s\S])/.exec(pattern.slice(at, at + 64)) ?? [];
  return whole?.length ?? 2;
}

function afterClass(pattern: string, from: number): number {
  let at = from + 1;
  if (pattern[at] === '^') at += 1;
  if (pattern[at] === ']') at += 1;
  while (at < pattern.length && pattern[at] !== ']') {
    if (pattern.startsWith('[:', at)) at = Math.max(at, pattern.indexOf(':]', at)) + 2;
    else at += pattern[at] === '\\' ? 2 : 1;
  }
  return at + 1;
}

function afterGroup(pattern: string, from: number): number {
  let depth = 0;
  for (let at = from; at < pattern.length;) {
    const char = pattern[at];
    if (char === '[') {
      at = afterClass(pattern, at);
      continue;
    }
    if (char === '(') depth += 1;
    if (char === ')' && (depth -= 1) === 0) return at + 1;
    at += char === '\\' ? 2 : 1;
  }
  return pattern.length;
}

/** Whether a pattern could match over the end of a line, so that the lines before belong to what it is matched against. */
export const crossesLines = (pattern: string): boolean =>
  /\\n|\n|\\[sDWC]|\[\^|\\x0[aA]|\(\?[a-zA-Z]*s|\[\[:(?:space|cntrl|\^)/.test(pattern);
