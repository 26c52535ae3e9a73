// Whether every short-lived process is counted, and what that costs: 2,000 times /bin/true from a shell, as fast as it goes.
// JDOS_BENCH_EXECS changes how many. It needs root, and mounts tracefs for the daemon alone.
import { execFileSync, spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../test/support/free-port.ts';
import { WITH_TRACEFS } from '../test/support/tracefs.ts';
import { type Cost, treeCost } from './processes-cost.ts';

const TIMES = Number(process.env['JDOS_BENCH_EXECS'] ?? 2000);
const PERIOD = 5;
const WARM_UP = 30;
const COMM = 'jdos-bench-true';
const ROOT = join(import.meta.dirname, '..');

const dir = mkdtempSync(join(tmpdir(), 'jdos-bench-'));
const port = await freePort();

function start(wrap: readonly string[], more: string) {
  const config = join(dir, 'jdos.yaml');
  writeFileSync(config, `probes: { periodSeconds: ${PERIOD}${more} }\n`);
  const data = ['--config', config, '--data-dir', join(dir, 'data')];
  const listen = ['--listen', `127.0.0.1:${port}`, '--listen-tls', 'off'];
  const [command = '', ...rest] = [...wrap, join(ROOT, 'jdos'), 'daemon', ...data, ...listen];
  return spawn(command, rest, { stdio: 'ignore' });
}

async function value(metric: string): Promise<number | undefined> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics/process`)).text();
  const line = text.split('\n').find((one) => one.startsWith(`${metric} `));
  return line === undefined ? undefined : Number(line.slice(metric.length + 1));
}

const cpu = (rows: readonly Cost[], name?: string): number =>
  rows
    .filter((row) => name === undefined || isProcess(row.pid, name))
    .reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);

const isProcess = (pid: number, name: string): boolean =>
  readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`${name}-process`);

/** CPU milliseconds of the daemon and of its probe process while `work` runs and for a collection after it. */
async function costOf(pid: number, work: () => void): Promise<{ all: number; probe: number; seconds: number }> {
  const before = treeCost(pid);
  const began = performance.now();
  work();
  const seconds = (performance.now() - began) / 1000;
  await sleep(Math.max(0, 4 * PERIOD - seconds) * 1000);
  const after = treeCost(pid);
  return {
    all: (cpu(after) - cpu(before)) * 1000,
    probe: (cpu(after, 'probe') - cpu(before, 'probe')) * 1000,
    seconds,
  };
}

async function measure(name: string, wrap: readonly string[], more: string): Promise<void> {
  const program = join(dir, COMM);
  copyFileSync('/bin/true', program);
  const child = start(wrap, more);
  try {
    await sleep(WARM_UP * 1000);
    const idle = await costOf(child.pid ?? 0, () => {});
    const busy = await costOf(child.pid ?? 0, () =>
      execFileSync('sh', ['-c', 'i=0; while [ $i -lt "$1" ]; do "$0"; i=$((i+1)); done', program, String(TIMES)]),
    );
    const [execs, exits] = [
      await value(`jdos_process_execs_total{comm="${COMM}"}`),
      await value(`jdos_process_exits_total{comm="${COMM}"}`),
    ];
    const lost = await value('jdos_exec_events_lost_total');
    const window = 4 * PERIOD;
    console.log(
      `${name.padEnd(16)} ${TIMES} started in ${busy.seconds.toFixed(2)} s; counted: ${execs ?? '-'} starts, ${exits ?? '-'} ends, ${lost ?? '-'} events lost`,
    );
    for (const [what, { all, probe }] of [['idle', idle] as const, ['busy', busy] as const])
      console.log(
        `  ${what.padEnd(14)} CPU in ${window} s: daemon ${all.toFixed(0)} ms, probe process ${probe.toFixed(0)} ms`,
      );
    if (more === '')
      console.log(`  every one counted: ${execs === TIMES && exits === TIMES && lost === 0 ? 'yes' : 'NO'}`);
  } finally {
    execFileSync('kill', ['-TERM', ...childrenOf(child.pid ?? 0, wrap)]);
    await new Promise((resolve) => child.once('exit', resolve));
  }
}

/** The daemon itself: the only child of what wraps it. */
const childrenOf = (pid: number, wrap: readonly string[]): readonly string[] =>
  wrap.length === 0
    ? [String(pid)]
    : readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);

try {
  await measure('traced', WITH_TRACEFS, '');
  await measure('without (exec off)', [], ', disable: [exec]');
} finally {
  rmSync(dir, { recursive: true, force: true });
}
