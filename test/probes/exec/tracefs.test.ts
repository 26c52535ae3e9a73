// A trace on the real kernel: what is told, what is lost, and whose trace may be removed.
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { openDrain } from '../../../src/probes/exec/drain.ts';
import type { TraceEvent } from '../../../src/probes/exec/events.ts';
import { findInstances, openTrace, type Trace } from '../../../src/probes/exec/tracefs.ts';
import { mountTracefs, needsTracefs } from '../../support/tracefs.ts';

const skip = needsTracefs();

function opened(t: Test, tracefs: string, cpus = 2): Trace {
  const trace = openTrace(join(tracefs, 'instances'), { cpus, pid: process.pid });
  t.teardown(() => trace.close());
  return trace;
}

const ours = (tracefs: string): readonly string[] =>
  readdirSync(join(tracefs, 'instances')).filter((name) => name.startsWith(`jdos-${process.pid}-`));

/** A program under a name of the test's choosing, directories and all. */
function program(t: Test, name: string): string {
  const dir = mkdtempSync(join(tmpdir(), 'jdos-exec-'));
  t.teardown(() => rmSync(dir, { recursive: true }));
  const file = join(dir, name);
  mkdirSync(dirname(file), { recursive: true });
  copyFileSync('/bin/true', file);
  return file;
}

/** All there is, a moment after the last of it happened. */
async function everything(trace: Trace): Promise<readonly TraceEvent[]> {
  await sleep(20);
  const events: TraceEvent[] = [];
  const drain = openDrain(trace);
  while (drain.turn(Number(process.hrtime.bigint()), (event) => events.push(event)));
  return events;
}

t.test('where tracefs is not mounted there is none, and nothing is made', async (t) => {
  const empty = t.testdir();
  t.equal(findInstances([empty, join(empty, 'none')]), undefined);
  t.same(readdirSync(empty), []);
});

t.test('a file name that holds the line of an event forges none', { skip }, async (t) => {
  const tracefs = mountTracefs(t);
  t.equal(findInstances(['/nowhere', tracefs]), join(tracefs, 'instances'));
  const trace = opened(t, tracefs);
  const line = '            sshd-1       [000] .....    12.345678: mark_victim: pid=1 comm=systemd';
  execFileSync(program(t, `\n${line}\n/jdos-forger`));
  const events = await everything(trace);
  t.equal(events.filter((event) => event.kind === 'exec' && event.comm === 'jdos-forger').length, 1);
  t.same(
    events.filter(({ kind }) => kind === 'victim'),
    [],
  );
});

t.test('what comes faster than it is read is lost, and counted as lost', { skip }, async (t) => {
  const trace = opened(t, mountTracefs(t), 1_000_000);
  t.equal(trace.lost(), 0);
  const times = 1500;
  execFileSync('sh', [
    '-c',
    'i=0; while [ $i -lt "$1" ]; do "$0"; i=$((i+1)); done',
    program(t, 'jdos-fast'),
    `${times}`,
  ]);
  const events = await everything(trace);
  const lost = trace.lost();
  t.ok(lost > 0, `${lost} lost`);
  t.ok(events.length + lost >= 3 * times, `${events.length} read`);
});

t.test(
  'a trace that somebody reads is never removed by another, and a closed one leaves nothing',
  { skip },
  async (t) => {
    const tracefs = mountTracefs(t);
    const first = opened(t, tracefs);
    const left = join(tracefs, 'instances', `jdos-${process.pid}-left`);
    mkdirSync(left);
    const second = opened(t, tracefs);
    t.notOk(existsSync(left));
    t.equal(ours(tracefs).length, 2);
    execFileSync(program(t, 'jdos-both'));
    for (const trace of [first, second]) {
      const events = await everything(trace);
      t.ok(events.some((event) => event.kind === 'exit' && event.comm === 'jdos-both'));
      trace.close();
    }
    t.same(ours(tracefs), []);
  },
);
