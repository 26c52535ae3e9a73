// What is made of the metrics of Open vSwitch: dashboards and rules, asked of a real Prometheus that scrapes a daemon beside a real switch.
import { join } from 'node:path';
import t from 'tap';
import { eventually, startDaemon } from '../support/daemon.ts';
import { askDashboard, dashboards, expressionsOf, substitute } from '../support/dashboards.ts';
import { needs } from '../support/needs.ts';
import { needsOvs, startOvs, type TestOvs } from '../support/ovs.ts';
import { partsOf } from '../support/promql.ts';
import { startPrometheus } from '../support/prometheus.ts';

const RULES = join(import.meta.dirname, '../../deploy/prometheus/jdos.rules.yaml');

/** Something of everything that needs no hardware: two bonds that speak LACP with each other, a tunnel, a mirror, queues, polling threads. */
function build(ovs: TestOvs): void {
  for (const bridge of ['br0', 'br1'])
    ovs.vsctl('add-br', bridge, '--', 'set', 'bridge', bridge, 'datapath_type=netdev');
  for (const pair of ['a', 'b', 'p', 'q']) ovs.veth(`${pair}0`, `${pair}1`);
  for (const [bridge, end] of [
    ['br0', 0],
    ['br1', 1],
  ] as const)
    ovs.vsctl('add-bond', bridge, `bond${end}`, `a${end}`, `b${end}`, 'lacp=active', 'bond_mode=balance-tcp');
  ovs.vsctl(
    'add-port',
    'br0',
    'p0',
    '--',
    'set',
    'interface',
    'p0',
    'external_ids:pod_name=web',
    'external_ids:iface-id=1',
  );
  ovs.vsctl('add-port', 'br0', 'q0');
  const tunnel = ['type=vxlan', 'options:remote_ip=10.78.0.9', 'bfd:enable=true', 'cfm_mpid=7'];
  ovs.ip('addr', 'add', '10.78.0.1/24', 'dev', 'q1');
  ovs.vsctl('add-port', 'br1', 'vx0', '--', 'set', 'interface', 'vx0', ...tunnel);
  ovs.vsctl('set-controller', 'br0', 'tcp:127.0.0.1:1');
  ovs.vsctl('set-manager', 'tcp:127.0.0.1:2');
  ovs.vsctl(
    '--id=@p',
    'get',
    'port',
    'p0',
    '--',
    '--id=@q',
    'get',
    'port',
    'q0',
    '--',
    '--id=@m',
    'create',
    'mirror',
    'name=m0',
    'select-all=true',
    'output-port=@q',
    '--',
    'set',
    'bridge',
    'br0',
    'mirrors=@m',
  );
  const queue = ['--', '--id=@r', 'create', 'queue', 'other-config:min-rate=5000000'];
  ovs.vsctl(
    'set',
    'port',
    'p0',
    'qos=@s',
    '--',
    '--id=@s',
    'create',
    'qos',
    'type=linux-htb',
    'other-config:max-rate=10000000',
    'queues:7=@r',
    ...queue,
  );
  ovs.appctl('dpctl/ct-set-limits', 'netdev@ovs-netdev', 'zone=5,limit=20');
  ovs.vsctl('add-br', 'brd', '--', 'set', 'bridge', 'brd', 'datapath_type=dummy');
  ovs.vsctl('add-port', 'brd', 'd0', '--', 'set', 'interface', 'd0', 'type=dummy-pmd');
  try {
    ovs.vsctl('add-port', 'br0', 'lost');
  } catch {
    // it is there all the same, and broken
  }
}

const FRAME = 'in_port(1),eth(src=50:54:00:00:00:09,dst=50:54:00:00:00:0a),eth_type(0x1234)';

/** Of the datapath in the kernel, and of a controller that was connected once. */
const NOT_HERE = [
  'jdos_ovs_controller_state_seconds',
  'jdos_ovs_datapath_mask_hits_total',
  'jdos_ovs_datapath_masks',
] as const;

t.test(
  'every expression of the dashboards has an answer where there is one, and every rule is evaluated without an error',
  { skip: needsOvs() || needs('prometheus') },
  async (t) => {
    const ovs = startOvs(t, { args: ['--enable-dummy'] });
    build(ovs);
    const daemon = startDaemon(t, {
      config: `{ ovs: { rundir: ${ovs.rundir} }, probes: { periodSeconds: 1, budget: { cpuRatio: 1 }, ovs: { detail: ['^p0$'] } } }\n`,
    });
    await daemon.until(/first report/);
    const prometheus = await startPrometheus(t, { all: new URL(`${daemon.url()}/metrics`) }, [RULES]);
    ovs.ip('addr', 'add', '10.77.0.1/24', 'dev', 'p1');
    ovs.ip('neigh', 'add', '10.77.0.2', 'lladdr', '02:00:00:00:00:02', 'dev', 'p1');
    for (let round = 0; round < 10; round += 1) {
      ovs.send('10.77.0.2', 50);
      ovs.appctl('netdev-dummy/receive', 'd0', FRAME);
    }
    await eventually('scrapes', async () => {
      const counted = await prometheus.query(
        'count_over_time(jdos_ovs_log_debug_modules{destination="file"}[1m]) >= 8',
      );
      return counted.length === 1 || undefined;
    });

    const exposed = new Set(await prometheus.get<string[]>('label/__name__/values'));
    const missing = new Set<string>();
    for (const [file, dashboard] of dashboards()) {
      if (!/^(ovs|kernel)\.json$/.test(file)) continue;
      const { answered, empty } = await askDashboard(prometheus, dashboard, {
        job: 'all',
        __rate_interval: '10s',
        __range: '1m',
      });
      t.same(empty, [], `${file}: what is exposed is shown`);
      t.ok(answered > 30, `${file}: ${answered} expressions have an answer here`);
      if (file !== 'ovs.json') continue;
      for (const { promql } of expressionsOf(dashboard))
        for (const { metric } of partsOf(substitute(promql, {})).selectors)
          if (!exposed.has(metric)) missing.add(metric);
    }
    t.same([...missing].filter((name) => !name.startsWith('ovs_coverage_')).sort(), NOT_HERE);

    const { groups } = await prometheus.get<{
      groups: { rules: { name: string; health: string; lastError?: string }[] }[];
    }>('rules');
    const rules = groups.flatMap((group) => group.rules);
    t.ok(rules.length > 90, `${rules.length} rules`);
    t.same(
      rules.filter(({ health }) => health !== 'ok').map(({ name, lastError }) => `${name}: ${lastError}`),
      [],
    );
    const pending = (name: string): Promise<unknown> =>
      eventually(name, async () => (await prometheus.query(`ALERTS{alertname="${name}"}`)).length > 0 || undefined);
    for (const name of ['OvsInterfaceBroken', 'OvsControllerDisconnected', 'OvsManagerDisconnected', 'OvsBfdDown'])
      await pending(name);
    t.same(
      await prometheus.query('ALERTS{alertname=~"Ovs(Switch|Database|Bond|Lacp|Flow|Upcalls|Gone|Unwatched).*"}'),
      [],
    );
    await ovs.signal('SIGSTOP');
    await pending('OvsSwitchDown');
  },
);
