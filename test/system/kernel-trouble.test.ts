// Real trouble on the real kernel, seen by a whole daemon: a disk that fails under a file system, and a flood of the log.
import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, truncateSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { eventually, privateDirectory, type RunningDaemon, startDaemon } from '../support/daemon.ts';
import { findings } from '../support/findings.ts';
import { needs, needsRoot } from '../support/needs.ts';

interface Event {
  readonly reason: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly suppressed: number;
}

const REASON = `Flood${process.pid}`;
const LINE = `jdos flood ${process.pid} line`;
const PER_MINUTE = 60;
const config =
  `probes: { periodSeconds: 1, budget: { cpuRatio: 1 }, kmsg: { facilities: [0, 1], eventsPerMinute: ${PER_MINUTE}, ` +
  `rules: [{ type: temporary, reason: ${REASON}, pattern: '${LINE} \\d+' }] } }\n`;

async function start(t: Test): Promise<RunningDaemon> {
  const daemon = startDaemon(t, { config });
  await daemon.until(/listens +http:/);
  await eventually('the log is read', async () =>
    (await series(daemon, 'jdos_kmsg_reading{reason=""}')) === 1 ? true : undefined,
  );
  return daemon;
}

async function series(daemon: RunningDaemon, name: string): Promise<number | undefined> {
  const text = await (await fetch(`${daemon.url()}/metrics/problem`)).text();
  const line = text.split('\n').find((one) => one.startsWith(`${name} `));
  return line === undefined ? undefined : Number(line.slice(name.length + 1));
}

const total = async (daemon: RunningDaemon, reason: string): Promise<number> =>
  (await series(daemon, `jdos_kernel_events_total{reason="${reason}"}`)) ?? Number.NaN;

const eventsOf = async (daemon: RunningDaemon, reason: string, since: number): Promise<readonly Event[]> =>
  ((await daemon.get(`/jdos/v1/kernel/events?limit=1000&reason=${reason}&from=${since}`)) as { items: Event[] }).items;

const run = (command: string, ...args: readonly string[]): string =>
  execFileSync(command, [...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();

/** A file system on a loop device, of which the disk can be taken away; undefined where the kernel has no such thing. */
function openDisk(t: Test): { readonly device: string; breakIt(): void; unmount(): void } | undefined {
  const dir = privateDirectory(t);
  const [image, mount] = [join(dir, 'image'), join(dir, 'mount')];
  const tidy: (() => void)[] = [];
  t.teardown(() => tidy.reverse().forEach((end) => end()));
  try {
    mkdirSync(mount);
    closeSync(openSync(image, 'w'));
    truncateSync(image, 16 * 1024 * 1024);
    run('mkfs.ext4', '-q', '-F', '-e', 'remount-ro', image);
    const device = run('losetup', '-f', '--show', image);
    tidy.push(() => run('losetup', '-d', device));
    run('mount', device, mount);
    mkdirSync(join(mount, 'shop'));
    run('umount', mount); // so that nothing of it is remembered
    run('mount', device, mount);
    let mounted = true;
    const unmount = (): void => {
      if (mounted) run('umount', mount);
      mounted = false;
    };
    tidy.push(unmount);
    return {
      device: device.replace('/dev/', ''),
      breakIt() {
        truncateSync(image, 300 * 1024);
        t.throws(() => readdirSync(join(mount, 'shop')), 'the disk is gone');
      },
      unmount,
    };
  } catch (error) {
    if (existsSync('/dev/loop-control')) throw error;
    return undefined;
  }
}

t.test(
  'a disk that fails is told with its device, counted exactly, a finding, and over when it is unmounted',
  { skip: needs('e2fsprogs', 'losetup') || needsRoot() },
  async (t) => {
    const disk = openDisk(t);
    if (disk === undefined) return void t.pass('this kernel has no loop devices');
    const daemon = await start(t);
    const reasons = ['BlockIOError', 'Ext4Error', 'FilesystemIsReadOnly'];
    const before = await Promise.all(reasons.map((reason) => total(daemon, reason)));
    const since = Date.now() - 1000;
    disk.breakIt();
    for (const [i, reason] of reasons.entries()) {
      const told = await eventually(`${reason} is told`, async () => {
        const found = (await eventsOf(daemon, reason, since)).filter(({ fields }) => fields['device'] === disk.device);
        return found.length > 0 ? found : undefined;
      });
      t.equal(told.length, 1, `${reason} once: ${told.map(({ message }) => message).join(' | ')}`);
      await eventually(`${reason} is counted`, async () =>
        (await total(daemon, reason)) === (before[i] ?? 0) + 1 ? true : undefined,
      );
    }
    const gauge = 'problem_gauge{type="ReadonlyFilesystem",reason="FilesystemIsReadOnly"}';
    t.equal(await series(daemon, gauge), 1);
    const found = await findings(daemon, 'KERNEL_EVENTS');
    const readonly = found.find(({ target }) => target === 'FilesystemIsReadOnly');
    t.match(readonly, { verdict: 'crit' });
    t.ok(readonly?.evidence.includes(`still=${disk.device}`), String(readonly?.evidence));
    t.match(
      found.find(({ target }) => target === 'BlockIOError'),
      { verdict: 'warn', evidence: [/^last=/, new RegExp(`I/O error, dev ${disk.device}, sector`)] },
    );
    disk.unmount();
    await eventually('it is over', async () => ((await series(daemon, gauge)) === 0 ? true : undefined));
    const after = (await findings(daemon, 'KERNEL_EVENTS')).find(({ target }) => target === 'FilesystemIsReadOnly');
    t.notOk(
      after?.evidence.some((fact) => fact.startsWith('still=')),
      'it happened, and lasts no more',
    );
  },
);

t.test('a flood is counted exactly, and only so many of it are kept', { skip: needsRoot() }, async (t) => {
  const daemon = await start(t);
  const since = Date.now() - 1000;
  const LINES = 20_000;
  const lostBefore = (await series(daemon, 'jdos_kmsg_lost_total')) ?? 0;
  for (let i = 1; i <= LINES; i += 1) {
    const file = openSync('/dev/kmsg', 'w'); // each writer has a rate of its own
    writeSync(file, `<4>${LINE} ${i}\n`);
    closeSync(file);
    if (i % 50 === 0) await sleep(5);
  }
  const counted = await eventually('all of it is read', async () => {
    const lost = ((await series(daemon, 'jdos_kmsg_lost_total')) ?? 0) - lostBefore;
    const seen = await total(daemon, REASON);
    if (seen + lost < LINES) throw new Error(`${seen} counted, ${lost} lost`);
    return { seen, lost };
  });
  t.ok(counted.seen <= LINES, `${counted.seen} counted of ${LINES}, ${counted.lost} records lost`);
  const events = await eventsOf(daemon, REASON, since);
  t.ok(events.length > 0 && events.length <= 3 * PER_MINUTE, `${events.length} are kept`);
  const suppressed = (await series(daemon, `jdos_kernel_events_suppressed_total{reason="${REASON}"}`)) ?? Number.NaN;
  t.equal(events.length + suppressed, counted.seen, 'each was kept or is counted as not kept');
  const flood = (await findings(daemon, 'KERNEL_EVENTS')).find(({ target }) => target === REASON);
  t.match(flood, { verdict: 'crit', value: counted.seen });
});
