// The recorded files of disks and sensors (test/fixtures/hardware) as a tree with its links, which lead in circles as those of sysfs do.
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Test } from 'tap';

export const HARDWARE = join(import.meta.dirname, '../fixtures/hardware');

export const RECORDED_HARDWARE: readonly string[] = readdirSync(HARDWARE).filter((name) => name.startsWith('debian'));

/** Copies a recording to a folder of the test, and returns that. */
export function unpackHardware(t: Test, name: string): string {
  const root = t.testdir({});
  cpSync(join(HARDWARE, name), root, { recursive: true });
  for (const line of readFileSync(join(HARDWARE, name, 'LINKS'), 'utf8')
    .split('\n')
    .filter(Boolean)) {
    const [path = '', target = ''] = line.split(' ');
    mkdirSync(dirname(join(root, path)), { recursive: true });
    symlinkSync(target, join(root, path));
  }
  return root;
}
