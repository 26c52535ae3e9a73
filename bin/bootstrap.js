// Installs the dependencies when they are missing or older than the lock file. Plain JavaScript, for any Node from 20 on.
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** @param {string} file @returns {number} modification time, or 0 when the file is not there */
const modified = (file) => statSync(root + file, { throwIfNoEntry: false })?.mtimeMs ?? 0;

if (modified('node_modules/.package-lock.json') < modified('package-lock.json')) {
  console.log('jdos: installing dependencies (npm ci), this takes about a minute the first time');
  const { status, error } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (status !== 0) {
    console.error(`jdos: npm ci failed${error ? `: ${error.message}` : ''}`);
    console.error('Try: check that npm reaches its registry (npm ping), then run the command again');
    process.exit(1);
  }
}
