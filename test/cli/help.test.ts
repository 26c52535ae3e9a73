// What people read with --help, as it stands in test/golden/cli and in docs/cli.md. `npm run docs` writes both anew.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { EXIT } from '../../src/cli/command.ts';
import { golden } from '../support/golden.ts';
import { everyCommand, run } from './program.ts';

const nameOf = (path: readonly string[]): string => ['jdos', ...path].join('-');

t.test('the help of every command is golden', async (t) => {
  for (const path of [[], ...everyCommand().map(({ path }) => path)]) {
    const { code, out, err } = await run([...path, '--help']);
    t.equal(code, EXIT.ok);
    t.equal(err, '');
    await golden(t, `cli/${nameOf(path)}.txt`, out);
  }
});

t.test('every golden help belongs to a command', async (t) => {
  const names = ['jdos', ...everyCommand().map(({ path }) => nameOf(path))];
  const files = await readdir(join(import.meta.dirname, '..', 'golden', 'cli'));
  t.same(files.toSorted(), names.map((name) => `${name}.txt`).toSorted());
});

t.test('`jdos help COMMAND` is the same as its --help', async (t) => {
  t.same(await run(['help', 'top']), await run(['top', '--help']));
  t.same(await run(['mail', 'help', 'test']), await run(['mail', 'test', '--help']));
});

t.test('every command and every option says what it is for', async (t) => {
  for (const { path, command } of everyCommand()) {
    t.match(command.description(), /^\S.*[^.]$/, `${path.join(' ')} is described, without a full stop`);
    for (const { flags, description } of command.options) t.match(description, /\S/, `${path.join(' ')} ${flags}`);
  }
});

const EXITS = {
  ok: 'done',
  failed:
    'failed: the message says why, what to do, and the [code](errors.md). `jdos status`: a part fails or is still starting. `jdos mail test`: the mail was not taken. `jdos config check`: the file is not valid. `jdos inspect --self-test`: a check is wrong',
  usage: 'wrong usage: the message names the option or command, and the nearest one that exists',
  warnings: '`jdos inspect --exit-code` only: there are warnings and nothing critical',
  critical: '`jdos inspect --exit-code` only: there is something critical',
} as const satisfies Record<keyof typeof EXIT, string>;

const HEAD = `<!-- Made by test/cli/help.test.ts from the commands; \`npm run docs\` writes it anew. -->

# The command line

\`./jdos\` in a checkout runs the command on the Node that the checkout pins. \`jdos daemon\` runs the daemon; every other
command but \`jdos config check\`, \`jdos inspect --self-test\` and \`jdos kubeconfig\` asks a running daemon over HTTP.

## Which daemon

1. \`--server URL\` or \`--server unix:PATH\`, else the environment variable \`JDOS_SERVER\`.
2. Else the Unix socket \`run/jdos.sock\` in the data directory: \`--data-dir\`, else \`JDOS_DATA_DIR\`, else
   \`/var/lib/jdos\` as root and \`$XDG_STATE_HOME/jdos\` (\`~/.local/state/jdos\`) as anyone else. The socket needs no
   token; its file mode is its lock.
3. Else \`http://127.0.0.1:9618\`.

By URL a token is needed for all but health and metrics: \`--token-file FILE\`, else \`JDOS_TOKEN_FILE\`, else the
\`admin.token\` in the data directory where it can be read. For \`https\` the CA is \`--ca-file FILE\`, else the one in the
data directory where it can be read, else the system's.

## Output

Results go to standard output, messages about the command to standard error. Colours are used on a terminal only, and
never with \`NO_COLOR\` set or \`TERM=dumb\`. With \`--json\` a command that reads prints the daemon's answer as it came.
What could not be read is a \`?\`, not a 0.
`;

t.test('docs/cli.md holds every command with its options, and the exit codes of the code', async (t) => {
  const exits = Object.entries(EXIT).map(([name, code]) => `| ${code} | ${EXITS[name as keyof typeof EXIT]} |`);
  const sections = await Promise.all(
    everyCommand().map(async ({ path }) => {
      const title = `${'#'.repeat(path.length + 2)} jdos ${path.join(' ')}`;
      return `${title}\n\n\`\`\`text\n${(await run([...path, '--help'])).out.trimEnd()}\n\`\`\`\n`;
    }),
  );
  const text = [
    HEAD,
    `## Exit codes\n\n| code | meaning |\n| --- | --- |\n${exits.join('\n')}\n`,
    '## Commands\n',
    ...sections,
  ].join('\n');
  await golden(t, '../../docs/cli.md', text);
});

t.test('the exit codes stand in the help of the program', async (t) => {
  const { out } = await run(['--help']);
  const [, line = ''] = /^Exit codes: ([\s\S]*?)\.$/m.exec(out) ?? [];
  t.same(
    [...line.matchAll(/\b(\d) [a-z]/g)].map(([, code]) => Number(code)),
    Object.values(EXIT),
  );
});
