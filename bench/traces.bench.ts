// OTLP over HTTP end to end: gzip requests from one client to a whole daemon, spans per second until each is on disk and
// acknowledged, bytes per span after packing, and the time of a look-up by id. JDOS_BENCH_SPANS changes the number of spans.
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { treeCost } from './processes-cost.ts';
import { spanBatch } from './span-batch.ts';

const SPANS = Number(process.env['JDOS_BENCH_SPANS'] ?? 400_000);
const BATCH = 512;
const CONNECTIONS = 8;
const LOOKUPS = 1000;
const TARGET_SPANS_PER_SECOND = 30_000;
const ROOT = join(import.meta.dirname, '..');

const dir = mkdtempSync(join(tmpdir(), 'jdos-bench-'));
const daemon = spawn(
  join(ROOT, 'jdos'),
  ['daemon', '--data-dir', dir, '--listen', '127.0.0.1:0', '--listen-tls', 'off'],
  { stdio: ['ignore', 'pipe', 'ignore'] },
);
let said = '';
daemon.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });

interface Answer {
  readonly status: number;
  readonly ms: number;
}

function send(method: string, path: string, headers: Record<string, string>, body?: Buffer): Promise<Answer> {
  const port = Number(/http:\/\/127\.0\.0\.1:(\d+)/.exec(said)?.[1]);
  const began = performance.now();
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, agent, method, path, headers }, (reply) => {
      reply.resume().on('end', () => resolve({ status: reply.statusCode ?? 0, ms: performance.now() - began }));
    });
    sent.on('error', reject).end(body);
  });
}

const percentile = (values: readonly number[], at: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * at))] ?? Number.NaN;

try {
  console.log(
    `traces: ${SPANS} spans in batches of ${BATCH}, gzip, ${CONNECTIONS} connections, client on the same cores`,
  );
  const traceIds: string[] = [];
  const batches: Buffer[] = [];
  let rawBytes = 0;
  for (let made = 0; made < SPANS; made += BATCH) {
    const batch = spanBatch(made, BATCH);
    traceIds.push(...batch.traceIds);
    rawBytes += batch.bytes.length;
    batches.push(gzipSync(batch.bytes, { level: 1 }));
  }
  while (!said.includes('first report')) await sleep(100);
  await sleep(1000);
  const token = readFileSync(join(dir, 'admin.token'), 'utf8').trim();
  const headers = { 'content-type': 'application/x-protobuf', 'content-encoding': 'gzip' };
  const cpuBefore = treeCost(daemon.pid ?? 0).reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
  const posts: number[] = [];
  let again = 0;
  let at = 0;
  const began = performance.now();
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      for (let batch = batches[at++]; batch !== undefined; batch = batches[at++]) {
        for (;;) {
          const { status, ms } = await send('POST', '/v1/traces', headers, batch);
          if (status === 200) {
            posts.push(ms);
            break;
          }
          if (status !== 503) throw new Error(`the daemon answered ${status}`);
          again += 1;
          await sleep(1000);
        }
      }
    }),
  );
  const seconds = (performance.now() - began) / 1000;
  const cpu = treeCost(daemon.pid ?? 0).reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0) - cpuBefore;
  const rss = treeCost(daemon.pid ?? 0).reduce((sum, { pssBytes }) => sum + pssBytes, 0);
  const authorization = { authorization: `Bearer ${token}` };
  const traces = join(dir, 'state', 'traces');
  const pick = (i: number): string => traceIds[(i * 7919) % traceIds.length] ?? '';
  const lookUp = async (): Promise<number[]> => {
    const times: number[] = [];
    for (let i = 0; i < LOOKUPS; i += 1) {
      const { status, ms } = await send('GET', `/jdos/v1/traces/${pick(i)}`, authorization);
      if (status !== 200) throw new Error(`an acknowledged trace is not found: ${status}`);
      times.push(ms);
    }
    return times;
  };
  const fresh = await lookUp();
  while (readdirSync(traces).some((name) => name.endsWith('.segment'))) await sleep(500);
  const packed = await lookUp();
  const search: number[] = [];
  for (let i = 0; i < 100; i += 1)
    search.push((await send('GET', `/jdos/v1/traces?service=service-${i % 10}&limit=20`, authorization)).ms);
  const disk = readdirSync(traces).reduce((sum, name) => sum + statSync(join(traces, name)).size, 0);
  const rate = (posts.length * (SPANS / batches.length)) / seconds;
  const rows: readonly (readonly [string, string])[] = [
    [
      'spans/s acknowledged',
      `${Math.round(rate)} (target ${TARGET_SPANS_PER_SECOND}: ${rate >= TARGET_SPANS_PER_SECOND ? 'met' : 'MISSED'})`,
    ],
    ['raw OTLP bytes/span', (rawBytes / SPANS).toFixed(0)],
    ['bytes/span on disk', `${(disk / SPANS).toFixed(1)} (target 120)`],
    ['POST p50 / p99', `${percentile(posts, 0.5).toFixed(1)} / ${percentile(posts, 0.99).toFixed(1)} ms`],
    ['told to come again (503)', String(again)],
    ['daemon CPU', `${cpu.toFixed(1)} s in ${seconds.toFixed(1)} s, all processes`],
    ['daemon memory after (PSS)', `${(rss / 1048576).toFixed(0)} MiB, all processes`],
    ['by id, fresh, p50 / p99', `${percentile(fresh, 0.5).toFixed(2)} / ${percentile(fresh, 0.99).toFixed(2)} ms`],
    [
      'by id, packed, p50 / p99',
      `${percentile(packed, 0.5).toFixed(2)} / ${percentile(packed, 0.99).toFixed(2)} ms (target p99 10)`,
    ],
    [
      'newest 20 of a service, p50 / p99',
      `${percentile(search, 0.5).toFixed(2)} / ${percentile(search, 0.99).toFixed(2)} ms (target 20)`,
    ],
  ];
  for (const [name, value] of rows) console.log(`${name.padEnd(34)} ${value}`);
  console.log(
    'No peer runs here. Published or measured elsewhere: row-per-span SQLite 27-34 k spans/s at 493-537 B/span;',
  );
  console.log(
    'Jaeger on ClickHouse 75.7 B/span and 101 ms by id; an OpenTelemetry collector about 12-15 k spans/s per core.',
  );
} finally {
  agent.destroy();
  daemon.kill('SIGTERM');
  await sleep(2000);
  rmSync(dir, { recursive: true, force: true });
}
