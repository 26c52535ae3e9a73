// The inventory: a child process that may fail, hang, talk nonsense, or leave a command behind.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import type { Test } from 'tap';
import { HostFiles } from '../../../src/probes/host-files.ts';
import { runChild } from '../../../src/probes/host/child.ts';
import { parseHardware, type Hardware } from '../../../src/probes/host/hardware.ts';
import { readInterfaces } from '../../../src/probes/host/interfaces.ts';
import { inventory } from '../../../src/probes/host/inventory.ts';
import { openLookout } from '../../../src/probes/host/lookout.ts';
import { config, openWriter } from '../kernel/written.ts';

const UNKNOWN: Hardware = {
  cpu: null,
  virtualization: null,
  memory: { totalBytes: 1, modules: null },
  disks: null,
  interfaces: null,
};

t.test('this very host is described, without serial numbers', async (t) => {
  const collecting = inventory.open({ host: new HostFiles('/'), config: config(), saved: undefined });
  let out = openWriter(inventory);
  // A slow machine has not looked everywhere within the first collection.
  for (let tries = 0; tries < 25 && out.written().samples.length === 0; tries += 1) {
    out = openWriter(inventory);
    await collecting.collect(out);
  }
  t.match(out.written().text, /^jdos_host_info\{cpu_vendor=.*\} 1\n/);
  t.match(out.written().text, /^jdos_host_cpu_cores [1-9]/m);
  const details = collecting.details?.() as { kernel: string; memory: { totalBytes: number }; interfaces: unknown };
  t.equal(details.kernel, readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim());
  t.ok(details.memory.totalBytes > 0);
  t.ok(Array.isArray(details.interfaces));
  t.notMatch(JSON.stringify(details), /serial|uuid/i);
});

const script = (t: Test, source: string): string => join(t.testdir({ 'child.mjs': source }), 'child.mjs');

t.test('a child that hangs is killed with the command it waits for', async (t) => {
  const path = script(
    t,
    `import { spawn } from 'node:child_process';
     import { writeFileSync } from 'node:fs';
     const sleeper = spawn('sleep', ['600'], { stdio: 'inherit' });
     writeFileSync(process.argv[2], String(sleeper.pid));
     for (;;);`,
  );
  const pidFile = `${path}.pid`;
  writeFileSync(pidFile, '');
  await t.rejects(runChild(path, { args: [pidFile], timeoutMs: 5000 }), {
    code: 'JD_INVENTORY_FAILED',
    message: 'the inventory process did not end within 5000 ms',
  });
  const pid = Number(readFileSync(pidFile, 'utf8'));
  t.ok(pid > 1, 'the command ran');
  for (let tries = 0; tries < 100 && isAlive(pid); tries += 1) await sleep(50);
  t.notOk(isAlive(pid), 'the command is gone too');
});

/** A killed process whose parent does not wait for it stays a zombie: that counts as gone. */
function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return !['Z', 'X'].includes(stat.slice(stat.lastIndexOf(')') + 2)[0] ?? '');
  } catch {
    return false;
  }
}

t.test('a child that fails, dies or prints without end is an error that says so', async (t) => {
  const cases = [
    ['throw new Error("x")', /ended with status 1/],
    ['process.kill(process.pid, "SIGTERM"); setInterval(() => {}, 1000);', /ended with SIGTERM/],
    ['const more = () => process.stdout.write("x".repeat(65536), more); more();', /printed more than 1048576 bytes/],
  ] as const;
  for (const [source, message] of cases) {
    await t.rejects(runChild(script(t, source)), { code: 'JD_INVENTORY_FAILED', message }, source);
  }
});

t.test("the child sees nothing of the daemon's environment", async (t) => {
  process.env['JDOS_SECRET'] = 'x';
  t.teardown(() => delete process.env['JDOS_SECRET']);
  const names = JSON.parse(
    await runChild(script(t, 'console.log(JSON.stringify(Object.keys(process.env)))')),
  ) as string[];
  t.ok(names.includes('PATH'));
  t.notOk(names.includes('JDOS_SECRET'));
  t.notOk(names.includes('HOME'));
});

t.test('what the child prints is checked field by field', async (t) => {
  t.same(parseHardware(JSON.stringify(UNKNOWN)), UNKNOWN);
  for (const [text, message] of [
    ['', /did not print JSON/],
    ['null', /unexpected/],
    [JSON.stringify({ ...UNKNOWN, serial: 'x' }), /serial/],
    [
      JSON.stringify({ ...UNKNOWN, memory: { totalBytes: -1, modules: null } }),
      /memory\.totalBytes: expected at least 0/,
    ],
    [JSON.stringify({ ...UNKNOWN, virtualization: 'x'.repeat(300) }), /virtualization/],
  ] as const) {
    t.throws(() => parseHardware(text), { code: 'JD_INVENTORY_FAILED', message }, text.slice(0, 40));
  }
});

t.test('a look is repeated each hour, and not because the process was started again', async (t) => {
  let now = 0;
  let looks = 0;
  const look = async (): Promise<Hardware> => ({ ...UNKNOWN, memory: { totalBytes: (looks += 1), modules: null } });
  const first = openLookout({ look, now: () => now, saved: undefined });
  t.equal((await first.latest())?.hardware.memory.totalBytes, 1);
  now += 3_599_999;
  t.equal((await first.latest())?.hardware.memory.totalBytes, 1);
  const second = openLookout({ look, now: () => now, saved: JSON.parse(JSON.stringify(first.state())) });
  t.same(await second.latest(), { at: 0, hardware: { ...UNKNOWN, memory: { totalBytes: 1, modules: null } } });
  now += 1;
  t.equal((await second.latest())?.hardware.memory.totalBytes, 2);
});

t.test('a failed look is a failure until one succeeds, ten minutes later at the soonest', async (t) => {
  let now = 0;
  let works = false;
  let looks = 0;
  const look = async (): Promise<Hardware> => {
    looks += 1;
    if (!works) throw new Error('no lsblk');
    return UNKNOWN;
  };
  const lookout = openLookout({ look, now: () => now, saved: { at: 'nonsense' } });
  await t.rejects(lookout.latest(), { message: 'no lsblk' });
  works = true;
  await t.rejects(lookout.latest(), { message: 'no lsblk' });
  t.equal(looks, 1);
  now = 600_000;
  t.same((await lookout.latest())?.at, 600_000);
});

t.test('a slow look does not hold up the other collectors, and its result comes later', async (t) => {
  const slow = Promise.withResolvers<Hardware>();
  const lookout = openLookout({ look: () => slow.promise, now: () => 5, saved: undefined, patienceMs: 1 });
  t.equal(await lookout.latest(), undefined);
  t.equal(await lookout.latest(), undefined);
  slow.resolve(UNKNOWN);
  await slow.promise;
  t.same(await lookout.latest(), { at: 5, hardware: UNKNOWN });
});

t.test('hardware, bonds and bridges are interfaces of the inventory, veths are not', async (t) => {
  const net = {
    lo: { address: '00:00:00:00:00:00\n' },
    veth1: { address: '02:00:00:00:00:01\n', mtu: '1500\n' },
    bond0: {
      address: 'aa:00:00:00:00:01\n',
      mtu: '9000\n',
      speed: '50000\n',
      operstate: 'up\n',
      bonding: { mode: '802.3ad 4\n' },
    },
    br0: {
      address: 'aa:00:00:00:00:02\n',
      mtu: '1500\n',
      speed: '-1\n',
      operstate: 'down\n',
      bridge: { bridge_id: '8000\n' },
    },
    eth0: {
      address: 'aa:00:00:00:00:03\n',
      mtu: '1500\n',
      operstate: 'up\n',
      device: t.fixture('symlink', '../../../devices/pci'),
    },
  };
  const devices = { pci: { driver: t.fixture('symlink', '../../bus/drivers/ixgbe') } };
  t.same(readInterfaces(new HostFiles(t.testdir({ sys: { class: { net }, devices } }))), [
    {
      name: 'bond0',
      kind: 'bond',
      mac: 'aa:00:00:00:00:01',
      mtu: 9000,
      megabitsPerSecond: 50000,
      state: 'up',
      driver: '',
    },
    {
      name: 'br0',
      kind: 'bridge',
      mac: 'aa:00:00:00:00:02',
      mtu: 1500,
      megabitsPerSecond: null,
      state: 'down',
      driver: '',
    },
    {
      name: 'eth0',
      kind: 'device',
      mac: 'aa:00:00:00:00:03',
      mtu: 1500,
      megabitsPerSecond: null,
      state: 'up',
      driver: 'ixgbe',
    },
  ]);
});
