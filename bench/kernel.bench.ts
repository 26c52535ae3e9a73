// What the kernel's own counters cost, beside node_exporter with the same collectors and no others, a scrape every 15 s; and
// what of it the daemon costs without any collector. JDOS_BENCH_COLLECTIONS and JDOS_BENCH_WARM_UP change how many.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { collectors } from '../src/probes/registry.ts';
import { freePort } from '../test/support/free-port.ts';
import { type Cost, treeCost } from './processes-cost.ts';

const COLLECTIONS = Number(process.env['JDOS_BENCH_COLLECTIONS'] ?? 20);
/** V8 still compiles what is hot, and everything is read for the first time. */
const WARM_UP = Number(process.env['JDOS_BENCH_WARM_UP'] ?? 12);
const PERIOD = 15;
const ROOT = join(import.meta.dirname, '..');

/** Under these names in both, but that `stat` here is `cpu` and `stat` there. */
const SAME = [
  ...['arp', 'bonding', 'conntrack', 'diskstats', 'entropy', 'filefd', 'loadavg', 'meminfo', 'netdev', 'netstat'],
  ...['pressure', 'schedstat', 'sockstat', 'softnet', 'stat', 'time', 'udp_queues', 'uname', 'vmstat'],
];

interface Subject {
  readonly name: string;
  readonly child: ChildProcess;
  readonly url: string;
}

const dir = mkdtempSync(join(tmpdir(), 'jdos-bench-'));
const QUIET = { stdio: ['ignore', 'ignore', 'ignore'] as ['ignore', 'ignore', 'ignore'] };

async function startDaemon(name: string, left: readonly string[]): Promise<Subject> {
  const port = await freePort();
  const config = join(dir, `${left.length}.yaml`);
  const disable = collectors.map((collector) => collector.name).filter((one) => !left.includes(one));
  writeFileSync(config, `probes: { disable: [${disable.join(', ')}] }\n`);
  const args = ['daemon', '--config', config, '--data-dir', join(dir, `data-${left.length}`), '--listen-tls', 'off'];
  return {
    name,
    child: spawn(join(ROOT, 'jdos'), [...args, '--listen', `127.0.0.1:${port}`], QUIET),
    url: `http://127.0.0.1:${port}/metrics/node`,
  };
}

async function startPeer(): Promise<Subject> {
  const port = await freePort();
  const args = ['--collector.disable-defaults', '--collector.stat.softirq', '--web.disable-exporter-metrics'];
  const wanted = ['cpu', ...SAME].map((name) => `--collector.${name}`);
  return {
    name: 'node_exporter',
    child: spawn('prometheus-node-exporter', [...args, ...wanted, `--web.listen-address=127.0.0.1:${port}`], QUIET),
    url: `http://127.0.0.1:${port}/metrics`,
  };
}

async function scrape(url: string): Promise<{ readonly ms: number; readonly samples: number }> {
  const began = performance.now();
  const text = await (await fetch(url, { headers: { 'accept-encoding': 'gzip' } })).text();
  const samples = text.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length;
  return { ms: performance.now() - began, samples };
}

/** CPU seconds of all collections so far, by the daemon's own account. */
async function collecting(url: string): Promise<number> {
  const text = await (await fetch(url.replace('/metrics/node', '/metrics'))).text();
  return [...text.matchAll(/^jdos_collector_cpu_seconds_total\{.*\} (\S+)$/gm)].reduce(
    (sum, [, cpu]) => sum + Number(cpu),
    0,
  );
}

const total = (rows: readonly Cost[]): number => rows.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
const ms = (seconds: number): string => `${(seconds * 1000).toFixed(1).padStart(6)} ms`;

const subjects = [
  await startPeer(),
  await startDaemon('jdos, these collectors', SAME),
  await startDaemon('jdos, no collector', []),
];
const [peer, ours, base] = subjects;
if (peer === undefined || ours === undefined || base === undefined) throw new Error('nobody to compare');
try {
  await sleep(10_000);
  for (let i = 0; i < WARM_UP; i += 1) {
    for (const { url } of subjects) await scrape(url);
    await sleep(PERIOD * 1000);
  }
  const costs = (): readonly (readonly Cost[])[] => subjects.map(({ child }) => treeCost(child.pid ?? 0));
  const slowest = subjects.map(() => 0);
  const samples = subjects.map(() => 0);
  const own = await collecting(ours.url);
  const before = costs();
  const began = performance.now();
  for (let i = 0; i < COLLECTIONS; i += 1) {
    for (const [at, { url }] of subjects.entries()) {
      const scraped = await scrape(url);
      slowest[at] = Math.max(slowest[at] ?? 0, scraped.ms);
      samples[at] = scraped.samples;
    }
    await sleep(Math.max(0, began + (i + 1) * PERIOD * 1000 - performance.now()));
  }
  const after = costs();
  const within = ((await collecting(ours.url)) - own) / COLLECTIONS;
  console.log(
    `CPU for each of ${COLLECTIONS} collections and scrapes, one every ${PERIOD} s, after ${WARM_UP} others:`,
  );
  const spent = subjects.map(({ name }, at) => {
    const rows = after[at] ?? [];
    const cpu = (total(rows) - total(before[at] ?? [])) / COLLECTIONS;
    const pss = rows.reduce((sum, { pssBytes }) => sum + pssBytes, 0) / 2 ** 20;
    console.log(
      `${name.padEnd(24)} ${ms(cpu)}, PSS ${pss.toFixed(0)} MiB, ${samples[at]} samples, slowest scrape ${slowest[at]?.toFixed(0)} ms`,
    );
    for (const row of rows.length > 1 ? rows : []) {
      const was = before[at]?.find(({ pid }) => pid === row.pid)?.cpuSeconds ?? 0;
      console.log(`  ${row.name.padEnd(22)} ${ms((row.cpuSeconds - was) / COLLECTIONS)}`);
    }
    return cpu;
  });
  const [theirs = Number.NaN, all = Number.NaN, without = Number.NaN] = spent;
  console.log(`reading and parsing alone: ${ms(within)}, ${(within / theirs).toFixed(2)} of node_exporter`);
  console.log(
    `what these collectors add to the daemon: ${ms(all - without)}, ${((all - without) / theirs).toFixed(2)} of node_exporter; ` +
      `at most its CPU: ${all - without <= theirs ? 'yes' : 'NO'}`,
  );
  console.log(
    `the whole daemon with them: ${(all / theirs).toFixed(2)} of node_exporter, ${(without / theirs).toFixed(2)} of it without any`,
  );
} finally {
  for (const { child } of subjects) child.kill('SIGTERM');
  await sleep(3000);
  rmSync(dir, { recursive: true, force: true });
}
