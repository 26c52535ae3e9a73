// How long a scrape takes to its last byte, and for how long the front door answers nobody else meanwhile.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

const SCRAPES = 200;
/** Between two scrapes, so that the daemon also collects and is handed what it collected. */
const PAUSE_MS = 100;

interface Answer {
  readonly ms: number;
  readonly bytes: number;
}

const agents = new Map<string, Agent>();

/** One request, on a connection that is kept. Milliseconds from the first byte sent to the last received. */
function ask(url: string, encoding: string): Promise<Answer> {
  let agent = agents.get(`${url} ${encoding}`);
  if (agent === undefined) agents.set(`${url} ${encoding}`, (agent = new Agent({ keepAlive: true, maxSockets: 1 })));
  return new Promise((resolve, reject) => {
    const began = performance.now();
    get(url, { agent, headers: { 'accept-encoding': encoding } }, (response) => {
      let bytes = 0;
      response.on('data', (chunk: Buffer) => (bytes += chunk.length));
      response.on('end', () => resolve({ ms: performance.now() - began, bytes }));
      response.on('error', reject);
    }).on('error', reject);
  });
}

const quantile = (values: readonly number[], q: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))] ?? Number.NaN;

/** Asks whether the daemon lives, again and again, until told to stop; gives how long each answer took. */
function heartbeat(origin: string): () => Promise<readonly number[]> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'heartbeat.ts'), `${origin}/livez`], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  return async () => {
    child.stdin.end();
    await once(child, 'close');
    return JSON.parse(text) as number[];
  };
}

async function measure(origin: string, encoding: string, series: number): Promise<void> {
  const url = `${origin}/metrics`;
  for (let i = 0; i < 20; i += 1) await ask(url, encoding);
  const stop = heartbeat(origin);
  const answers: Answer[] = [];
  for (let i = 0; i < SCRAPES; i += 1) {
    answers.push(await ask(url, encoding));
    await sleep(PAUSE_MS);
  }
  const beats = await stop();
  const times = answers.map(({ ms }) => ms);
  const text = (value: number): string => value.toFixed(1).padStart(6);
  console.log(
    `scrape of ${series} series, ${encoding === 'gzip' ? 'gzip ' : 'plain'}  p50 ${text(quantile(times, 0.5))} ms, p99 ${text(quantile(times, 0.99))} ms, ${((answers[0]?.bytes ?? 0) / 1e6).toFixed(2)} MB; ` +
      `/livez meanwhile p50 ${text(quantile(beats, 0.5))}, p99 ${text(quantile(beats, 0.99))}, longest ${text(Math.max(...beats))} ms of ${beats.length}`,
  );
}

/** Prints the times of scrapes of everything that a daemon exposes, plain and gzip. */
export async function measureScrapes(origin: string): Promise<void> {
  const text = await (await fetch(`${origin}/metrics`)).text();
  const series = text.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length;
  console.log('');
  for (const encoding of ['identity', 'gzip']) await measure(origin, encoding, series);
  for (const agent of agents.values()) agent.destroy();
}
