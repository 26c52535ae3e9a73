// What watching Open vSwitch costs it: CPU of its two servers with 500 ports, beside asking the same by ovs-appctl and ovs-vsctl.
// JDOS_BENCH_PORTS and JDOS_BENCH_SECONDS change how many, and for how long. It needs root and a real Open vSwitch.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ProbesConfig } from '../src/probes/config.ts';
import { openFamilyWriter } from '../src/probes/family-writer.ts';
import { HostFiles } from '../src/probes/host-files.ts';
import { ovs as collector } from '../src/probes/ovs/collector.ts';
import { startOvs } from '../test/support/ovs.ts';

const PORTS = Number(process.env['JDOS_BENCH_PORTS'] ?? 500);
const SECONDS = Number(process.env['JDOS_BENCH_SECONDS'] ?? 60);
const PERIOD = 15;
const FORKS = 20;

const ends: (() => unknown)[] = [];
const ovs = startOvs({ teardown: (end) => void ends.push(end) }, { args: ['--enable-dummy'] });
const pidOf = (name: string): number => Number(readFileSync(join(ovs.rundir, `${name}.pid`), 'utf8'));
const [vswitchd, ovsdb] = [pidOf('ovs-vswitchd'), pidOf('ovsdb-server')];

/** CPU time of all threads of a process, in milliseconds: /proc/PID/task/TID/schedstat, which counts nanoseconds. */
const cpu = (pid: number): number =>
  readdirSync(`/proc/${pid}/task`).reduce(
    (sum, task) => sum + Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]) / 1e6,
    0,
  );
/** That of the thread that answers, switches and keeps LACP alive. */
const mainThread = (): number =>
  Number(readFileSync(`/proc/${vswitchd}/task/${vswitchd}/schedstat`, 'utf8').split(' ')[0]) / 1e6;

interface Cost {
  readonly main: number;
  readonly vswitchd: number;
  readonly ovsdb: number;
}
const now = (): Cost => ({ main: mainThread(), vswitchd: cpu(vswitchd), ovsdb: cpu(ovsdb) });
const since = (before: Cost): Cost => {
  const after = now();
  return {
    main: after.main - before.main,
    vswitchd: after.vswitchd - before.vswitchd,
    ovsdb: after.ovsdb - before.ovsdb,
  };
};
const show = (what: string, { main, vswitchd: all, ovsdb: database }: Cost, per = 1): void =>
  console.log(
    `  ${what.padEnd(44)} ovs-vswitchd ${(all / per).toFixed(2)} ms (main thread ${(main / per).toFixed(2)}), ovsdb-server ${(database / per).toFixed(2)} ms`,
  );

try {
  const ports = Array.from({ length: PORTS }, (_, index) => [
    ...['--', 'add-port', 'br0', `p${index}`, '--', 'set', 'interface', `p${index}`, 'type=dummy'],
    `external_ids:iface-id=pod-${index}`,
  ]).flat();
  ovs.vsctl('add-br', 'br0', '--', 'set', 'bridge', 'br0', 'datapath_type=dummy', ...ports);
  await sleep(10_000);
  console.log(`Open vSwitch with ${PORTS} ports, ${SECONDS} s each:`);

  let before = now();
  await sleep(SECONDS * 1000);
  const alone = since(before);
  show(`left alone, per ${PERIOD} s`, alone, SECONDS / PERIOD);

  const sources = { dockerSocket: undefined, podsDir: undefined, ovsRundir: ovs.rundir };
  const collecting = collector.open({
    host: new HostFiles('/'),
    config: ProbesConfig.parse({}),
    sources,
    saved: undefined,
  });
  const out = openFamilyWriter(collector.metrics);
  let series = 0;
  let text = '';
  let within = 0;
  const collect = async (): Promise<number> => {
    const began = process.cpuUsage();
    const main = mainThread();
    out.begin(50_000);
    await collecting.collect(out);
    within += mainThread() - main;
    const finished = out.finish();
    series = finished.series;
    text = finished.families.map((family) => family.text.toString()).join('');
    const { user, system } = process.cpuUsage(began);
    return (user + system) / 1000;
  };
  const received = (): number => Number(/^jdos_ovs_ovsdb_received_bytes_total (\d+)$/m.exec(text)?.[1]);
  before = now();
  await collect();
  show('the first collection, with all rows', since(before));
  await collect();
  await sleep(1000);
  within = 0;
  const [bytes, own]: [number, number[]] = [received(), []];
  before = now();
  for (let cycle = 0; cycle < SECONDS / PERIOD; cycle += 1) {
    own.push(await collect());
    await sleep(PERIOD * 1000);
  }
  const watched = since(before);
  show(`watched, per ${PERIOD} s`, watched, SECONDS / PERIOD);
  const cycles = SECONDS / PERIOD;
  const more = {
    main: watched.main - alone.main,
    vswitchd: watched.vswitchd - alone.vswitchd,
    ovsdb: watched.ovsdb - alone.ovsdb,
  };
  show('that is, for a collection', more, cycles);
  console.log(
    `  its main thread, from the first to the last question of a collection: ${(within / cycles).toFixed(2)} ms`,
  );
  await collect();
  console.log(
    `  collector: ${series} series, ${(own.reduce((a, b) => a + b, 0) / own.length).toFixed(1)} ms of its own CPU for a collection, ` +
      `${received() - bytes} bytes from the idle database in ${SECONDS} s`,
  );
  // The difference of two minutes is mostly noise; the questions by themselves are not.
  before = now();
  let warm = 0;
  for (let cycle = 0; cycle < 100; cycle += 1) warm += await collect();
  show('100 collections without a pause, each', since(before), 100);
  console.log(`  collector: ${(warm / 100).toFixed(1)} ms of its own CPU for each of these`);
  collecting.close?.();

  for (const [what, file, ...args] of [
    ['ovs-appctl coverage/show', 'ovs-appctl', '-t', join(ovs.rundir, `ovs-vswitchd.${vswitchd}.ctl`), 'coverage/show'],
    [
      'ovs-appctl dpctl/show -s',
      'ovs-appctl',
      '-t',
      join(ovs.rundir, `ovs-vswitchd.${vswitchd}.ctl`),
      'dpctl/show',
      '-s',
    ],
    ['ovs-vsctl list interface', 'ovs-vsctl', `--db=unix:${ovs.socket}`, 'list', 'interface'],
  ] as const) {
    before = now();
    const began = performance.now();
    for (let time = 0; time < FORKS; time += 1)
      execFileSync(file, args, { stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 1e8 });
    const each = (performance.now() - began) / FORKS;
    show(`${what}: ${each.toFixed(0)} ms each, and of theirs`, since(before), FORKS);
  }
} finally {
  for (const end of ends.reverse()) await end();
}
