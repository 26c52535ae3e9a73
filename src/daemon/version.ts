// Which version this is, and where it stands.
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The directory that holds package.json, templates/ and src/ (or dist/). */
export const PACKAGE_ROOT = fileURLToPath(new URL('../..', import.meta.url));

export const VERSION = String(
  (JSON.parse(readFileSync(join(PACKAGE_ROOT, 'package.json'), 'utf8')) as { version: unknown }).version,
);

/** /var/lib/jdos as root, else below $XDG_STATE_HOME (XDG Base Directory Specification). */
export function defaultDataDir(): string {
  if (process.getuid?.() === 0) return '/var/lib/jdos';
  return join(process.env['XDG_STATE_HOME'] || join(homedir(), '.local', 'state'), 'jdos');
}
