// What the daemon costs when nothing happens, beside node_exporter and process-exporter: CPU and PSS per process over
// five minutes with a scrape every 15 s. JDOS_BENCH_SECONDS shortens it.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../test/support/free-port.ts';
import { type Cost, processCount, treeCost } from './processes-cost.ts';

const SECONDS = Number(process.env['JDOS_BENCH_SECONDS'] ?? 300);
const SCRAPE_EVERY = 15;
const WARM_UP = 60;
const ROOT = join(import.meta.dirname, '..');

interface Subject {
  readonly name: string;
  readonly child: ChildProcess;
  readonly url: string;
  /** What it logged, for when it fails. */
  readonly log: () => string;
}

const dir = mkdtempSync(join(tmpdir(), 'jdos-bench-'));
// Every process, grouped by its comm: what jdos does unless told otherwise.
writeFileSync(join(dir, 'names.yaml'), 'process_names: [{ name: "{{.Comm}}", cmdline: [".+"] }]\n');
const [jdosPort, nodePort, processPort] = await Promise.all([freePort(), freePort(), freePort()]);
const start = (name: string, command: string, args: readonly string[], port: number): Subject => {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
  return { name, child, url: `http://127.0.0.1:${port}/metrics`, log: () => log };
};
const NODE_COLLECTORS = [
  'cpu',
  'stat',
  'loadavg',
  'meminfo',
  'filesystem',
  'netdev',
  'diskstats',
  'filefd',
  'vmstat',
  'pressure',
  'uname',
  'time',
  'timex',
  'os',
  'dmi',
];
const subjects = [
  start(
    'jdos',
    join(ROOT, 'jdos'),
    ['daemon', '--data-dir', dir, '--listen', `127.0.0.1:${jdosPort}`, '--listen-tls', 'off'],
    jdosPort,
  ),
  start(
    'node_exporter',
    'prometheus-node-exporter',
    [
      `--web.listen-address=127.0.0.1:${nodePort}`,
      '--collector.disable-defaults',
      ...NODE_COLLECTORS.map((name) => `--collector.${name}`),
    ],
    nodePort,
  ),
  start(
    'process-exporter',
    'prometheus-process-exporter',
    ['-web.listen-address', `127.0.0.1:${processPort}`, '-config.path', join(dir, 'names.yaml'), '-threads=false'],
    processPort,
  ),
];

/** One scrape: milliseconds to the last byte, and the number of samples. */
async function scrape({ name, url, log }: Subject): Promise<{ ms: number; samples: number }> {
  const began = performance.now();
  const text = await fetch(url, { headers: { 'accept-encoding': 'gzip' } }).then(
    (reply) => reply.text(),
    (cause: unknown) => {
      throw new Error(`${name} did not answer; it logged:\n${log()}`, { cause });
    },
  );
  return {
    ms: performance.now() - began,
    samples: text.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length,
  };
}

const costs = (): Map<string, readonly Cost[]> =>
  new Map(subjects.map(({ name, child }) => [name, treeCost(child.pid ?? 0)]));
const total = (rows: readonly Cost[]): number => rows.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);

try {
  console.log(
    `idle: ${processCount()} processes on this host, scrape every ${SCRAPE_EVERY} s, ${SECONDS} s after ${WARM_UP} s of warm-up`,
  );
  for (let waited = 0; waited < WARM_UP; waited += SCRAPE_EVERY) {
    await sleep(SCRAPE_EVERY * 1000);
    await Promise.all(subjects.map(scrape));
  }
  const before = costs();
  const began = performance.now();
  const last = new Map<string, { ms: number; samples: number }>();
  while (performance.now() - began < SECONDS * 1000) {
    for (const subject of subjects) last.set(subject.name, await scrape(subject));
    await sleep(SCRAPE_EVERY * 1000);
  }
  const seconds = (performance.now() - began) / 1000;
  const after = costs();
  const percent = (cpu: number): string => `${((cpu / seconds) * 100).toFixed(2)} %`;
  const mib = (value: number): string => `${(value / 1048576).toFixed(1)} MiB`;
  const spent = new Map<string, number>();
  for (const { name } of subjects) {
    const rows = after.get(name) ?? [];
    const cpu = total(rows) - total(before.get(name) ?? []);
    spent.set(name, cpu);
    const { ms, samples } = last.get(name) ?? { ms: Number.NaN, samples: 0 };
    const pss = rows.reduce((sum, row) => sum + row.pssBytes, 0);
    console.log(
      `${name.padEnd(18)} CPU ${percent(cpu).padStart(8)}  PSS ${mib(pss).padStart(10)}  ${String(samples).padStart(5)} samples, scrape ${ms.toFixed(1)} ms`,
    );
    for (const row of rows.length > 1 ? rows : []) {
      const was = (before.get(name) ?? []).find(({ pid }) => pid === row.pid)?.cpuSeconds ?? 0;
      console.log(
        `  pid ${String(row.pid).padEnd(13)} CPU ${percent(row.cpuSeconds - was).padStart(8)}  PSS ${mib(row.pssBytes).padStart(10)}  ${row.name}`,
      );
    }
  }
  const peers = (spent.get('node_exporter') ?? 0) + (spent.get('process-exporter') ?? 0);
  const own = spent.get('jdos') ?? 0;
  console.log(`jdos / (node_exporter + process-exporter): ${(own / peers).toFixed(2)} of the CPU`);
  console.log(`CPU below 1 % of a core: ${own / seconds < 0.01 ? 'yes' : 'NO'}`);
} finally {
  for (const { child } of subjects) child.kill('SIGTERM');
  await sleep(3000);
  rmSync(dir, { recursive: true, force: true });
}
