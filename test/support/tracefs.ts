// The kernel's tracefs for tests, without a mount that anyone else sees: in a directory of the test, or in a mount namespace
// of a daemon's own.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { needsRoot } from './needs.ts';

const mount = (dir: string): unknown => execFileSync('mount', ['-t', 'tracefs', 'nodev', dir], { stdio: 'pipe' });

function unmount(dir: string): void {
  execFileSync('umount', [dir], { stdio: 'pipe' });
  rmdirSync(dir);
}

/** For the `skip` option of a test: false, or why. */
export function needsTracefs(): false | string {
  const root = needsRoot();
  if (root !== false) return root;
  const dir = mkdtempSync(join(tmpdir(), 'jdos-tracefs-'));
  try {
    mount(dir);
    unmount(dir);
    return false;
  } catch (error) {
    return `tracefs cannot be mounted (mount -t tracefs nodev DIR): ${String(error)}`;
  }
}

/** Mounts it in a directory of the test, until that ends. */
export function mountTracefs(t: Test): string {
  const dir = mkdtempSync(join(tmpdir(), 'jdos-tracefs-'));
  mount(dir);
  t.teardown(() => unmount(dir));
  return dir;
}

/** Runs a command that finds tracefs where it belongs; the mount is the command's alone and ends with it. */
export const WITH_TRACEFS: readonly string[] = [
  'unshare',
  '--mount',
  '--fork',
  'sh',
  '-c',
  'mount -t tracefs nodev /sys/kernel/tracing && exec "$@"',
  'sh',
];
