// Which process a pid is: by its start time and the boot, because pids are used again.
import { readdir, readFile } from 'node:fs/promises';

interface ProcessStat {
  readonly state: string;
  readonly session: number;
  /** Clock ticks after boot; with the pid and the boot it names a process for ever. */
  readonly startTicks: number;
}

/** Reads the text of /proc/PID/stat; the name in parentheses may hold anything, also parentheses and spaces (proc(5)). */
export function parseStat(text: string): ProcessStat | undefined {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state = '', , , session] = fields;
  const startTicks = Number(fields[19]);
  return /^[A-Za-z]$/.test(state) && Number.isInteger(startTicks)
    ? { state, session: Number(session), startTicks }
    : undefined;
}

/** Undefined where there is no such process. */
export const readStat = (pid: number): Promise<ProcessStat | undefined> =>
  readFile(`/proc/${pid}/stat`, 'latin1').then(parseStat, () => undefined);

export const readBootId = async (): Promise<string> =>
  (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();

/** Whether what was started as `pid` runs still; a zombie does not. */
export async function isAlive(pid: number, startTicks: number): Promise<boolean> {
  const stat = await readStat(pid);
  return stat !== undefined && stat.startTicks === startTicks && stat.state !== 'Z' && stat.state !== 'X';
}

/** The processes of a session, zombies left out. */
export async function sessionMembers(session: number): Promise<readonly number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const stats = await Promise.all(pids.map(async (pid) => ({ pid, stat: await readStat(pid) })));
  return stats.filter(({ stat }) => stat?.session === session && stat.state !== 'Z').map(({ pid }) => pid);
}

/** Sends a signal; one that finds nobody has nothing to do. A negative pid is a process group. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
