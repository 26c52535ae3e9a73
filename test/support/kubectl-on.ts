// The real kubectl on a whole daemon, with the kubeconfig that `jdos kubeconfig` prints.
import { execFile, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import type { Pod } from '../../src/orchestrator/objects/pod.ts';
import { eventually, privateDirectory, type RunningDaemon } from './daemon.ts';
import { kubectlPath } from './kubectl.ts';

export interface Kubectl {
  /** What it printed; rejects with what it said. */
  (...args: readonly string[]): Promise<string>;
  pod(name: string): Promise<Pod | undefined>;
  /** Goes on until the test ends; gives what it has printed so far. */
  follow(...args: readonly string[]): () => string;
}

/** Resolves when the daemon's node is ready. */
export async function kubectlOn(t: Test, daemon: RunningDaemon): Promise<Kubectl> {
  const file = join(privateDirectory(t), 'kubeconfig');
  writeFileSync(file, (await daemon.cli('kubeconfig', '--address', daemon.tlsUrl())).out);
  const run = (...args: readonly string[]): Promise<string> =>
    new Promise((resolve, reject) => {
      execFile(kubectlPath(), ['--kubeconfig', file, ...args], { timeout: 30_000 }, (error, out, err) => {
        if (error === null) resolve(out);
        else reject(new Error(`kubectl ${args.join(' ')}: ${err}`));
      });
    });
  await eventually('the node is ready', async () => /\bReady\b/.exec(await run('get', 'nodes'))?.[0]);
  return Object.assign(run, {
    pod: (name: string) =>
      run('get', 'pod', name, '-o', 'json').then(
        (text) => JSON.parse(text) as Pod,
        () => undefined,
      ),
    follow(...args: readonly string[]) {
      const child = spawn(kubectlPath(), ['--kubeconfig', file, ...args], { stdio: ['ignore', 'pipe', 'ignore'] });
      let out = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
      t.teardown(() => void child.kill());
      return () => out;
    },
  });
}
