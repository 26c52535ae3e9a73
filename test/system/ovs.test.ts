// A whole daemon beside a real Open vSwitch: what is done to the switch is served within a period, and what hangs there holds up nothing.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { eventually, privateDirectory, type RunningDaemon, startDaemon } from '../support/daemon.ts';
import { needsOvs, startOvs, type TestOvs } from '../support/ovs.ts';

const PERIOD_MS = 1000;
/** What a machine that is busy with other things may add. */
const SLACK_MS = 1000;
/** What a scrape takes that waits for nothing; a question to Open vSwitch is waited for two seconds. */
const NOT_WAITING_MS = 1500;

const read = async (daemon: RunningDaemon, path: string): Promise<string> =>
  (await fetch(`${daemon.url()}${path}`, { signal: AbortSignal.timeout(8000) })).text();

const until = (daemon: RunningDaemon, line: RegExp): Promise<string> =>
  eventually(String(line), async () => {
    const text = await read(daemon, '/metrics/ovs');
    return line.test(text) ? text : undefined;
  });

/** Does something to the switch; fails when the line is not served within a period. */
async function soon(t: Test, daemon: RunningDaemon, what: () => void, line: RegExp): Promise<string> {
  what();
  const began = performance.now();
  const text = await until(daemon, line);
  const took = performance.now() - began;
  t.ok(took < PERIOD_MS + SLACK_MS, `${String(line)} after ${took.toFixed(0)} ms`);
  return text;
}

const valuesOf = (text: string, metric: string): ReadonlyMap<string, number> =>
  new Map(
    [...text.matchAll(new RegExp(`^${metric}\\{collector="(\\w+)"\\} (\\S+)$`, 'gm'))].map(([, name = '', value]) => [
      name,
      Number(value),
    ]),
  );

/** Looks on for a while: nothing that is asked waits, and no collector falls behind, that of Open vSwitch neither. */
async function unimpressed(t: Test, daemon: RunningDaemon, what: string, ms: number): Promise<void> {
  let longest = 0;
  const late = new Set<string>();
  for (const end = performance.now() + ms; performance.now() < end; await sleep(100)) {
    const began = performance.now();
    const [alive, text] = await Promise.all([read(daemon, '/livez'), read(daemon, '/metrics')]);
    longest = Math.max(longest, performance.now() - began);
    if (!alive.startsWith('ok')) t.fail(alive);
    const periods = valuesOf(text, 'jdos_collector_period_seconds');
    for (const [collector, age] of valuesOf(text, 'jdos_collector_age_seconds'))
      if (age > (periods.get(collector) ?? 0) + SLACK_MS / 1000) late.add(`${collector}: ${age}`);
  }
  t.ok(longest < NOT_WAITING_MS, `${what}: the longest scrape took ${longest.toFixed(0)} ms`);
  t.same([...late], [], `${what}: no collector is late`);
}

/** One daemon for both versions: starting it takes longer than all that is done to a switch. */
t.test('Open vSwitch is found where the configuration says, on SIGHUP too', { skip: needsOvs() }, async (t) => {
  const config = join(privateDirectory(t), 'jdos.yaml');
  const configure = (rundir: string): void =>
    writeFileSync(config, `{ ovs: { rundir: ${rundir} }, probes: { periodSeconds: 1, budget: { cpuRatio: 1 } } }\n`);
  configure('/nowhere');
  const daemon = startDaemon(t, { args: ['--config', config] });
  await daemon.until(/listens +http:/);
  t.notMatch(await until(daemon, /^jdos_ovs_present 0$/m), /ovs_up/);
  const { items } = (await daemon.get('/jdos/v1/collectors')) as { items: { name: string; state: string }[] };
  t.match(
    items.find(({ name }) => name === 'ovs'),
    { state: 'ok', view: 'ovs' },
    'a host without it is no failure',
  );

  for (const version of ['installed', 'new'] as const)
    await t.test(`the ${version} Open vSwitch`, { skip: needsOvs(version) }, async (t) => {
      const ovs = startOvs(t, { version });
      ovs.vsctl('add-br', 'br0', '--', 'set', 'bridge', 'br0', 'datapath_type=netdev');
      ovs.veth('v1', 'v1p');
      configure(ovs.rundir);
      daemon.child.kill('SIGHUP');
      // That before may have been answering until now: of this one it is known that it has one port.
      await until(daemon, /^ovs_bridge_port_count\{.*\} 1$/m);
      const text = await until(daemon, /^ovs_up 1$/m);
      t.match(
        text,
        /^# TYPE ovs_bridge_port_count gauge\novs_bridge_port_count\{bridge="br0",datapath_type="netdev"\} 1$/m,
      );
      t.notMatch(text, /^node_/m);
      await change(t, daemon, ovs);
      await hang(t, daemon, ovs);
      await die(t, daemon, ovs);
      await hangDatabase(t, daemon, ovs);
      await ovs.signal('SIGKILL');
      await ovs.signal('SIGKILL', 'ovsdb-server');
      await until(daemon, /^ovs_up 0$/m);
    });
});

/** Adds, tags, breaks and removes ports. */
async function change(t: Test, daemon: RunningDaemon, ovs: TestOvs): Promise<void> {
  await soon(t, daemon, () => ovs.vsctl('add-port', 'br0', 'v1', 'tag=5'), /^jdos_ovs_port_info\{.*port="v1",tag="5"/m);
  await soon(t, daemon, () => ovs.vsctl('set', 'port', 'v1', 'tag=6'), /^jdos_ovs_port_info\{.*port="v1",tag="6"/m);
  const addLost = (): void => {
    try {
      ovs.vsctl('add-port', 'br0', 'v9');
    } catch {
      // newer ones say so by their exit status
    }
  };
  const error = /^jdos_ovs_interface_error\{.*interface="v9".*error="could not open network device v9/m;
  await soon(t, daemon, addLost, error);
  const removed = await soon(
    t,
    daemon,
    () => ovs.vsctl('del-port', 'br0', 'v9', '--', 'del-port', 'br0', 'v1'),
    /^ovs_bridge_port_count\{.*\} 1$/m,
  );
  t.notMatch(removed, error);
}

const restartsIn = (text: string): number => Number(/^jdos_ovs_vswitchd_restarts_total (\d+)$/m.exec(text)?.[1]);

/** ovs-vswitchd takes connections and questions, and never answers. */
async function hang(t: Test, daemon: RunningDaemon, ovs: TestOvs): Promise<void> {
  const before = restartsIn(await read(daemon, '/metrics/ovs'));
  await ovs.signal('SIGSTOP');
  await Promise.all([
    unimpressed(t, daemon, 'ovs-vswitchd is stopped', 4000),
    until(daemon, /^jdos_ovs_vswitchd_up\{reason="hung"\} 0$/m),
  ]);
  const hung = await until(daemon, /^jdos_ovs_unixctl_hung 1$/m);
  t.match(hung, /^ovs_up 0$/m);
  t.match(hung, /^jdos_ovs_ovsdb_up\{reason=""\} 1$/m);
  t.notMatch(hung, /^jdos_ovs_unixctl_round_trip_seconds/m, 'absent, not 0');
  await ovs.signal('SIGCONT');
  const back = await until(daemon, /^ovs_up 1$/m);
  t.equal(restartsIn(back), before, 'that was no restart');
}

async function die(t: Test, daemon: RunningDaemon, ovs: TestOvs): Promise<void> {
  const before = restartsIn(await read(daemon, '/metrics/ovs'));
  await ovs.signal('SIGKILL');
  const down = await until(daemon, /^jdos_ovs_vswitchd_up\{reason="down"\} 0$/m);
  for (const absent of [/^ovs_interface_/m, /^ovs_coverage/m, /^ovs_datapath/m, /^ovs_bridge_flow_count/m])
    t.notMatch(down, absent, `${String(absent)} is absent, not 0`);
  t.match(down, /^ovs_bridge_port_count\{/m, 'what is configured is told');
  await unimpressed(t, daemon, 'ovs-vswitchd is killed', 1000);
  ovs.startSwitch();
  await until(daemon, /^ovs_up 1$/m);
  t.equal(restartsIn(await until(daemon, /^ovs_bridge_flow_count\{/m)), before + 1);
}

async function hangDatabase(t: Test, daemon: RunningDaemon, ovs: TestOvs): Promise<void> {
  const before = restartsIn(await read(daemon, '/metrics/ovs'));
  await ovs.signal('SIGSTOP', 'ovsdb-server');
  await unimpressed(t, daemon, 'the database is stopped', 1000);
  // One that hangs while nothing changes is noticed within a minute; a process that begins with it, at once.
  process.kill((await daemon.pids())['probe'] ?? 0, 'SIGKILL');
  const stopped = await until(daemon, /^jdos_ovs_ovsdb_up\{reason="hung"\} 0$/m);
  t.match(stopped, /^jdos_ovs_vswitchd_up\{reason=""\} 1$/m, 'ovs-vswitchd answers all the same');
  t.notMatch(stopped, /^ovs_bridge_port_count/m, 'absent, not 0');
  await unimpressed(t, daemon, 'the database does not answer', 1000);
  await ovs.signal('SIGCONT', 'ovsdb-server');
  const back = await until(daemon, /^ovs_up 1$/m);
  t.equal(restartsIn(back), before, 'counted once, though the process that counts is another');
}
