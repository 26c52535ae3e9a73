// What is exported is used: by another file of the sources, the tests or the benchmarks.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';

const ROOT = join(import.meta.dirname, '..');
const DECLARED = /^export (?:abstract )?(?:async )?(?:const|let|function\*?|class|interface|type) (\w+)/gm;
const LISTED = /^export (?:type )?\{([^}]*)\}/gm;

t.test('every exported name is used somewhere else', async (t) => {
  const files = new Map<string, string>();
  for (const folder of ['src', 'test', 'bench']) {
    for (const file of await readdir(join(ROOT, folder), { recursive: true }).catch(() => [])) {
      if (file.endsWith('.ts')) files.set(join(folder, file), await readFile(join(ROOT, folder, file), 'utf8'));
    }
  }
  const users = new Map<string, string[]>();
  for (const [file, text] of files)
    for (const word of new Set(text.match(/\w+/g))) {
      const known = users.get(word);
      if (known === undefined) users.set(word, [file]);
      else known.push(file);
    }
  for (const [file, text] of files) {
    if (!file.startsWith('src/')) continue;
    const listed = [...text.matchAll(LISTED)].flatMap(([, names = '']) =>
      names.split(',').map((name) =>
        name
          .trim()
          .replace(/^type /, '')
          .replace(/^.* as /, ''),
      ),
    );
    const declared = [...text.matchAll(DECLARED)].map(([, name = '']) => name);
    const index = file.endsWith('/index.ts');
    for (const name of [...declared, ...listed].filter((name) => name !== '')) {
      // A part's index is its door: what it hands on must be wanted outside of the part.
      const elsewhere = (users.get(name) ?? []).some(
        (other) => other !== file && !(index && other.startsWith(file.replace('index.ts', ''))),
      );
      t.ok(elsewhere, `${name} of ${file} is used`);
    }
  }
});
