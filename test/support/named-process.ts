// A process with a name of the test's choosing, as prctl(PR_SET_NAME) gives it: any bytes but NUL.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Test } from 'tap';
import { eventually } from './daemon.ts';

/** Names that break careless readers of /proc/PID/stat and careless writers of labels, as their bytes. */
export const HARD_NAMES: readonly Buffer[] = [
  Buffer.from(') S 1 (a b'),
  Buffer.from('a\nb c="d"} 7\n#'),
  Buffer.from('back\\slash"n'),
  Buffer.from([0xff, 0xfe, 0x28, 0xe4, 0xb8, 0xad, 0xc3]),
];

/** Runs until the test ends. Resolves with its pid once the kernel shows the name. */
export async function startNamed(t: Test, name: Buffer): Promise<number> {
  const octal = [...name].map((byte) => `\\0${byte.toString(8).padStart(3, '0')}`).join('');
  const child = spawn('sh', ['-c', 'printf %b "$1" >/proc/self/comm; read -r _', 'sh', octal], {
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  t.teardown(async () => {
    child.stdin.end();
    await exited;
  });
  const pid = child.pid ?? 0;
  await eventually(`a process named ${JSON.stringify(name.toString('latin1'))}`, () =>
    readFileSync(`/proc/${pid}/comm`).subarray(0, -1).equals(name) ? true : undefined,
  );
  return pid;
}
