// Becomes the workload: enters its cgroups, writes down who it is, gives up its rights, and calls execve. No JDOS code is loaded.
import {
  accessSync,
  closeSync,
  constants,
  fchownSync,
  fsyncSync,
  linkSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import type { RunSpec } from './layout.ts';

/** Where the daemon waits: it closes with execve, or with this process. */
const DAEMON = 3;
const CANNOT_EXECUTE = 126;
const NOT_FOUND = 127;
const directory = process.argv[2] ?? '.';

class CannotRun extends Error {
  readonly exitCode: number;
  constructor(exitCode: number, message: string) {
    super(message);
    this.exitCode = exitCode;
  }
}

const codeOf = (error: unknown): string => String((error as NodeJS.ErrnoException).code ?? error);

/** A daemon that is gone need not hear it. */
function tell(warning: string): void {
  try {
    writeSync(DAEMON, `${JSON.stringify(warning)}\n`);
  } catch {
    return;
  }
}

/** What can fail without keeping the workload from running. */
function attempt(what: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    tell(`${what}: ${codeOf(error)}`);
  }
}

function must(what: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    throw new CannotRun(CANNOT_EXECUTE, `${what}: ${codeOf(error)}`);
  }
}

/** False where another stub was first: a daemon that died between spawning and noting it is followed by one that spawns again. */
function claim(): boolean {
  const fields = readFileSync('/proc/self/stat', 'latin1').split(') ').at(-1)?.split(' ') ?? [];
  const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  const draft = `${directory}/started.${process.pid}`;
  const fd = openSync(draft, 'w', 0o600);
  writeFileSync(fd, JSON.stringify({ pid: process.pid, startTicks: Number(fields[19]), bootId, at: Date.now() }));
  fsyncSync(fd);
  closeSync(fd);
  try {
    linkSync(draft, `${directory}/started.json`);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  } finally {
    unlinkSync(draft);
  }
  const parent = openSync(directory, 'r');
  fsyncSync(parent);
  closeSync(parent);
  return true;
}

/** What the daemon itself was started with may be open here; the workload gets standard input, output and error only. */
function closeInherited(): void {
  for (const name of readdirSync('/proc/self/fd')) {
    const fd = Number(name);
    if (fd <= DAEMON) continue;
    try {
      const flags = /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? '0';
      const CLOSE_ON_EXEC = 0o2000000;
      if ((Number.parseInt(flags, 8) & CLOSE_ON_EXEC) === 0) closeSync(fd);
    } catch {
      continue;
    }
  }
}

function takeIdentity({ uid, gid, groups }: RunSpec): void {
  const root = process.getuid?.() === 0;
  // A workload that opens /dev/stdout anew must be let.
  if (root && uid !== undefined)
    attempt('the log could not be given to its user', () => fchownSync(1, uid, gid ?? uid));
  if (root || groups.length > 0) must('set the supplementary groups', () => process.setgroups?.([...groups]));
  if (gid !== undefined && gid !== process.getgid?.()) must(`run as group ${gid}`, () => process.setgid?.(gid));
  if (uid !== undefined && uid !== process.getuid?.()) must(`run as user ${uid}`, () => process.setuid?.(uid));
}

/** The file to execute, looked for as execvp(3) does. */
function find(command: string, path: string): string {
  const places = command.includes('/') ? [''] : path.split(':').map((place) => `${place === '' ? '.' : place}/`);
  let found: string | undefined;
  for (const place of places) {
    const file = `${place}${command}`;
    const stat = statSync(file, { throwIfNoEntry: false });
    if (stat === undefined || (stat.isDirectory() && places.length > 1)) continue;
    found = file;
    try {
      if (stat.isDirectory()) throw new CannotRun(CANNOT_EXECUTE, `${file} is a directory`);
      accessSync(file, constants.X_OK);
      return file;
    } catch (error) {
      if (error instanceof CannotRun) throw error;
    }
  }
  if (found !== undefined) throw new CannotRun(CANNOT_EXECUTE, `${found} may not be executed`);
  const where = command.includes('/') ? '' : ` in ${path}`;
  throw new CannotRun(NOT_FOUND, `there is no ${command}${where}`);
}

function become(run: RunSpec): void {
  attempt(`oom_score_adj ${run.oomScoreAdj} could not be set`, () =>
    writeFileSync('/proc/self/oom_score_adj', String(run.oomScoreAdj)),
  );
  for (const file of run.cgroupProcs)
    attempt(`cgroup ${file} could not be entered`, () => writeFileSync(file, String(process.pid)));
  takeIdentity(run);
  process.umask(0o022);
  must(`enter the working directory ${run.cwd}`, () => process.chdir(run.cwd));
  closeInherited();
  const [command = ''] = run.argv;
  const file = find(command, run.env['PATH'] ?? '');
  // Node ignores these two; what is caught here is reset by execve, what is ignored is not.
  process.on('SIGPIPE', () => undefined);
  process.on('SIGXFSZ', () => undefined);
  if (process.execve === undefined) throw new CannotRun(CANNOT_EXECUTE, `Node ${process.version} has no execve`);
  try {
    process.execve(file, [...run.argv], run.env);
  } catch (error) {
    const code = codeOf(error);
    const hint = code === 'ENOENT' ? ': its interpreter is missing' : '';
    throw new CannotRun(code === 'ENOENT' ? NOT_FOUND : CANNOT_EXECUTE, `execute ${file}: ${code}${hint}`);
  }
}

const { run } = JSON.parse(readFileSync(`${directory}/spec.json`, 'utf8')) as { run: RunSpec };
if (claim()) {
  // Opened while it may still be.
  const failure = openSync(`${directory}/failure.json`, 'w', 0o600);
  try {
    become(run);
  } catch (error) {
    const exitCode = error instanceof CannotRun ? error.exitCode : CANNOT_EXECUTE;
    writeFileSync(failure, JSON.stringify({ exitCode, message: (error as Error).message }));
    fsyncSync(failure);
  }
}
