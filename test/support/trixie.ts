// Programs of Debian trixie for tests on an older Debian: unpacked into a cache folder, nothing is installed.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** Where {@link unpackTrixie} puts what it was told to call so. */
export const trixieCache = (name: string): string => join(homedir(), '.cache', 'jdos-test', name);

/** Fetches packages from the machine's own Debian mirror, with package lists of its own. */
export function unpackTrixie(name: string, packages: readonly string[]): void {
  const cache = trixieCache(name);
  const dir = mkdtempSync(join(tmpdir(), 'jdk-'));
  try {
    for (const folder of ['lists', 'unpacked']) mkdirSync(join(dir, folder));
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
    apt('download', ...packages.map((one) => `${one}/trixie`));
    for (const archive of readdirSync(dir).filter((file) => file.endsWith('.deb')))
      execFileSync('dpkg-deb', ['-x', join(dir, archive), join(dir, 'unpacked')]);
    rmSync(cache, { recursive: true, force: true });
    mkdirSync(join(cache, '..'), { recursive: true });
    execFileSync('cp', ['-a', join(dir, 'unpacked'), `${cache}.new`]);
    renameSync(`${cache}.new`, cache);
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
