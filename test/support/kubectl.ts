// kubectl 1.32 or newer: the machine's, or that of Debian trixie unpacked into a cache folder.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { trixieCache, unpackTrixie } from './trixie.ts';

const LEAST_MINOR = 32;
const CANDIDATES = [
  '/usr/bin/kubectl',
  '/usr/local/bin/kubectl',
  join(trixieCache('kubectl'), 'usr/bin/kubectl'),
] as const;

let found: string | undefined;

/** The program's path; undefined where none is new enough. */
export const findKubectl = (): string | undefined => (found ??= CANDIDATES.find(isNewEnough));

/** The program's path, for tests that `needs('kubectl')` let through. */
export function kubectlPath(): string {
  const path = findKubectl();
  if (path === undefined) throw new Error(`no kubectl 1.${LEAST_MINOR} or newer`);
  return path;
}

function isNewEnough(file: string): boolean {
  if (!existsSync(file)) return false;
  const out = execFileSync(file, ['version', '--client', '-o', 'json'], { encoding: 'utf8' });
  const { clientVersion } = JSON.parse(out) as { clientVersion: { major: string; minor: string } };
  return Number(clientVersion.major) > 1 || Number.parseInt(clientVersion.minor, 10) >= LEAST_MINOR;
}

/** Fetches it from the machine's own Debian mirror; nothing is installed. */
export const unpackKubectl = (): void => unpackTrixie('kubectl', ['kubectl']);
