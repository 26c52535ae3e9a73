// kubectl 1.32 or newer: the machine's, or that of Debian trixie unpacked into a cache folder.
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';

const LEAST_MINOR = 32;
const CACHE = join(homedir(), '.cache', 'jdos-test', 'kubectl');
const CANDIDATES = ['/usr/bin/kubectl', '/usr/local/bin/kubectl', join(CACHE, 'usr/bin/kubectl')] as const;
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

let found: string | undefined;

/** The program's path; undefined where none is new enough. */
export const findKubectl = (): string | undefined => (found ??= CANDIDATES.find(isNewEnough));

/** The program's path, for tests that `needs('kubectl')` let through. */
export function kubectlPath(): string {
  const path = findKubectl();
  if (path === undefined) throw new Error(`no kubectl 1.${LEAST_MINOR} or newer`);
  return path;
}

function isNewEnough(file: string): boolean {
  if (!existsSync(file)) return false;
  const out = execFileSync(file, ['version', '--client', '-o', 'json'], { encoding: 'utf8' });
  const { clientVersion } = JSON.parse(out) as { clientVersion: { major: string; minor: string } };
  return Number(clientVersion.major) > 1 || Number.parseInt(clientVersion.minor, 10) >= LEAST_MINOR;
}

/** Fetches it from the machine's own Debian mirror, with package lists of its own; nothing is installed. */
export function unpackKubectl(): void {
  const dir = mkdtempSync(join(tmpdir(), 'jdk-'));
  try {
    for (const name of ['lists', 'unpacked']) mkdirSync(join(dir, name));
    writeFileSync(join(dir, 'trixie.list'), `deb [signed-by=${KEYRING}] ${mirror()} trixie main\n`);
    const apt = (...args: readonly string[]): unknown =>
      execFileSync(
        'apt-get',
        [
          '-qq',
          ...['-o', `Dir::Etc::sourcelist=${join(dir, 'trixie.list')}`, '-o', 'Dir::Etc::sourceparts=/dev/null'],
          ...['-o', `Dir::State::lists=${join(dir, 'lists')}`, '-o', 'APT::Sandbox::User=root'],
          ...args,
        ],
        { cwd: dir, stdio: ['ignore', 'ignore', 'pipe'], timeout: 300_000 },
      );
    apt('update');
    apt('download', 'kubectl/trixie');
    const archive = readdirSync(dir).find((name) => name.endsWith('.deb')) ?? '';
    execFileSync('dpkg-deb', ['-x', join(dir, archive), join(dir, 'unpacked')]);
    rmSync(CACHE, { recursive: true, force: true });
    mkdirSync(join(CACHE, '..'), { recursive: true });
    execFileSync('cp', ['-a', join(dir, 'unpacked'), `${CACHE}.new`]);
    renameSync(`${CACHE}.new`, CACHE);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Where this Debian's own packages come from. */
function mirror(): string {
  const codename = /^VERSION_CODENAME=(\w+)$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? '';
  const targets = execFileSync('apt-get', ['indextargets', '--format', '$(CODENAME) $(REPO_URI)'], {
    encoding: 'utf8',
  });
  const uri = targets
    .split('\n')
    .find((line) => line.startsWith(`${codename} `))
    ?.split(' ')[1];
  if (uri === undefined) throw new Error(`apt knows no packages of ${codename}: apt-get update`);
  return uri;
}
