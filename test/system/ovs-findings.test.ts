// What the inspection of a whole daemon tells of a real Open vSwitch: a broken port, and ovs-vswitchd that accepts and never answers.
import t from 'tap';
import { eventually, startDaemon } from '../support/daemon.ts';
import { findings, type Finding } from '../support/findings.ts';
import { needsOvs, startOvs } from '../support/ovs.ts';

const short = (found: readonly Finding[]): readonly string[] =>
  found.map(({ code, target, verdict }) => `${code} ${target} ${verdict}`).sort();

t.test(
  'a broken port is a finding, and so is ovs-vswitchd when it is stopped; nothing else waits for it',
  { skip: needsOvs() },
  async (t) => {
    const ovs = startOvs(t);
    ovs.vsctl('add-br', 'br0', '--', 'set', 'bridge', 'br0', 'datapath_type=netdev');
    const config = `{ ovs: { rundir: ${ovs.rundir} }, probes: { periodSeconds: 1 } }\n`;
    const daemon = startDaemon(t, { config });
    await daemon.until(/listens +http:/);
    const isSeen = (line: RegExp): Promise<unknown> =>
      eventually(String(line), async () =>
        line.test(await (await fetch(`${daemon.url()}/metrics/ovs`)).text()) ? true : undefined,
      );
    await isSeen(/^ovs_up 1$/m);
    t.same(await findings(daemon, 'OVS_'), [], 'all is well');

    ovs.vsctl('--no-wait', 'add-port', 'br0', 'nosuch0');
    await isSeen(/^jdos_ovs_interface_error\{[^}]*interface="nosuch0"/m);
    await findings(daemon, 'OVS_'); // a warning is believed at the second look
    const [broken, ...others] = await findings(daemon, 'OVS_');
    t.same(others, []);
    t.match(broken, {
      code: 'OVS_PORTS',
      target: 'br0',
      verdict: 'warn',
      evidence: ['broken=1', /^nosuch0: .*No such/],
    });

    await ovs.signal('SIGSTOP');
    t.teardown(() => ovs.signal('SIGCONT'));
    await isSeen(/^jdos_ovs_unixctl_hung 1$/m);
    const began = Date.now();
    const stopped = await findings(daemon, 'OVS_');
    t.ok(Date.now() - began < 5000, `the inspection took ${Date.now() - began} ms`);
    t.same(
      short(stopped),
      [
        'OVS_ALIVE ovs-vswitchd crit',
        'OVS_BONDS host unknown',
        'OVS_LOST netdev@ovs-netdev unknown',
        'OVS_PORTS br0 unknown',
      ],
      'and what it would know is unknown, not well',
    );
    const alive = stopped.find(({ code }) => code === 'OVS_ALIVE');
    t.match(alive?.evidence, ['up=0', 'reason=hung', /^waiting=/]);
    const { items } = (await daemon.get('/jdos/v1/collectors')) as {
      items: { name: string; state: string; lastSuccessAt: string; periodSeconds: number }[];
    };
    t.same(
      items.filter(({ state }) => state === 'stale' || state === 'waiting').map(({ name }) => name),
      [],
      'no collector waits for it',
    );

    await ovs.signal('SIGCONT');
    await isSeen(/^ovs_up 1$/m);
    await findings(daemon, 'OVS_'); // one good look is not yet recovery
    t.same(short(await findings(daemon, 'OVS_')), ['OVS_PORTS br0 warn'], 'what is over is no finding');
  },
);
