// How wide text is on a terminal or in a monospaced mail: CJK takes two columns (Unicode TR 11), marks take none.

const WIDE: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2329, 0x232a],
  [0x2e80, 0x303e],
  [0x3041, 0x33ff],
  [0x3400, 0x4dbf],
  [0x4e00, 0x9fff],
  [0xa000, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe10, 0xfe19],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x1f300, 0x1f64f],
  [0x1f680, 0x1f6ff],
  [0x1f900, 0x1f9ff],
  [0x20000, 0x3fffd],
];

const NO_WIDTH = /^[\p{Mn}\p{Me}\p{Cf}\p{Cc}]$/u;
/** What may not begin a line: closing punctuation, Chinese and Latin. */
const CLOSING =
  /^[\u3001\u3002\u3009\u300b\u300d\u300f\u3011\uff01\uff09\uff0c\uff1a\uff1b\uff1f\u2019\u201d…,.;:!?)\]}%]$/u;

/** Columns of one code point: 0, 1 or 2. Ambiguous widths (▲ ● ✖) count as 1. */
function charWidth(char: string): 0 | 1 | 2 {
  if (NO_WIDTH.test(char)) return 0;
  const code = char.codePointAt(0) ?? 0;
  return code >= 0x1100 && WIDE.some(([from, to]) => code >= from && code <= to) ? 2 : 1;
}

/** Columns of a line of text. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const char of text) width += charWidth(char);
  return width;
}

/** Text brought to at least `columns` with spaces, on the right or, for numbers, on the left. */
export function pad(text: string, columns: number, side: 'left' | 'right' = 'right'): string {
  const space = ' '.repeat(Math.max(0, columns - displayWidth(text)));
  return side === 'right' ? text + space : space + text;
}

/** The beginning of a text within `columns`, ending in `…` where something was cut. */
export function clip(text: string, columns: number): string {
  if (displayWidth(text) <= columns) return text;
  let kept = '';
  let width = 0;
  for (const char of text) {
    width += charWidth(char);
    if (width > columns - 1) break;
    kept += char;
  }
  return `${kept.trimEnd()}…`;
}

/** Pieces between which a line may be broken: words with the space before them, single CJK characters. */
function pieces(text: string): readonly string[] {
  const found: string[] = [];
  let before: string | undefined;
  for (const char of text) {
    const joins =
      before !== undefined &&
      char !== ' ' &&
      ((charWidth(char) < 2 && charWidth(before) < 2) || CLOSING.test(char) || before === '(' || before === ' ');
    if (joins || (char === ' ' && before === ' ')) found[found.length - 1] += char;
    else found.push(char);
    before = char;
  }
  return found;
}

/** Cuts a piece that no line can hold. */
function chop(piece: string, columns: number): readonly string[] {
  const parts = [''];
  let width = 0;
  for (const char of piece) {
    const next = charWidth(char);
    if (width + next > columns) {
      parts.push('');
      width = 0;
    }
    parts[parts.length - 1] += char;
    width += next;
  }
  return parts;
}

/** A number is not parted from its unit. */
const UNIT = /(\d) (?=(?:ms|[smhd%]|[KMGTP]?i?B)(?!\w))/g;

/**
 * Lines of at most `columns` columns. Lines after the first begin with `indent` spaces; a line breaks at spaces
 * and between CJK characters, never before closing punctuation, and inside a word only where nothing else helps.
 */
export function wrap(text: string, columns: number, indent = 0): readonly string[] {
  const lead = ' '.repeat(indent);
  const room = Math.max(2, columns - indent);
  const lines: string[] = [];
  let line = '';
  let width = 0;
  const flush = (): void => {
    lines.push(line.trimEnd().replaceAll('\u00a0', ' '));
    line = lead;
    width = indent;
  };
  for (const piece of pieces(text.replaceAll(UNIT, '$1\u00a0')).flatMap((whole) =>
    displayWidth(whole) > room ? chop(whole, room) : [whole],
  )) {
    const size = displayWidth(piece.trimEnd());
    if (width + size > columns && line.trim() !== '') {
      flush();
      line += piece.trimStart();
    } else line += piece;
    width = displayWidth(line);
  }
  if (line.trim() !== '') flush();
  return lines;
}
