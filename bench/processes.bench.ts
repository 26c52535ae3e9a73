// What watching many processes costs, beside process-exporter: 2,000 and 5,000 processes, each a group of its own, the same
// configuration file for both, a scrape every 15 s. JDOS_BENCH_PROCESSES and JDOS_BENCH_COLLECTIONS change how many.
import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, linkSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../test/support/free-port.ts';
import { type Cost, processCount, treeCost } from './processes-cost.ts';

const SIZES = (process.env['JDOS_BENCH_PROCESSES'] ?? '2000,5000').split(',').map(Number);
const COLLECTIONS = Number(process.env['JDOS_BENCH_COLLECTIONS'] ?? 10);
const PERIOD = 15;
/** The first collections read more: what is new, and what is sampled by turns. */
const WARM_UP = 5;
const ROOT = join(import.meta.dirname, '..');

/** Processes that do nothing, each of another name. */
async function crowd(dir: string, size: number): Promise<ChildProcess> {
  const programs = join(dir, `crowd-${size}`);
  mkdirSync(programs);
  copyFileSync('/bin/sleep', join(programs, 'sleep'));
  const names = Array.from({ length: size }, (_, i) => `w${String(i).padStart(5, '0')}`);
  for (const name of names) linkSync(join(programs, 'sleep'), join(programs, name));
  const script = join(programs, 'start.sh');
  writeFileSync(script, `cd ${programs}\n${names.map((name) => `./${name} 1000000 &\n`).join('')}echo ready\nwait\n`);
  const child = spawn('sh', [script], { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  return child;
}

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

async function compare(size: number): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'jdos-bench-'));
  const [jdosPort, peerPort] = await Promise.all([freePort(), freePort()]);
  const names = join(dir, 'names.yaml');
  writeFileSync(names, 'process_names: [{ name: "{{.Comm}}", cmdline: [".+"] }]\n');
  const config = join(dir, 'jdos.yaml');
  writeFileSync(config, 'probes: { processes: { maxGroups: 20000 }, maxSeries: 200000 }\n');
  const people = await crowd(dir, size);
  const quiet = { stdio: ['ignore', 'ignore', 'ignore'] as ['ignore', 'ignore', 'ignore'] };
  const jdosArguments = ['--config', config, '--data-dir', join(dir, 'data')];
  const subjects: readonly Subject[] = [
    {
      name: 'jdos',
      child: spawn(
        join(ROOT, 'jdos'),
        ['daemon', ...jdosArguments, '--listen', `127.0.0.1:${jdosPort}`, '--listen-tls', 'off'],
        quiet,
      ),
      url: `http://127.0.0.1:${jdosPort}/metrics/process`,
    },
    {
      name: 'process-exporter',
      child: spawn(
        'prometheus-process-exporter',
        ['-web.listen-address', `127.0.0.1:${peerPort}`, '-config.path', names, '-threads=false'],
        quiet,
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
    process.kill(-(people.pid ?? 0), 'SIGKILL');
    await sleep(2000);
    rmSync(dir, { recursive: true, force: true });
  }
}

for (const size of SIZES) await compare(size);
