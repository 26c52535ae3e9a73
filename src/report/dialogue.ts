// The SMTP dialogue as people read it, `>` we said, `<` the relay said; what proves a password is never in it.

const LINES = 200;
const COLUMNS = 500;

type Level = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal';
type Listener = Record<Level, (...words: unknown[]) => void>;

/** A logger for nodemailer's `transactionLog` that writes the dialogue into `lines`. */
export function listenIn(lines: string[]): Listener {
  let asked = false;
  const note = (data: unknown, text: unknown): void => {
    const who = (data as { tnx?: unknown } | undefined)?.tnx;
    if ((who !== 'client' && who !== 'server') || typeof text !== 'string') return;
    if (who === 'client' && asked) {
      // The answer to a challenge (334) is a secret whatever it looks like (RFC 4954).
      push(lines, '> ***');
      return;
    }
    for (const line of text.split(/\r?\n/)) push(lines, who === 'client' ? `> ${maskAuth(line)}` : `< ${line}`);
    if (who === 'server') asked = /^334/.test(text);
  };
  return { trace: note, debug: note, info: note, warn: note, error: note, fatal: note };
}

const maskAuth = (line: string): string => line.replace(/^(AUTH \S+) .+$/i, '$1 ***');

function push(lines: string[], line: string): void {
  if (lines.length < LINES) lines.push(line.replaceAll(/\p{Cc}/gu, ' ').slice(0, COLUMNS));
}
