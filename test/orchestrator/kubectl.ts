// The real kubectl against a front door over HTTPS.
import { execFile, type ChildProcess, spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Test } from 'tap';
import type { Role } from '../../src/base/route.ts';
import { kubeconfig } from '../../src/cli/kubeconfig.ts';
import { kubectlPath } from '../support/kubectl.ts';
import type { ApiDoor } from './api-door.ts';

interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface Kubectl {
  (...args: readonly string[]): Promise<Said>;
  /** A file with a manifest. */
  readonly file: (name: string, manifest: object | string) => Promise<string>;
  /** Goes on until it ends, or the test does; `out` is what it has printed. */
  readonly follow: (...args: readonly string[]) => { readonly child: ChildProcess; readonly out: () => string };
}

/** kubectl with the token of a role, an empty home, and `variables` in its environment. */
export async function openKubectl(
  t: Test,
  { door, tokens }: ApiDoor,
  role: Role = 'admin',
  variables: Readonly<Record<string, string>> = {},
): Promise<Kubectl> {
  const config = join(door.dir, `kubeconfig-${role}`);
  const server = `https://127.0.0.1:${door.port('tls')}`;
  await writeFile(config, kubeconfig(server, door.door.authority() ?? '', tokens[role], 'test'));
  const env = { ...process.env, KUBECONFIG: config, HOME: door.dir, ...variables };
  const run = (...args: readonly string[]): Promise<Said> =>
    new Promise((resolve) => {
      execFile(kubectlPath(), args, { env, timeout: 60_000 }, (error, out, err) => {
        resolve({ code: error === null ? 0 : Number(error.code ?? -1), out, err });
      });
    });
  return Object.assign(run, {
    async file(name: string, manifest: object | string) {
      const path = join(door.dir, name);
      await writeFile(path, typeof manifest === 'string' ? manifest : JSON.stringify(manifest));
      return path;
    },
    follow(...args: readonly string[]) {
      const child = spawn(kubectlPath(), args, { env });
      let text = '';
      child.stdout.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      t.teardown(() => child.kill());
      return { child, out: () => text };
    },
  });
}
