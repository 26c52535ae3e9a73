// What processes cost, seen from outside: CPU time and proportional memory of a process and all its descendants.
import { readdirSync, readFileSync } from 'node:fs';

export interface Cost {
  readonly pid: number;
  readonly name: string;
  readonly cpuSeconds: number;
  readonly pssBytes: number;
}

const USER_HZ = 100;

interface Stat {
  readonly parent: number;
  readonly name: string;
  /** Own time and that of reaped children, so that short-lived helpers count too. */
  readonly cpuSeconds: number;
}

function stat(pid: number): Stat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const ticks = [11, 12, 13, 14].reduce((sum, i) => sum + Number(fields[i]), 0);
    return {
      parent: Number(fields[1]),
      name: text.slice(text.indexOf('(') + 1, text.lastIndexOf(')')),
      cpuSeconds: ticks / USER_HZ,
    };
  } catch {
    return undefined;
  }
}

const pss = (pid: number): number => {
  const [, kilobytes] = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
};

/** One row per living process of the tree. */
export function treeCost(root: number): readonly Cost[] {
  const all = new Map<number, Stat>();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    const about = Number.isInteger(pid) ? stat(pid) : undefined;
    if (about !== undefined) all.set(pid, about);
  }
  const below = (pid: number): boolean => {
    for (let at: number | undefined = pid; at !== undefined && at > 1; at = all.get(at)?.parent)
      if (at === root) return true;
    return false;
  };
  return [...all]
    .filter(([pid]) => below(pid))
    .map(([pid, { name, cpuSeconds }]) => ({ pid, name, cpuSeconds, pssBytes: pss(pid) }));
}

export const processCount = (): number => readdirSync('/proc').filter((name) => /^\d+$/.test(name)).length;
