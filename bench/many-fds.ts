// What it takes to count the open files of a process that has many.
import { spawn } from 'node:child_process';
import { HostFiles } from '../src/probes/host-files.ts';

const FILES = 10_000;
const ROUNDS = 200;

const OPENER = `
  const { openSync } = require('node:fs');
  for (let i = 0; i < ${FILES}; i += 1) openSync('/dev/null');
  console.log('open');
  setInterval(() => {}, 1e6);
`;

/** Prints the median time of a count. */
export async function measureManyFds(): Promise<void> {
  const child = spawn(process.execPath, ['-e', OPENER], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    await new Promise((resolve) => child.stdout.once('data', resolve));
    const host = new HostFiles('/');
    const times: number[] = [];
    let fds = 0;
    for (let i = 0; i < ROUNDS; i += 1) {
      const began = performance.now();
      fds = host.size(`/proc/${child.pid}/fd`);
      times.push(performance.now() - began);
    }
    const median = times.toSorted((a, b) => a - b)[ROUNDS / 2] ?? Number.NaN;
    console.log(
      `\none process with ${fds} open files: counted in ${(median * 1000).toFixed(1)} µs; at most 200: ${median <= 0.2 ? 'yes' : 'NO'}`,
    );
  } finally {
    child.kill('SIGKILL');
  }
}
