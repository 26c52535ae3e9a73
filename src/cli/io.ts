// Where a command writes, and how: colour only on a terminal (and never with NO_COLOR), tables aligned by display width.
import { stripVTControlCharacters, styleText } from 'node:util';
import { openScreen, type Screen } from './screen.ts';

export interface Io {
  /** Prints one line of the command's result. */
  out(line: string): void;
  /** Prints one line about the command itself. */
  err(line: string): void;
  readonly colour: boolean;
  readonly columns: number;
  /** Takes the whole terminal over; absent where there is none. */
  readonly screen?: () => Screen;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export type Paint = 'red' | 'yellow' | 'green' | 'dim' | 'bold';

export const paint = (io: Pick<Io, 'colour'>, how: Paint, text: string): string =>
  io.colour ? styleText(how, text, { validateStream: false }) : text;

/** The terminal, or a pipe, of this process. */
export function processIo(): Io {
  const { stdin, stdout, stderr, env } = process;
  const whole = stdin.isTTY === true && stdout.isTTY === true && env['TERM'] !== 'dumb';
  return {
    out: (line) => stdout.write(`${line}\n`),
    // Standard error may go to a file while standard output is a terminal.
    err: (line) => stderr.write(`${stderr.isTTY === true ? line : stripVTControlCharacters(line)}\n`),
    colour: stdout.isTTY === true && env['NO_COLOR'] === undefined && env['TERM'] !== 'dumb',
    columns: stdout.columns ?? 120,
    ...(whole ? { screen: () => openScreen(stdin, stdout) } : {}),
    env,
  };
}

/** Columns a text takes on a terminal: East Asian wide characters take two (UAX #11, the blocks that occur in reports). */
export function displayWidth(text: string): number {
  let width = 0;
  for (const character of text)
    width += /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/.test(
      character,
    )
      ? 2
      : 1;
  return width;
}

/** Rows under a head, aligned; columns named in `right` are set flush right. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly string[] = [],
): string[] {
  const widths = head.map((title, i) =>
    Math.max(displayWidth(title), ...rows.map((row) => displayWidth(row[i] ?? ''))),
  );
  const line = (cells: readonly string[]): string =>
    head
      .map((title, i) => {
        const cell = cells[i] ?? '';
        const gap = ' '.repeat(Math.max(0, (widths[i] ?? 0) - displayWidth(cell)));
        return right.includes(title) ? gap + cell : cell + gap;
      })
      .join('  ')
      .trimEnd();
  return [line(head), ...rows.map(line)];
}

/** Foreign text made safe for a terminal: control characters, escape sequences among them, are shown as �. */
export const printable = (text: string): string => text.replace(/[\u0000-\u001f\u007f-\u009f]/g, '\ufffd');
