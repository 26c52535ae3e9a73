// Wrong usage, errors and colours of the command line, in this process and as a program of its own.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import t from 'tap';
import { z } from '../../src/base/schema.ts';
import { EXIT } from '../../src/cli/command.ts';
import { JDOS, privateDirectory, runJdos } from '../support/daemon.ts';
import { run } from './program.ts';

// The test runner sets these for its own output.
delete process.env['NO_COLOR'];
delete process.env['FORCE_COLOR'];

t.test('wrong usage exits with 2, prints nothing to standard output, and says what is wrong', async (t) => {
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['statsu'], /unknown command 'statsu'\n\(Did you mean status\?\)/],
    [['config', 'chek', 'f'], /unknown command 'chek'\n\(Did you mean check\?\)/],
    [['mail', 'tset', 'a@b.example'], /\(Did you mean test\?\)/],
    [['zzzzzzzz'], /unknown command 'zzzzzzzz'/],
    [['top', '--lmit', '3'], /unknown option '--lmit'\n\(Did you mean --limit\?\)/],
    [['top', '--by', 'colour'], /Allowed choices are cpu, memory, fds/],
    [['top', '--at', 'teatime'], /a time such as 03:12/],
    [['history', 'node_load1', '--label', 'mode'], /NAME=VALUE is expected/],
    [['top', '--limit', '0'], /a number from 1 to 150 is expected/],
    [['report', '--format', 'pdf'], /Allowed choices are text, html, json, eml/],
    [['inspect', '--locale', 'fr'], /Allowed choices are zh-CN, en/],
    [['token', 'create', 'ci', '--role', 'boss'], /Allowed choices are viewer, operator, admin/],
    [['token', 'create', 'ci', '--days', 'many'], /a number from 1 to 3650 is expected/],
    [['token', 'create'], /missing required argument 'name'/],
    [['status', '--server'], /option '--server <url>' argument missing/],
    [['status', 'now'], /too many arguments/],
  ];
  for (const [argv, message] of cases) {
    const { code, out, err } = await run(argv);
    t.equal(code, EXIT.usage, argv.join(' '));
    t.equal(out, '');
    t.match(err, message);
    t.match(err, '(add --help for usage)');
  }
});

t.test('a group without a command shows its help and exits with 2', async (t) => {
  for (const argv of [[], ['mail'], ['token'], ['config']]) {
    const { code, out, err } = await run(argv);
    t.equal(code, EXIT.usage);
    t.equal(out, '');
    t.match(err, /^Usage: jdos/);
  }
});

t.test('a daemon that cannot be reached is one message with a remedy and its code', async (t) => {
  const { code, out, err } = await run(['status', '--server', 'unix:/nonexistent/jdos.sock']);
  t.equal(code, EXIT.failed);
  t.equal(out, '');
  t.match(err, /^error: no answer from a daemon at unix:\/nonexistent\/jdos\.sock \(ENOENT\)/);
  t.match(err, /^Try: start it with `jdos daemon`.*\[JD_DAEMON_UNREACHABLE\]$/m);
});

t.test('where the daemon is can be said by the environment, and options win over it', async (t) => {
  const env = { JDOS_SERVER: 'unix:/nonexistent/by-environment.sock' };
  t.match((await run(['status'], env)).err, 'unix:/nonexistent/by-environment.sock');
  t.match((await run(['status', '--server', 'unix:/nonexistent/by-option.sock'], env)).err, 'by-option.sock');
  const unreadable = await run(['status', '--server', 'http://127.0.0.1:1'], { JDOS_TOKEN_FILE: '/nonexistent/token' });
  t.match(unreadable.err, /JD_TOKEN_FILE_UNREADABLE/);
  t.equal(unreadable.code, EXIT.failed);
});

t.test('a configuration is checked without a daemon: every wrong field, as text and as JSON', async (t) => {
  const file = join(t.testdir({ 'jdos.yaml': 'log: { levle: warn }\nhttp: { listen: 0.0.0.0:80 }\n' }), 'jdos.yaml');
  const text = await run(['config', 'check', file]);
  t.equal(text.code, EXIT.failed);
  t.match(text.err, /log\.levle: .*did you mean level\?/);
  t.match(text.err, /http\.listen: expected a loopback address/);
  const json = await run(['config', 'check', file, '--json']);
  t.equal(json.code, EXIT.failed);
  const { valid, errors } = z
    .object({ valid: z.boolean(), errors: z.array(z.object({ path: z.string() })) })
    .parse(JSON.parse(json.out));
  t.equal(valid, false);
  t.same(errors.map(({ path }) => path).toSorted(), ['http.listen', 'log.levle']);
});

t.test('the checks test themselves without a daemon', async (t) => {
  const { code, out } = await run(['inspect', '--self-test']);
  t.equal(code, EXIT.ok);
  t.match(out, /^● DISK_SPACE$/m);
});

t.test('as a program: the same exit codes, and no colour outside a terminal', async (t) => {
  const dataDir = privateDirectory(t);
  const wrong = await runJdos(['statsu']);
  const failed = await runJdos(['status', '--data-dir', dataDir, '--server', 'unix:/nonexistent/jdos.sock']);
  const done = await runJdos(['--version']);
  t.same([done.code, failed.code, wrong.code], [EXIT.ok, EXIT.failed, EXIT.usage]);
  t.match(done.out, /^\d+\.\d+\.\d+\n$/);
  const checks = await runJdos(['inspect', '--self-test']);
  for (const { out, err } of [wrong, failed, done, checks]) t.notMatch(out + err, '\u001b', 'no escape sequence');
});

t.test('on a terminal there are colours, unless NO_COLOR or TERM=dumb says otherwise', async (t) => {
  const inTerminal = (env: Readonly<Record<string, string>>): Promise<string> =>
    new Promise((resolve) => {
      // script(1) gives the command a terminal.
      const command = ['-qec', `${JDOS} inspect --self-test`, '/dev/null'];
      execFile('script', command, { env: { ...process.env, ...env } }, (_, out) => resolve(out));
    });
  t.match(await inTerminal({ TERM: 'xterm' }), '\u001b[32m');
  t.notMatch(await inTerminal({ TERM: 'xterm', NO_COLOR: '1' }), '\u001b[32m');
  t.notMatch(await inTerminal({ TERM: 'dumb' }), '\u001b[32m');
});
