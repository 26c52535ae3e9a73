// A whole terminal for a command that goes on showing something: drawn anew in place, keys read, left as it was.
import type { ReadStream, WriteStream } from 'node:tty';

export interface Screen extends Disposable {
  /** Lines that fit: what is beyond the last row is left out. */
  draw(lines: readonly string[]): void;
  readonly columns: number;
  /** The next key, or undefined when none came within so many milliseconds or the size of the terminal changed. */
  key(ms: number): Promise<string | undefined>;
}

// ECMA-48 and xterm: the alternate screen, the cursor, and where to go.
const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?1049l';
const HOME = '\u001b[H';
const END_OF_LINE = '\u001b[K';
const END_OF_SCREEN = '\u001b[J';

/** Of a terminal that does not know its size. */
const ROWS = 24;
const COLUMNS = 80;

/** Takes the terminal over until it is disposed. */
export function openScreen(input: ReadStream, output: WriteStream): Screen {
  let wake = (_: string | undefined): void => undefined;
  const onData = (data: Buffer): void => wake(data.toString('utf8'));
  const onResize = (): void => wake(undefined);
  output.write(ENTER);
  input.setRawMode(true);
  input.on('data', onData).resume();
  output.on('resize', onResize);
  return {
    get columns() {
      return output.columns || COLUMNS;
    },
    draw(lines) {
      const shown = lines.slice(0, (output.rows || ROWS) - 1);
      output.write(HOME + shown.map((line) => `${line}${END_OF_LINE}\r\n`).join('') + END_OF_SCREEN);
    },
    key: (ms) =>
      new Promise((resolve) => {
        const timer = setTimeout(() => wake(undefined), ms);
        wake = (key) => {
          clearTimeout(timer);
          wake = () => undefined;
          resolve(key);
        };
      }),
    [Symbol.dispose]() {
      wake(undefined);
      input.off('data', onData).pause();
      input.setRawMode(false);
      output.off('resize', onResize);
      output.write(LEAVE);
    },
  };
}
