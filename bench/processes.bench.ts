// What watching many processes costs, beside process-exporter: 2,000 and 5,000 processes, each a group of its own, the same
// configuration file for both, a scrape every 15 s; then how long scrapes take, and a process with many open files.
// JDOS_BENCH_PROCESSES, JDOS_BENCH_COLLECTIONS and JDOS_BENCH_WARM_UP change how many.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../test/support/free-port.ts';
import { crowd, endCrowd } from './crowd.ts';
import { measureManyFds } from './many-fds.ts';
import { type Cost, processCount, treeCost } from './processes-cost.ts';
import { measureScrapes } from './scrape.ts';

const SIZES = (process.env['JDOS_BENCH_PROCESSES'] ?? '2000,5000')
  .split(',')
  .map(Number)
  .filter((size) => size > 0);
const COLLECTIONS = Number(process.env['JDOS_BENCH_COLLECTIONS'] ?? 10);
const PERIOD = 15;
/** The first collections read more: what is new, and what is sampled by turns; and V8 still compiles what is hot. */
const WARM_UP = Number(process.env['JDOS_BENCH_WARM_UP'] ?? 20);
const ROOT = join(import.meta.dirname, '..');

interface Subject {
  readonly name: string;
  readonly child: ChildProcess;
  readonly url: string;
}

async function scrape({
  url,
}: Subject): Promise<{ readonly ms: number; readonly samples: number; readonly groups: number }> {
  const began = performance.now();
  const text = await (await fetch(url)).text();
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return {
    ms: performance.now() - began,
    samples: lines.length,
    groups: lines.filter((line) => line.startsWith('namedprocess_namegroup_num_procs')).length,
  };
}

const total = (rows: readonly Cost[]): number => rows.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);

const QUIET = { stdio: ['ignore', 'ignore', 'ignore'] as ['ignore', 'ignore', 'ignore'] };

/** process-exporter's configuration, for both: every process in a group of its own name. */
function namesFile(dir: string): string {
  const file = join(dir, 'names.yaml');
  writeFileSync(file, 'process_names: [{ name: "{{.Comm}}", cmdline: [".+"] }]\n');
  return file;
}

function startDaemon(dir: string, port: number): ChildProcess {
  const config = join(dir, 'jdos.yaml');
  const names = namesFile(dir);
  writeFileSync(config, `probes: { processes: { maxGroups: 20000, namesFile: ${names} }, maxSeries: 200000 }\n`);
  const data = ['--config', config, '--data-dir', join(dir, 'data')];
  const listen = ['--listen', `127.0.0.1:${port}`, '--listen-tls', 'off'];
  return spawn(join(ROOT, 'jdos'), ['daemon', ...data, ...listen], QUIET);
}

async function compare(size: number): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'jdos-bench-'));
  const [jdosPort, peerPort] = await Promise.all([freePort(), freePort()]);
  const people = await crowd(dir, size);
  const subjects: readonly Subject[] = [
    {
      name: 'jdos',
      child: startDaemon(dir, jdosPort),
      url: `http://127.0.0.1:${jdosPort}/metrics/process`,
    },
    {
      name: 'process-exporter',
      child: spawn(
        'prometheus-process-exporter',
        ['-web.listen-address', `127.0.0.1:${peerPort}`, '-config.path', namesFile(dir), '-threads=false'],
        QUIET,
      ),
      url: `http://127.0.0.1:${peerPort}/metrics`,
    },
  ];
  try {
    for (let i = 0; i < WARM_UP; i += 1) {
      await sleep(PERIOD * 1000);
      for (const subject of subjects) await scrape(subject);
    }
    const costs = (): readonly (readonly Cost[])[] => subjects.map(({ child }) => treeCost(child.pid ?? 0));
    const before = costs();
    const scrapes = subjects.map((): { ms: number; samples: number; groups: number }[] => []);
    const began = performance.now();
    for (let i = 0; i < COLLECTIONS; i += 1) {
      for (const [at, subject] of subjects.entries()) scrapes[at]?.push(await scrape(subject));
      await sleep(Math.max(0, began + (i + 1) * PERIOD * 1000 - performance.now()));
    }
    const after = costs();
    console.log(`\n${processCount()} processes, ${COLLECTIONS} collections`);
    const spent = subjects.map(({ name }, at) => {
      const cpu = (total(after[at] ?? []) - total(before[at] ?? [])) / COLLECTIONS;
      const pss = (after[at] ?? []).reduce((sum, { pssBytes }) => sum + pssBytes, 0) / 2 ** 20;
      const last = scrapes[at]?.at(-1);
      const worst = Math.max(...(scrapes[at] ?? []).map(({ ms }) => ms));
      console.log(
        `${name.padEnd(18)} ${(cpu * 1000).toFixed(0).padStart(6)} ms CPU per collection, PSS ${pss.toFixed(0)} MiB, ${last?.groups} groups, ${last?.samples} samples, slowest scrape ${worst.toFixed(0)} ms`,
      );
      for (const row of (after[at] ?? []).length > 1 ? (after[at] ?? []) : []) {
        const was = before[at]?.find(({ pid }) => pid === row.pid)?.cpuSeconds ?? 0;
        console.log(
          `  ${row.name.padEnd(16)} ${(((row.cpuSeconds - was) / COLLECTIONS) * 1000).toFixed(0).padStart(6)} ms, PSS ${(row.pssBytes / 2 ** 20).toFixed(0)} MiB`,
        );
      }
      return cpu;
    });
    const ratio = (spent[0] ?? Number.NaN) / (spent[1] ?? Number.NaN);
    console.log(`jdos / process-exporter: ${ratio.toFixed(3)}; at most 1/4: ${ratio <= 0.25 ? 'yes' : 'NO'}`);
  } finally {
    for (const { child } of subjects) child.kill('SIGTERM');
    endCrowd(people);
    await sleep(2000);
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Processes that give about 50,000 series. */
const SCRAPED = 2150;

async function scrapes(): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'jdos-bench-'));
  const port = await freePort();
  const people = await crowd(dir, SCRAPED);
  const daemon = startDaemon(dir, port);
  try {
    await sleep(5 * PERIOD * 1000);
    await measureScrapes(`http://127.0.0.1:${port}`);
  } finally {
    daemon.kill('SIGTERM');
    endCrowd(people);
    await sleep(2000);
    rmSync(dir, { recursive: true, force: true });
  }
}

for (const size of SIZES) await compare(size);
await scrapes();
await measureManyFds();
