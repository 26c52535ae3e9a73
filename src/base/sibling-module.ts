// Finds a module to run in a worker or a child process, in a checkout (`.ts`) and in the published build (`.js`).
import { extname } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** The file of module `name` (no extension) beside the module whose `import.meta.url` is given. */
export function siblingModule(importMetaUrl: string, name: string): string {
  const extension = extname(new URL(importMetaUrl).pathname);
  return fileURLToPath(new URL(`./${name}${extension}`, pathToFileURL(fileURLToPath(importMetaUrl))));
}
