// `npm run bench -- NAME…`: runs benchmarks by name; without a name, lists them.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

const names = (await readdir(import.meta.dirname))
  .filter((file) => /^[a-z]+\.bench\.ts$/.test(file))
  .map((file) => file.replace('.bench.ts', ''));
const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
if (wanted.length === 0 || wanted.some((name) => !names.includes(name))) {
  console.error(`usage: npm run bench -- ${names.join(' | ')}`);
  process.exit(2);
}
for (const name of wanted) await import(join(import.meta.dirname, `${name}.bench.ts`));
