// Whether a flood of the kernel's log is counted to the last line, and what that costs: 50,000 lines as fast as they go, then
// at a pace that a busy host has, without and with a rule that matches each. JDOS_BENCH_LINES changes how many. It needs root.
import { spawn } from 'node:child_process';
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { collectors } from '../src/probes/registry.ts';
import { freePort } from '../test/support/free-port.ts';
import { treeCost } from './processes-cost.ts';

const LINES = Number(process.env['JDOS_BENCH_LINES'] ?? 50_000);
const PACE = 10_000;
const PERIOD = 5;
const WARM_UP = 20;
const REASON = 'BenchBroke';
const ROOT = join(import.meta.dirname, '..');
const PRINTK_DEVKMSG = '/proc/sys/kernel/printk_devkmsg';

/** The kernel refuses floods from user space unless told otherwise. */
const before = readFileSync(PRINTK_DEVKMSG, 'utf8').trim();
const dir = mkdtempSync(join(tmpdir(), 'jdos-bench-'));
const port = await freePort();

async function metrics(): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics/problem`)).text();
  return new Map(
    text.split('\n').flatMap((line) => {
      const blank = line.lastIndexOf(' ');
      return line === '' || line.startsWith('#')
        ? []
        : [[line.slice(0, blank), Number(line.slice(blank + 1))] as const];
    }),
  );
}

const read = (of: ReadonlyMap<string, number>) => ({
  counted: of.get(`problem_counter{reason="${REASON}"}`) ?? Number.NaN,
  lost: of.get('jdos_kmsg_lost_total') ?? Number.NaN,
  records: [...of].reduce((sum, [name, value]) => sum + (name.startsWith('jdos_kmsg_records_total') ? value : 0), 0),
});

/** The number that the next record of the log gets, by a reader of our own. */
function nextNumber(): number {
  const fd = openSync('/dev/kmsg', constants.O_RDONLY | constants.O_NONBLOCK);
  const bytes = Buffer.alloc(16_384);
  let last = -1;
  for (;;) {
    try {
      const length = readSync(fd, bytes, 0, bytes.length, null);
      last = Number(bytes.toString('latin1', 0, Math.min(64, length)).split(',')[1]);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') break;
    }
  }
  closeSync(fd);
  return last + 1;
}

/** Milliseconds of CPU time of the probe process. */
const probeMs = (pid: number): number =>
  1000 *
  treeCost(pid)
    .filter((row) => readFileSync(`/proc/${row.pid}/cmdline`, 'utf8').includes('probe-process'))
    .reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);

async function flood(text: string, pace: number): Promise<number> {
  const fd = openSync('/dev/kmsg', constants.O_WRONLY);
  const began = performance.now();
  for (let line = 0; line < LINES; line += 1) {
    writeSync(fd, `<4>${text} ${line}\n`);
    if (line % 200 === 199) await sleep(Math.max(0, began + ((line + 1) * 1000) / pace - performance.now()));
  }
  closeSync(fd);
  return performance.now() - began;
}

/** What was counted, when everything is read and nobody else has written since: others on this kernel write to its log, too. */
async function settled(): Promise<ReturnType<typeof read> & { readonly next: number }> {
  for (let tries = 0; ; tries += 1) {
    const next = nextNumber();
    await sleep(2.2 * PERIOD * 1000);
    const counts = read(await metrics());
    if (nextNumber() === next || tries === 10) return { ...counts, next };
  }
}

async function measure(name: string, pid: number, text: string, pace: number): Promise<boolean> {
  const from = await settled();
  const cpu = probeMs(pid);
  const tookMs = await flood(text, pace);
  await sleep(1000);
  const used = probeMs(pid) - cpu;
  const to = await settled();
  const written = to.next - from.next;
  const [counted, lost, records] = [to.counted - from.counted, to.lost - from.lost, to.records - from.records];
  const whole = records + lost === written;
  const exact = text.startsWith('widget') ? counted === 0 : counted + lost >= LINES && counted <= LINES;
  console.log(
    `${name.padEnd(26)} ${written} records in ${(tookMs / 1000).toFixed(1)} s; read ${records}, lost ${lost}, counted ${counted}: ${whole && exact ? 'exact' : 'NOT EXACT'}`,
  );
  console.log(
    `${''.padEnd(26)} CPU of the probe process ${used.toFixed(0)} ms, per 1,000 lines read ${((used / Math.max(1, records)) * 1000).toFixed(2)} ms`,
  );
  return whole && exact;
}

/** All others are off: what they cost would be more than what is measured. */
const others = collectors.flatMap(({ name }) => (name === 'kmsg' ? [] : [name])).join(', ');
const config = join(dir, 'jdos.yaml');
writeFileSync(
  config,
  `probes: { periodSeconds: ${PERIOD}, disable: [${others}], kmsg: { facilities: [0, 1], rules: [{ type: temporary, reason: ${REASON}, pattern: 'the gadget of the bench broke \\d+' }] } }\n`,
);
const args = ['daemon', '--config', config, '--data-dir', join(dir, 'data'), '--listen', `127.0.0.1:${port}`];
const child = spawn(join(ROOT, 'jdos'), [...args, '--listen-tls', 'off'], { stdio: 'ignore' });
try {
  writeFileSync(PRINTK_DEVKMSG, 'on\n');
  await sleep(WARM_UP * 1000);
  const pid = child.pid ?? 0;
  const idle = probeMs(pid);
  await sleep(4 * PERIOD * 1000);
  console.log(`idle, in ${4 * PERIOD} s          CPU of the probe process ${(probeMs(pid) - idle).toFixed(0)} ms`);
  const results = [
    await measure('as fast as it goes', pid, 'the gadget of the bench broke', Infinity),
    await measure(`${PACE}/s, each matches`, pid, 'the gadget of the bench broke', PACE),
    await measure(`${PACE}/s, none matches`, pid, 'widget number one says hello, as usual', PACE),
  ];
  console.log(`all exact: ${results.every(Boolean) ? 'yes' : 'NO'}`);
} finally {
  writeFileSync(PRINTK_DEVKMSG, `${before}\n`);
  child.kill('SIGTERM');
  await new Promise((resolve) => child.once('exit', resolve));
  rmSync(dir, { recursive: true, force: true });
}
