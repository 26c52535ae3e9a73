// Compares what people or Prometheus read with a file in test/golden/; UPDATE_GOLDEN=1 rewrites it.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Test } from 'tap';

const HERE = join(import.meta.dirname, '..', 'golden');

export async function golden(t: Test, file: string, actual: string): Promise<void> {
  const path = join(HERE, file);
  if (process.env['UPDATE_GOLDEN'] === '1') {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, actual);
  }
  t.equal(actual, await readFile(path, 'utf8').catch(() => '(no golden file)'), `${file} is golden`);
}
