// Processes that do nothing, each of another name.
import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, linkSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Starts `size` of them; ended by {@link endCrowd}. */
export async function crowd(dir: string, size: number): Promise<ChildProcess> {
  const programs = join(dir, `crowd-${size}`);
  mkdirSync(programs);
  copyFileSync('/bin/sleep', join(programs, 'sleep'));
  const names = Array.from({ length: size }, (_, i) => `w${String(i).padStart(5, '0')}`);
  for (const name of names) linkSync(join(programs, 'sleep'), join(programs, name));
  const script = join(programs, 'start.sh');
  writeFileSync(script, `cd ${programs}\n${names.map((name) => `./${name} 1000000 &\n`).join('')}echo ready\nwait\n`);
  const child = spawn('sh', [script], { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  return child;
}

export function endCrowd({ pid }: ChildProcess): void {
  if (pid !== undefined) process.kill(-pid, 'SIGKILL');
}
