// Unpacks a recorded host, one text file in test/fixtures/hosts, into a directory that is the root of it.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Test } from 'tap';

const HOSTS = join(import.meta.dirname, '../fixtures/hosts');

/** The hosts that were recorded. */
export const RECORDED_HOSTS = [
  'debian12-6.1-v1',
  'debian12-6.1-v2',
  'debian13-6.12-hybrid',
  'debian13-6.12-v2',
] as const;

/** Lays these over each other in a directory that is removed after the test. */
export function unpackHosts(t: Test, ...names: readonly string[]): string {
  const root = mkdtempSync(join(tmpdir(), 'jdos-host-'));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  for (const name of names) unpack(readFileSync(join(HOSTS, `${name}.txt`), 'utf8'), root);
  return root;
}

/** The format is that of test/fixtures/pack-host.sh. */
function unpack(text: string, root: string): void {
  const [, ...sections] = `\n${text}`.split('\n=== ');
  for (const section of sections) {
    const feed = section.indexOf('\n');
    const head = feed === -1 ? section : section.slice(0, feed);
    const body = feed === -1 ? '' : `${section.slice(feed + 1)}\n`;
    const [path = '', kind, target = ''] = head.split(' ');
    const at = join(root, path);
    mkdirSync(path.endsWith('/') ? at : dirname(at), { recursive: true });
    if (path.endsWith('/')) for (const name of head.split(' ').slice(1)) writeFileSync(join(at, name), '');
    else if (kind === '->') symlinkSync(target, at);
    else writeFileSync(at, kind === 'base64' ? Buffer.from(body, 'base64') : feed === -1 ? '' : body);
  }
}
