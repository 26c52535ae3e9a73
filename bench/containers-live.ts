// What the whole daemon costs with many real containers: pods of the process runtime, then containers of Docker.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Test } from 'tap';
import { BUSYBOX, type Dockerd, startDockerd } from '../test/support/dockerd.ts';
import { treeCost } from './processes-cost.ts';

const PERIOD = 15;
const CYCLES = 8;
const ROOT = join(import.meta.dirname, '..');
const PODS = '/api/v1/namespaces/default/pods';
/** At once; more wait for each other in the engine. */
const SIDE_BY_SIDE = 8;

interface Daemon {
  readonly pid: number;
  ask(method: string, path: string, body?: object): Promise<string>;
}

function client(socketPath: string): Daemon['ask'] {
  const agent = new Agent({ keepAlive: true, maxSockets: SIDE_BY_SIDE });
  return (method, path, body) =>
    new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json' };
      const sent = request({ socketPath, agent, method, path, headers }, (reply) => {
        let text = '';
        reply.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        reply.on('end', () => resolve(text));
      });
      sent.on('error', reject).end(body === undefined ? undefined : JSON.stringify(body));
    });
}

const cpuSeconds = (pid: number): number => treeCost(pid).reduce((sum, one) => sum + one.cpuSeconds, 0);

/** CPU milliseconds of the daemon per period. */
async function cycleCost({ pid }: Daemon): Promise<number> {
  const before = cpuSeconds(pid);
  await sleep(CYCLES * PERIOD * 1000);
  return ((cpuSeconds(pid) - before) / CYCLES) * 1000;
}

/** Containers that have a name of their own, and their series. */
async function seen({ ask }: Daemon, named: RegExp): Promise<{ containers: number; series: number }> {
  const lines = (await ask('GET', '/metrics/cadvisor')).split('\n').filter((line) => named.test(line));
  return { containers: lines.filter((line) => line.startsWith('container_last_seen{')).length, series: lines.length };
}

async function report(daemon: Daemon, what: string, named: RegExp, count: number, idle: number): Promise<void> {
  for (let tries = 0; tries < 20 && (await seen(daemon, named)).containers < count; tries += 1)
    await sleep(PERIOD * 500);
  await sleep(4 * PERIOD * 1000);
  const busy = await cycleCost(daemon);
  const { containers, series } = await seen(daemon, named);
  console.log(
    `${what.padEnd(18)} ${containers} containers, ${(series / containers).toFixed(0)} series each; the daemon ${busy.toFixed(0)} ms CPU per ${PERIOD} s, ` +
      `${((busy - idle) / containers).toFixed(2)} ms per container more than idle (${idle.toFixed(0)} ms)`,
  );
}

async function pods(daemon: Daemon, count: number, idle: number): Promise<void> {
  const spec = {
    runtimeClassName: 'process',
    terminationGracePeriodSeconds: 1,
    containers: [{ name: 'main', command: ['sleep', '1000000'] }],
  };
  const names = Array.from({ length: count }, (_, i) => `bench-${i}`);
  for (const name of names) await daemon.ask('POST', PODS, { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec });
  await report(daemon, 'process runtime', /container="main",namespace="default",pod="bench-/, count, idle);
  for (const name of names) await daemon.ask('DELETE', `${PODS}/${name}`);
  await sleep(2 * PERIOD * 1000);
}

async function containersOf(engine: Dockerd, daemon: Daemon, count: number, idle: number): Promise<void> {
  const names = Array.from({ length: count }, (_, i) => `bench-${i}`);
  const start = async (name: string): Promise<void> => {
    await engine.api('POST', `/containers/create?name=${name}`, {
      Image: BUSYBOX,
      Cmd: ['sleep', '1000000'],
      HostConfig: { NetworkMode: 'none' },
    });
    await engine.api('POST', `/containers/${name}/start`);
  };
  for (let i = 0; i < count; i += SIDE_BY_SIDE) await Promise.all(names.slice(i, i + SIDE_BY_SIDE).map(start));
  await report(daemon, 'docker', /name="bench-\d+"/, count, idle);
}

/** Prints both; Docker only where the engine is installed. */
export async function measureLive(count: number): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'jdos-bench-'));
  const ends: (() => unknown)[] = [];
  const test = { teardown: (end: () => unknown) => ends.unshift(end) } as unknown as Test;
  const engine = existsSync('/usr/sbin/dockerd') ? await startDockerd(test) : undefined;
  const config = join(dir, 'jdos.yaml');
  writeFileSync(config, `docker: { socket: ${engine?.socket ?? '/nonexistent.sock'} }\n`);
  const listen = ['--listen', '127.0.0.1:0', '--listen-tls', 'off'];
  const child = spawn(join(ROOT, 'jdos'), ['daemon', '--config', config, '--data-dir', join(dir, 'data'), ...listen], {
    stdio: 'ignore',
  });
  const daemon: Daemon = { pid: child.pid ?? 0, ask: client(join(dir, 'data/run/jdos.sock')) };
  try {
    await sleep(10 * PERIOD * 1000);
    const idle = await cycleCost(daemon);
    await pods(daemon, count, idle);
    if (engine !== undefined) await containersOf(engine, daemon, count, idle);
  } finally {
    child.kill('SIGTERM');
    for (const end of ends) await end();
    await sleep(2000);
    rmSync(dir, { recursive: true, force: true });
  }
}
