// The house's walls: which floor may import which, who owns which package, where the process may be touched, how long files are.
import { readdir, readFile } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import { dirname, join, normalize } from 'node:path';
import t from 'tap';

const SRC = join(import.meta.dirname, '..', 'src');

/** Parts by line, highest first; parts on one line do not import each other. */
const LINES = [
  ['main.ts'],
  ['cli'],
  ['daemon'],
  ['http', 'console'],
  ['release', 'report'],
  ['inspector'],
  ['orchestrator', 'logs', 'tracing', 'probes'],
  ['drivers'],
  ['base'],
] as const;

/** Who may import a package, and why there: each foreign thing is known in one place. */
const OWNERS: Readonly<Record<string, readonly string[]>> = {
  '@fastify/': ['http'],
  '@peculiar/x509': ['http'],
  commander: ['cli'],
  dockerode: ['drivers/docker'],
  etcd3: ['drivers/etcd'],
  'fastest-levenshtein': ['base', 'http'],
  fastify: ['http'],
  handlebars: ['report'],
  'node-cron': ['inspector'],
  'node:sqlite': ['drivers/sqlite'],
  nodemailer: ['report'],
  pino: ['base'],
  'prom-client': ['base'],
  re2js: ['probes'],
  'reflect-metadata': ['http'],
  systeminformation: ['probes/host'],
  undici: ['tracing/yarpc', 'cli', 'orchestrator'],
  yaml: ['daemon', 'orchestrator', 'inspector'],
  zod: ['base'],
};

/** Where a global of the process may be used: the pattern, and the folders or files it may stand in. */
const TOUCHES = [
  { what: 'process.env', pattern: /\bprocess\.env\b/, where: ['daemon', 'cli', 'main.ts'] },
  { what: 'process.exit', pattern: /\bprocess\.exit(Code)?\b/, where: ['daemon', 'main.ts'] },
  { what: 'console', pattern: /\bconsole\./, where: ['cli'] },
  { what: 'child_process.exec or a shell', pattern: /(?<![.\w])exec\(|\bexecSync\(|shell: true/, where: [] },
  { what: 'a default export', pattern: /^export default\b/m, where: [] },
  { what: 'an enum', pattern: /^(export )?(const )?enum\b/m, where: [] },
] as const;

const SPECIFIER =
  /(?:^|\n)\s*(?:import|export)\b[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]|(?:^|\n)\s*import\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/g;

interface Source {
  readonly file: string;
  readonly text: string;
  readonly imports: readonly string[];
}

async function sources(): Promise<readonly Source[]> {
  const files = (await readdir(SRC, { recursive: true })).filter((file) => file.endsWith('.ts')).sort();
  return Promise.all(
    files.map(async (file) => {
      const text = await readFile(join(SRC, file), 'utf8');
      return { file, text, imports: [...text.matchAll(SPECIFIER)].map(([, a, b, c]) => a ?? b ?? c ?? '') };
    }),
  );
}

const floorOf = (file: string): string => file.split('/')[0] ?? '';
const lineOf = (floor: string): number => LINES.findIndex((line) => (line as readonly string[]).includes(floor));
const within = (file: string, places: readonly string[]): boolean =>
  places.some((place) => file === place || file.startsWith(`${place}/`));

t.test('every folder is a floor of the house', async (t) => {
  for (const { file } of await sources()) t.not(lineOf(floorOf(file)), -1, `${file} stands on a known floor`);
});

t.test('no floor imports from its own line or from above, and parts are entered through their index', async (t) => {
  for (const { file, imports } of await sources()) {
    const floor = floorOf(file);
    for (const specifier of imports.filter((name) => name.startsWith('.'))) {
      const target = normalize(join(dirname(file), specifier));
      const to = floorOf(target);
      if (to === floor && floor !== 'drivers') continue;
      if (to === 'drivers' && floor === 'drivers' && target.split('/')[1] === file.split('/')[1]) continue;
      t.ok(lineOf(to) > lineOf(floor), `${file} may import ${specifier}: ${to} is below ${floor}`);
      // The configuration is made of slices, and checking one must not load the part it belongs to.
      const door = file === 'daemon/config.ts' ? /\/config\.ts$/ : /\/index\.ts$/;
      if (to !== 'base') t.match(target, door, `${file} enters ${specifier} through its door`);
    }
  }
});

t.test('each package is known to its owner only', async (t) => {
  for (const { file, imports } of await sources()) {
    for (const specifier of imports.filter((name) => !name.startsWith('.'))) {
      const [name, owners] =
        Object.entries(OWNERS).find(
          ([key]) => specifier === key || specifier.startsWith(key.endsWith('/') ? key : `${key}/`),
        ) ?? [];
      if (name !== undefined && owners !== undefined) {
        t.ok(within(file, owners), `${file} may import ${specifier}, which belongs to ${owners.join(', ')}`);
      } else {
        const builtin = specifier.startsWith('node:') && builtinModules.includes(specifier.slice('node:'.length));
        t.ok(builtin, `${file} imports ${specifier}: give the package an owner in this test`);
      }
    }
  }
});

t.test('the process is touched where it may be', async (t) => {
  for (const { file, text } of await sources()) {
    const code = text.replace(/^\s*(\/\/|\*|\/\*\*).*$/gm, '');
    for (const { what, pattern, where } of TOUCHES) {
      if (!within(file, where)) t.notMatch(code, pattern, `${file} does without ${what}`);
    }
  }
});

t.test('files are short and say in their first line what they are for', async (t) => {
  const lengths: number[] = [];
  for (const { file, text } of await sources()) {
    const length = text.split('\n').length - 1;
    lengths.push(length);
    t.ok(length <= 400, `${file} has ${length} lines, at most 400 are allowed`);
    t.match(text, /^\/\/ \S.{20,}/, `${file} opens with a line saying what it is for`);
  }
  const median = lengths.sort((a, b) => a - b)[Math.floor(lengths.length / 2)] ?? 0;
  t.ok(median <= 110, `the median file has ${median} lines`);
});
