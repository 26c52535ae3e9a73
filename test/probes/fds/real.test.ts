// A real process that opens known numbers of descriptors of each kind, and one with ten thousand.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setImmediate as nextTurn } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { SILENT } from '../../../src/probes/announcements.ts';
import { openFdsInspection } from '../../../src/probes/fds/inspect.ts';
import { HostFiles } from '../../../src/probes/host-files.ts';
import { needs, needsRoot } from '../../support/needs.ts';

const SCRIPT = join(import.meta.dirname, '../../support/open-files.pl');
const skip = needs('perl');

async function opener(t: Test, extra = 0): Promise<{ pid: number; dir: string; tcpPort: number; udpPort: number }> {
  const dir = mkdtempSync(join(tmpdir(), 'jdos-open-'));
  const child = spawn('sh', ['-c', 'ulimit -n "$(ulimit -Hn)"; exec perl "$@"', 'sh', SCRIPT, dir, String(extra)], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  t.teardown(() => {
    child.kill('SIGKILL');
    rmSync(dir, { recursive: true, force: true });
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const [, tcpPort, udpPort] = /^ready (\d+) (\d+)$/.exec(line) ?? [];
    if (tcpPort !== undefined) return { pid: child.pid ?? 0, dir, tcpPort: Number(tcpPort), udpPort: Number(udpPort) };
  }
  throw new Error('the opener of files ended');
}

/** Counts what it is asked. */
class Counter extends HostFiles {
  links = 0;
  reads = 0;
  override link(path: string): string {
    this.links += 1;
    return super.link(path);
  }
  override bytes(path: string, limit?: number): Buffer {
    this.reads += 1;
    return super.bytes(path, limit);
  }
}

/** Takes two milliseconds for a link, as a machine under load does. */
class Slow extends HostFiles {
  override link(path: string): string {
    for (const until = performance.now() + 2; performance.now() < until;);
    return super.link(path);
  }
}

const never = new AbortController().signal;
const inspecting = (deadlineSeconds = 10, host = new HostFiles('/')) =>
  openFdsInspection({ hostRoot: '/', deadlineSeconds, announcements: SILENT, quarantine: [], openHost: () => host });

t.test('exactly what was opened is told', { skip }, async (t) => {
  const { pid, dir, tcpPort, udpPort } = await opener(t);
  const { at, total, counted, complete, processes, ...answer } = await inspecting()({ pid }, never);
  t.ok(Math.abs(at - Date.now()) < 60_000);
  t.ok(complete, answer.leftOut.join());
  t.match(processes, [{ pid, comm: 'perl', fds: 48 }]);
  t.equal(counted, 48);
  t.ok(total === 48 || total === null, 'as the kernel counts, since 6.2');
  const byName = <T extends { kind: string }>(kinds: T[]): T[] => kinds.toSorted((a, b) => (a.kind < b.kind ? -1 : 1));
  t.same(byName(answer.kinds), [
    { kind: 'device', count: 5 },
    { kind: 'directory', count: 2 },
    { kind: 'eventfd', count: 2 },
    { kind: 'eventpoll', count: 4 },
    { kind: 'file', count: 12 },
    { kind: 'inotify', count: 1 },
    { kind: 'memfd', count: 2 },
    { kind: 'pipe', count: 6 },
    { kind: 'signalfd', count: 1 },
    { kind: 'socket', count: 12 },
    { kind: 'timerfd', count: 1 },
  ]);
  t.equal(answer.inotifyWatches, 5);
  t.same(answer.sockets.map(({ protocol, state, count }) => `${protocol} ${state} ${count}`).sort(), [
    'tcp CLOSE_WAIT 1',
    'tcp ESTABLISHED 4',
    'tcp LISTEN 1',
    'udp6 UNCONNECTED 1',
    'unix CONNECTED 3',
    'unix LISTEN 1',
    'unlisted null 1',
  ]);
  t.same(answer.listening.map(({ protocol, address, count }) => `${protocol} ${address} ${count}`).sort(), [
    `tcp 127.0.0.1:${tcpPort} 1`,
    `udp6 [::1]:${udpPort} 1`,
    `unix ${dir}/sock et 1`,
  ]);
  const { items, ...held } = answer.deleted;
  t.match(
    held,
    { fds: 3, files: 2, bytes: 3 * 1024 * 1024 + 5000, unsized: 0 },
    'a file with two descriptors is one file',
  );
  t.ok(held.diskBytes >= held.bytes && held.diskBytes < held.bytes + 1024 * 1024);
  t.match(items, [
    { path: `${dir}/large`, bytes: 3 * 1024 * 1024, fds: 2 },
    { path: `${dir}/small`, bytes: 5000, fds: 1 },
  ]);
  t.match(answer.memfd, { fds: 2, files: 2, bytes: 300 * 1024, diskBytes: 300 * 1024 });
  t.match(answer.targets[0], { path: `${dir}/log`, kind: 'file', count: 7 });
  t.ok(answer.targets.some(({ path, count }) => path === `${dir}/line\nfeed \u001b[31m` && count === 1));
});

t.test('ten thousand descriptors cost one reading of a link each, and little more', { skip }, async (t) => {
  const { pid, dir } = await opener(t, 10_000);
  const host = new Counter('/');
  const { counted, complete, targets } = await inspecting(10, host)({ pid }, never);
  t.equal(counted, 10_048);
  t.ok(complete);
  t.match(targets[0], { path: `${dir}/log`, count: 10_007 });
  t.ok(host.links <= 10_048 + 10, `${host.links} links`);
  t.ok(host.reads < 60, `${host.reads} files read`);

  const hurried = await inspecting(0.002)({ pid }, never);
  t.ok(hurried.counted > 0 && hurried.counted < 10_048, `${hurried.counted} within a millisecond`);
  t.notOk(hurried.complete);
  t.match(hurried.leftOut[0], /^some descriptors: the time for it was over/);
  t.ok(hurried.total === null || hurried.total === 10_048, 'how many there are is known all the same');
});

t.test('other work goes on while a process is looked at', { skip }, async (t) => {
  const { pid } = await opener(t);
  let answered = false;
  const answer = inspecting(10, new Slow('/'))({ pid }, never).finally(() => (answered = true));
  let turns = 0;
  for (; !answered; turns += 1) await nextTurn();
  t.equal((await answer).counted, 48);
  t.ok(turns >= 3, `${turns} turns of the event loop`);
});

t.test(
  'the files of another user are refused, and threads of the kernel have none',
  { skip: skip || needsRoot() },
  async (t) => {
    const { pid } = await opener(t);
    const inspect = inspecting();
    process.seteuid?.(65_534);
    try {
      await t.rejects(inspect({ pid }, never), { code: 'JD_FDS_FORBIDDEN', status: 403, message: /perl \(pid/ });
    } finally {
      process.seteuid?.(0);
    }
    t.equal((await inspect({ pid }, never)).counted, 48);
    const kthreadd = 2;
    await t.rejects(inspect({ pid: kthreadd }, never), { code: 'JD_FDS_KERNEL_THREAD', status: 422 });
  },
);
