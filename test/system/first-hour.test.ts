// The documents as a newcomer follows them: a fresh clone, the commands as written, the ports and directories of the defaults.
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { privateDirectory } from '../support/daemon.ts';
import { documentedCommands } from '../support/documented.ts';
import { kubectlPath } from '../support/kubectl.ts';
import { needs, needsRoot } from '../support/needs.ts';

const ROOT = join(import.meta.dirname, '../..');
const PROMISED_MS = 180_000;
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/**
 * Runs the commands of a document in a clone, where 9618 and /var/lib/jdos are nobody else's.
 * Gives what they printed, each after its own `$ line`, and what the daemon said.
 */
function follow(clone: string, document: string): string {
  const { daemon: written, commands } = documentedCommands(document);
  const daemon = written.length === 0 ? ['npm start'] : written;
  const [script, log] = [join(clone, '..', 'script.sh'), join(clone, '..', 'daemon.log')];
  const lines = [
    'ip link set lo up',
    'mount -t tmpfs tmpfs /var/lib',
    `cd ${quoted(clone)}`,
    `(${daemon.join('; ')}) > ${quoted(log)} 2>&1 &`,
    `for i in $(seq 600); do grep -q '^first report' ${quoted(log)} && break; sleep 0.1; done`,
    ...commands.map((line) => `echo ${quoted(`$ ${line}`)}; { ${line}\n} 2>&1 || echo "FAILED with $?"`),
    'kill -TERM $(cat /var/lib/jdos/daemon.pid)',
    'wait',
  ];
  writeFileSync(script, `${lines.join('\n')}\n`);
  const namespaces = [
    '--net',
    '--mount',
    '--pid',
    '--fork',
    '--kill-child',
    '--mount-proc',
    '--propagation',
    'private',
  ];
  const { stdout, stderr } = spawnSync('unshare', [...namespaces, 'sh', script], {
    encoding: 'utf8',
    timeout: PROMISED_MS,
    env: { ...process.env, PATH: `${dirname(kubectlPath())}:${process.env['PATH'] ?? ''}` },
  });
  return `${stdout}\n${stderr}\n${readFileSync(log, 'utf8')}`;
}

// An installation and two daemons take a minute, and longer on a busy machine.
t.setTimeout(400_000);

t.test('the documents hold, from a clone on', { skip: needsRoot() || needs('kubectl', 'curl', 'ip') }, async (t) => {
  const began = performance.now();
  const clone = join(privateDirectory(t), 'jdos');
  execFileSync('git', ['clone', '--quiet', ROOT, clone]);
  // The installation is the first thing that `npm start` does; it needs the network, which the rest does without.
  execFileSync('node', ['bin/bootstrap.js'], { cwd: clone, stdio: 'ignore' });

  t.test('the first hour: a host, a trace and a workload within three minutes', (t) => {
    const said = follow(clone, 'docs/first-hour.md');
    t.notMatch(said, /^FAILED/m, said);
    t.match(said, /score \d+/, 'the inspection');
    t.match(said, /POST \/checkout[\s\S]*reserve stock/, 'the waterfall');
    t.match(said, /pod\/hello created[\s\S]*condition met[\s\S]*hello, \d\d:/, 'the workload');
    t.match(said, /pod "hello"( from default namespace)? deleted/);
    const took = performance.now() - began;
    t.ok(took < PROMISED_MS, `${Math.round(took / 1000)} s from the clone`);
    t.end();
  });

  t.test('the five things to do next of the README', (t) => {
    const said = follow(clone, 'README.md');
    t.notMatch(said, /^FAILED/m, said);
    t.match(said, /pod\/hello created/);
    t.match(said, /POST \/checkout/);
    t.end();
  });
});
