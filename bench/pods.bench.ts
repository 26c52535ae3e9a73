// How long a pod takes: from its creation to the first sight of Running, one after another and many at once, and by kubectl as an
// operator does it; on both runtimes, beside `docker run` on the same engine. JDOS_BENCH_PODS changes how many.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Test } from 'tap';
import { findKubectl } from '../test/support/kubectl.ts';
import { BUSYBOX, PAUSE, startDockerd } from '../test/support/dockerd.ts';

const PODS = Number(process.env['JDOS_BENCH_PODS'] ?? 20);
const BY_KUBECTL = 5;
const KUBECTL = findKubectl();
const DOCKER = '/usr/bin/docker';
const PROMISED_MS = 2000;
const ROOT = join(import.meta.dirname, '..');

const dir = mkdtempSync(join(tmpdir(), 'jdos-bench-'));
const ends: (() => unknown)[] = [];
const test = { teardown: (end: () => unknown) => ends.unshift(end) } as unknown as Test;
const engine = existsSync(DOCKER) && existsSync('/usr/sbin/dockerd') ? await startDockerd(test) : undefined;
const config = join(dir, 'jdos.yaml');
writeFileSync(config, `docker: { socket: ${engine?.socket ?? '/nonexistent.sock'}, pauseImage: '${PAUSE}' }\n`);
const daemon = spawn(
  join(ROOT, 'jdos'),
  [
    'daemon',
    '--config',
    config,
    '--data-dir',
    join(dir, 'data'),
    '--listen',
    '127.0.0.1:0',
    '--listen-tls',
    '127.0.0.1:0',
  ],
  { stdio: ['ignore', 'pipe', 'ignore'] },
);
let said = '';
daemon.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
const agent = new Agent({ keepAlive: true });

const ask = (
  method: string,
  path: string,
  body?: object,
): Promise<{ readonly status: number; readonly text: string }> =>
  new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json' };
    const sent = request({ socketPath: join(dir, 'data/run/jdos.sock'), agent, method, path, headers }, (reply) => {
      let text = '';
      reply.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      reply.on('end', () => resolve({ status: reply.statusCode ?? 0, text }));
    });
    sent.on('error', reject).end(body === undefined ? undefined : JSON.stringify(body));
  });

const PATH = '/api/v1/namespaces/default/pods';
type Runtime = 'process' | 'docker';
const podOf = (name: string, runtime: Runtime): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: {
    runtimeClassName: runtime,
    terminationGracePeriodSeconds: 1,
    containers: [{ name: 'main', ...(runtime === 'docker' ? { image: BUSYBOX } : {}), command: ['sleep', '1000000'] }],
  },
});

/** When each pod was first seen running, by one watch over all. */
const runningAt = new Map<string, number>();
function watch(): void {
  request({ socketPath: join(dir, 'data/run/jdos.sock'), path: `${PATH}?watch=true` }, (reply) => {
    let rest = '';
    reply.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const { object } = JSON.parse(line) as { object: { metadata: { name: string }; status: { phase?: string } } };
        const { name } = object.metadata;
        if (object.status.phase === 'Running' && !runningAt.has(name)) runningAt.set(name, performance.now());
      }
    });
  }).end();
}
const running = async (name: string): Promise<number> => {
  for (;;) {
    const at = runningAt.get(name);
    if (at !== undefined) return at;
    await sleep(1);
  }
};
async function create(name: string, runtime: Runtime): Promise<number> {
  const began = performance.now();
  const { status, text } = await ask('POST', PATH, podOf(name, runtime));
  if (status !== 201) throw new Error(`${name} was not created: ${status} ${text}`);
  return (await running(name)) - began;
}
const quantile = (values: readonly number[], q: number): string =>
  `${(values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))] ?? Number.NaN).toFixed(0)} ms`;
const line = (what: string, values: readonly number[]): void =>
  console.log(`${what.padEnd(34)} p50 ${quantile(values, 0.5).padStart(8)}  max ${quantile(values, 1).padStart(8)}`);

try {
  for (const end = Date.now() + 30_000; Date.now() < end && !/listens +https/.test(said);) await sleep(50);
  for (;;) {
    const { text } = await ask('GET', `/api/v1/nodes/${hostname().toLowerCase()}`);
    if (/"type":"Ready","status":"True"/.test(text)) break;
    await sleep(100);
  }
  watch();
  const measure = async (runtime: Runtime): Promise<readonly number[]> => {
    console.log(`\n${runtime} runtime: ${PODS} pods one after another, then ${PODS} at once`);
    const single: number[] = [];
    for (let i = 0; i < PODS; i += 1) single.push(await create(`single-${runtime}-${i}`, runtime));
    line('created → Running, alone', single);
    const many = await Promise.all(single.map((_, i) => create(`many-${runtime}-${i}`, runtime)));
    line('created → Running, all at once', many);
    return single;
  };
  await measure('process');
  if (KUBECTL !== undefined) {
    const kubeconfig = join(dir, 'kubeconfig');
    const address = /listens +(https:\S+)/.exec(said)?.[1] ?? '';
    const args = ['kubeconfig', '--data-dir', join(dir, 'data'), '--address', address];
    writeFileSync(kubeconfig, execFileSync(join(ROOT, 'jdos'), args));
    const applied: number[] = [];
    for (let i = 0; i < BY_KUBECTL; i += 1) {
      const name = `applied-${i}`;
      const began = performance.now();
      const input = JSON.stringify(podOf(name, 'process'));
      execFileSync(KUBECTL, ['--kubeconfig', kubeconfig, 'apply', '-f', '-'], { input });
      applied.push((await running(name)) - began);
    }
    line('kubectl apply, from its start', applied);
    console.log(
      `Running within ${PROMISED_MS} ms of kubectl apply: ${Math.max(...applied) < PROMISED_MS ? 'yes' : 'NO'}`,
    );
  }
  if (engine === undefined) console.log('\nno Docker here: apt-get install --no-install-recommends docker.io');
  else {
    const pods = await measure('docker');
    const runs: number[] = [];
    for (let i = 0; i < PODS; i += 1) {
      const began = performance.now();
      const args = ['-H', `unix://${engine.socket}`, 'run', '-d', '--network', 'none', BUSYBOX, 'sleep', '1000000'];
      execFileSync(DOCKER, args);
      runs.push(performance.now() - began);
    }
    line('docker run -d, alone', runs);
    const median = (values: readonly number[]): number =>
      values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
    console.log(`a pod (two containers) / docker run (one): ${(median(pods) / median(runs)).toFixed(2)}`);
  }
} finally {
  await ask('DELETE', PATH).catch(() => undefined);
  for (let i = 0; i < 300 && /"items":\[\{/.test((await ask('GET', PATH)).text); i += 1) await sleep(100);
  daemon.kill('SIGTERM');
  await new Promise((resolve) => daemon.once('exit', resolve));
  for (const end of ends) await end();
  rmSync(dir, { recursive: true, force: true });
  process.exit();
}
