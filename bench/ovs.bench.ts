// What watching Open vSwitch costs it: CPU of its two servers with 500 ports, beside asking the same by ovs-appctl and ovs-vsctl, and what
// it costs to know how many OpenFlow rules a bridge has.
// JDOS_BENCH_PORTS and JDOS_BENCH_SECONDS change how many, and for how long. It needs root and a real Open vSwitch.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { countFlows } from '../src/drivers/ovsdb/index.ts';
import { ProbesConfig } from '../src/probes/config.ts';
import { openFamilyWriter } from '../src/probes/family-writer.ts';
import { HostFiles } from '../src/probes/host-files.ts';
import { ovs as collector } from '../src/probes/ovs/collector.ts';
import { startOvs } from '../test/support/ovs.ts';

const PORTS = Number(process.env['JDOS_BENCH_PORTS'] ?? 500);
const SECONDS = Number(process.env['JDOS_BENCH_SECONDS'] ?? 60);
const PERIOD = 15;
const MOST_MS = 5;
const FORKS = 20;
const FLOWS = 10_000;

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

/** CPU time of the children that have ended, in milliseconds: /proc/self/stat fields 16 and 17, in hundredths of a second. */
const ofChildren = (): number => {
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[13]) + Number(fields[14])) * 10;
};

/** Runs the commands as many times, and shows what they cost the servers and themselves, all of them together. */
function fork(what: string, commands: readonly (readonly string[])[]): void {
  const [before, children, began] = [now(), ofChildren(), performance.now()];
  for (let time = 0; time < FORKS; time += 1)
    for (const [file = '', ...args] of commands)
      execFileSync(file, args, { stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 1e8 });
  const [own, wall] = [ofChildren() - children, performance.now() - began];
  show(what, since(before), FORKS);
  console.log(
    `    ${commands.length} forks: ${(own / FORKS).toFixed(0)} ms of CPU of their own, ${(wall / FORKS).toFixed(0)} ms until all have answered`,
  );
}

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
  const each = within / cycles;
  console.log(
    `  its main thread, from the first to the last question of a collection, on average: ${each.toFixed(2)} ms, ` +
      `${each <= MOST_MS ? 'within' : 'BEYOND'} the ${MOST_MS} ms that it may take`,
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

  const appctl = (...args: readonly string[]): readonly string[] => [
    'ovs-appctl',
    ...['-t', join(ovs.rundir, `ovs-vswitchd.${vswitchd}.ctl`)],
    ...args,
  ];
  const list = (table: string): readonly string[] => [
    'ovs-vsctl',
    `--db=unix:${ovs.socket}`,
    '--format=json',
    'list',
    table,
  ];
  const [version, upcalls, coverage] = [['version'], ['upcall/show'], ['coverage/show']].map((args) => appctl(...args));
  const [dpctl, memory] = [['dpctl/show'], ['memory/show']].map((args) => appctl(...args));
  console.log('the same by a fork for each question, each collection:');
  for (const [what, commands] of [
    ['what is asked in most collections', [version, upcalls, coverage]],
    ['and in every fourth', [dpctl, memory]],
    ['and what the database is followed for', ['open_vswitch', 'bridge', 'port', 'interface'].map(list)],
    ['ovs-appctl dpctl/show -s, never asked here', [appctl('dpctl/show', '-s')]],
  ] as const)
    fork(
      what,
      commands.map((command) => command ?? []),
    );

  console.log('how many OpenFlow rules a bridge has, each time:');
  const mgmt = join(ovs.rundir, 'br0.mgmt');
  for (const flows of [0, FLOWS]) {
    const rules = Array.from(
      { length: flows },
      (_, index) => `table=1,tcp,nw_dst=10.${index >> 16}.${(index >> 8) & 255}.${index & 255},actions=drop`,
    );
    execFileSync('ovs-ofctl', ['add-flows', `unix:${mgmt}`, '-'], { input: `${rules.join('\n')}\n` });
    await sleep(3000);
    before = now();
    let counted = 0;
    for (let time = 0; time < FORKS; time += 1) counted = await countFlows(mgmt);
    show(`${counted} rules: asked by table`, since(before), FORKS);
    fork(`${counted} rules: ovs-ofctl dump-aggregate`, [['ovs-ofctl', 'dump-aggregate', `unix:${mgmt}`]]);
  }
} finally {
  for (const end of ends.reverse()) await end();
}
