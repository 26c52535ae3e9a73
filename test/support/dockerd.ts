// A private Docker Engine for tests: its own data, its own socket, no network of its own, and two images made of busybox.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  copyFileSync,
  writeFileSync,
} from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { eventually } from './daemon.ts';

/** Has a shell and the usual small tools. */
export const BUSYBOX = 'busybox:1';
/** Sleeps for ever, and ends at TERM. */
export const PAUSE = 'jdos/pause:1';

export interface Dockerd {
  readonly socket: string;
  readonly pid: number;
  /** JSON from the engine's own API. */
  api(method: string, path: string, body?: object): Promise<{ readonly status: number; readonly body: unknown }>;
  /** Runs it again after it was killed. */
  start(): Promise<void>;
  /** SIGKILL, as a crash; resolves when it is gone. */
  kill(): Promise<void>;
  log(): string;
}

const TOOLS = [
  'sh',
  'sleep',
  'cat',
  'echo',
  'id',
  'ls',
  'true',
  'env',
  'kill',
  'touch',
  'stat',
  'hostname',
  'yes',
  'mount',
];

/**
 * Starts one, and a containerd for it, as distributions run them; both are stopped after the test with everything that ran in
 * them. `liveRestore`: containers outlive the engine.
 */
export async function startDockerd(t: Test, { liveRestore = false } = {}): Promise<Dockerd> {
  const dir = mkdtempSync(join(tmpdir(), 'jdd-'));
  const socket = join(dir, 'docker.sock');
  const containerd = startContainerd(dir);
  let output = '';
  let child: ChildProcess | undefined;
  let exited: Promise<unknown> = Promise.resolve();

  const dockerd: Dockerd = {
    socket,
    get pid() {
      return child?.pid ?? 0;
    },
    api: (method, path, body) => send(socket, method, path, body),
    async start() {
      const dirs = [
        `--data-root=${join(dir, 'data')}`,
        `--exec-root=${join(dir, 'exec')}`,
        `--pidfile=${join(dir, 'pid')}`,
      ];
      const alone = ['--bridge=none', '--iptables=false', '--ip6tables=false', '--ip-forward=false', '--ip-masq=false'];
      const own = ['--storage-driver=vfs', `--containerd=${containerd.socket}`, `--host=unix://${socket}`];
      const args = [...dirs, ...alone, ...own];
      const started = spawn('/usr/sbin/dockerd', liveRestore ? [...args, '--live-restore'] : args, {
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      child = started;
      exited = new Promise((resolve) => started.once('exit', resolve));
      for (const stream of [started.stdout, started.stderr])
        stream.on('data', (chunk: Buffer) => (output = `${output}${chunk.toString()}`.slice(-20_000)));
      await eventually('dockerd answers', async () => {
        if (started.exitCode !== null) throw new Error(output);
        return (await dockerd.api('GET', '/_ping')).status === 200 || undefined;
      });
    },
    async kill() {
      child?.kill('SIGKILL');
      await exited;
    },
    log: () => output,
  };

  t.teardown(async () => {
    const runs = child !== undefined && child.exitCode === null && child.signalCode === null;
    if (runs) {
      child?.kill('SIGCONT');
      await removeAll(dockerd).catch(() => undefined);
      child?.kill('SIGTERM');
      const late = setTimeout(() => child?.kill('SIGKILL'), 10_000);
      await exited;
      clearTimeout(late);
    }
    await containerd.stop();
    killBelow(dir);
    unmountBelow(dir);
    rmSync(dir, { recursive: true, force: true });
  });
  await dockerd.start();
  await makeImages(socket);
  return dockerd;
}

function startContainerd(dir: string): { readonly socket: string; readonly stop: () => Promise<unknown> } {
  const socket = join(dir, 'containerd.sock');
  const places = [`--root=${join(dir, 'containerd')}`, `--state=${join(dir, 'run')}`, `--address=${socket}`];
  const config = join(dir, 'containerd.toml');
  writeFileSync(config, 'version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n');
  const child = spawn('/usr/bin/containerd', [...places, `--config=${config}`], { stdio: 'ignore' });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  return {
    socket,
    stop() {
      child.kill('SIGTERM');
      return exited;
    },
  };
}

async function removeAll(dockerd: Dockerd): Promise<void> {
  const { body } = await dockerd.api('GET', '/containers/json?all=1');
  const ids = (body as { Id: string }[]).map(({ Id }) => Id);
  await Promise.all(ids.map((id) => dockerd.api('DELETE', `/containers/${id}?force=1&v=1`)));
}

/** A root file system with busybox in it, as a tar. */
export function busyboxTar(): Buffer {
  const root = mkdtempSync(join(tmpdir(), 'jd-'));
  try {
    // It becomes the root directory, which every user may enter.
    chmodSync(root, 0o755);
    mkdirSync(join(root, 'bin'));
    mkdirSync(join(root, 'tmp'), { mode: 0o777 });
    copyFileSync('/usr/bin/busybox', join(root, 'bin', 'busybox'));
    for (const tool of TOOLS) symlinkSync('busybox', join(root, 'bin', tool));
    return execFileSync('tar', ['-C', root, '-c', '.'], { maxBuffer: 64 * 1024 * 1024 });
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

async function makeImages(socket: string): Promise<void> {
  const tar = busyboxTar();
  const wait = 'trap "exit 0" TERM; while :; do sleep 1000 & wait $!; done';
  const changes = [`ENTRYPOINT ${JSON.stringify(['/bin/sh', '-c', wait])}`];
  for (const [image, change] of [
    [BUSYBOX, []],
    [PAUSE, changes],
  ] as const) {
    const [repo = '', tag = ''] = image.split(':');
    const query = new URLSearchParams({ fromSrc: '-', repo, tag });
    for (const one of change) query.append('changes', one);
    const { status, body } = await send(socket, 'POST', `/images/create?${query.toString()}`, tar);
    if (status !== 200) throw new Error(`import of ${image}: ${JSON.stringify(body)}`);
  }
}

function send(
  socketPath: string,
  method: string,
  path: string,
  body?: object,
): Promise<{ readonly status: number; readonly body: unknown }> {
  return new Promise((resolve, reject) => {
    const isRaw = Buffer.isBuffer(body);
    const headers = body === undefined ? {} : { 'content-type': isRaw ? 'application/x-tar' : 'application/json' };
    const sent = request({ socketPath, method, path, headers, agent: false, timeout: 30_000 }, (reply) => {
      let text = '';
      reply.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      reply.on('end', () => resolve({ status: reply.statusCode ?? 0, body: parsed(text) }));
    });
    sent.on('timeout', () => sent.destroy(new Error(`${path} did not answer`)));
    sent.on('error', reject).end(body === undefined ? undefined : isRaw ? body : JSON.stringify(body));
  });
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
};

const commandLine = (pid: number): readonly string[] => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
};
const pids = (): readonly number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);

/** Shims that outlived a killed engine, with the containers that are their children. */
function killBelow(dir: string): void {
  for (const pid of pids().filter((one) => commandLine(one).some((word) => word.startsWith(`${dir}/`)))) {
    for (const victim of [...childrenOf(pid), pid]) {
      try {
        process.kill(victim, 'SIGKILL');
      } catch {
        // it has ended by itself
      }
    }
  }
}

const childrenOf = (pid: number): readonly number[] => {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
};

function unmountBelow(dir: string): void {
  const mounts = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((path) => path.startsWith(`${dir}/`));
  for (const path of mounts.toReversed()) execFileSync('umount', ['-l', path], { stdio: 'ignore' });
}
