// The collector on a real Open vSwitch: what is done to the switch stands in the next collection, and nothing that hangs is waited for.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Collecting } from '../../../src/probes/collector.ts';
import { ProbesConfig } from '../../../src/probes/config.ts';
import { renderExposition } from '../../../src/probes/exposition.ts';
import { openFamilyWriter } from '../../../src/probes/family-writer.ts';
import { HostFiles } from '../../../src/probes/host-files.ts';
import { ovs as collector } from '../../../src/probes/ovs/collector.ts';
import { eventually, privateDirectory } from '../../support/daemon.ts';
import { needs } from '../../support/needs.ts';
import { needsOvs, startOvs } from '../../support/ovs.ts';

interface Opened {
  /** The lines of one collection. */
  collect(): Promise<readonly string[]>;
  /** Lines that begin with this, in the next collections, as soon as there are some. */
  until(what: string): Promise<readonly string[]>;
  readonly collecting: Collecting;
  /** Milliseconds that the longest collection took. */
  longest: number;
}

function open(t: Test, rundir: string, detail: readonly string[] = [], saved?: unknown): Opened {
  const config = ProbesConfig.parse({ ovs: { detail } });
  const sources = { dockerSocket: undefined, podsDir: undefined, ovsRundir: rundir };
  const collecting = collector.open({ host: new HostFiles('/'), config, sources, saved });
  t.teardown(() => collecting.close?.());
  const out = openFamilyWriter(collector.metrics);
  const opened: Opened = {
    collecting,
    longest: 0,
    async collect() {
      const began = performance.now();
      out.begin(50_000);
      await collecting.collect(out);
      opened.longest = Math.max(opened.longest, performance.now() - began);
      const { families, duplicates } = out.finish();
      t.same(duplicates, [], 'nothing is written twice');
      return families.flatMap(({ text }) => text.toString().trimEnd().split('\n'));
    },
    until: (what) =>
      eventually(what, async () => {
        const found = (await opened.collect()).filter((line) => line.startsWith(what));
        return found.length > 0 ? found : undefined;
      }),
  };
  return opened;
}

const named = (lines: readonly string[], begin: string): readonly string[] =>
  lines.filter((line) => line.startsWith(begin));

t.test('where there is no Open vSwitch, one sample says so and nothing fails', async (t) => {
  for (const rundir of [join(privateDirectory(t), 'none'), privateDirectory(t)]) {
    const { collect } = open(t, rundir);
    t.same(await collect(), ['jdos_ovs_present 0']);
    t.same(await collect(), ['jdos_ovs_present 0']);
  }
});

for (const version of ['installed', 'new'] as const)
  t.test(`the ${version} Open vSwitch`, { skip: needsOvs(version) }, async (t) => {
    t.test('a port that is added, tagged, broken and removed is seen at once', async (t) => {
      const ovs = startOvs(t, { version });
      ovs.vsctl('add-br', 'br0', '--', 'set', 'bridge', 'br0', 'datapath_type=netdev');
      for (const [a, b] of [
        ['v1', 'v1p'],
        ['v2', 'v2p'],
        ['m1', 'm1p'],
        ['m2', 'm2p'],
      ] as const)
        ovs.veth(a, b);
      const { collect, until } = open(t, ovs.rundir, ['^v2$']);
      const first = await collect();
      t.match(first, [
        'jdos_ovs_present 1',
        'ovs_up 1',
        'jdos_ovs_ovsdb_up{reason=""} 1',
        'jdos_ovs_vswitchd_up{reason=""} 1',
      ]);
      t.same(named(first, 'ovs_bridge_port_count'), ['ovs_bridge_port_count{bridge="br0",datapath_type="netdev"} 1']);
      for (const name of [
        'ovs_memory_revalidators_total',
        'jdos_ovs_upcall_flow_limit{type="netdev"',
        'ovs_datapath_lookup_hits_total{type="netdev"',
        'jdos_ovs_unixctl_round_trip_seconds',
        'ovs_build_info{ovs_version="',
      ])
        await until(name);

      ovs.vsctl(
        'add-port',
        'br0',
        'v1',
        'tag=5',
        '--',
        'set',
        'interface',
        'v1',
        'external_ids:iface-id=web_1',
        'external_ids:pod_name=web',
      );
      ovs.vsctl('add-port', 'br0', 'v2');
      const added = await collect();
      t.same(named(added, 'ovs_bridge_port_count'), ['ovs_bridge_port_count{bridge="br0",datapath_type="netdev"} 3']);
      t.match(named(added, 'jdos_ovs_port_info{bridge="br0",port="v1"'), [/tag="5",trunks="",/]);
      t.match(named(added, 'jdos_ovs_interface_info'), [/interface="v1",.*iface_id="web_1",.*pod_name="web"/]);
      const at = '{bridge="br0",port="v2",interface="v2",type="system"}';
      t.same(
        await until(`ovs_interface_link_state${at}`),
        [`ovs_interface_link_state${at} 1`],
        'chosen by probes.ovs.detail',
      );
      await until(`ovs_interface_rx_bytes${at}`);
      t.same(
        named(await collect(), 'ovs_interface_mtu_bytes{bridge="br0",port="v1"'),
        [],
        'the many are not shown one by one',
      );
      await until('ovs_interface_rx_bytes{bridge="br0",port="",interface="",type="system"}');
      t.same(await until('jdos_ovs_interfaces{bridge="br0",type="system",link_state="up"}'), [
        'jdos_ovs_interfaces{bridge="br0",type="system",link_state="up"} 2',
      ]);

      ovs.vsctl('set', 'port', 'v1', 'tag=6', 'trunks=1,2,3,9');
      t.match(named(await collect(), 'jdos_ovs_port_info{bridge="br0",port="v1"'), [/tag="6",trunks="1-3,9",/]);
      ovs.ip('link', 'set', 'v2p', 'down');
      t.same(await until(`ovs_interface_link_state${at} 0`), [`ovs_interface_link_state${at} 0`]);
      ovs.ip('link', 'del', 'v1');
      await until('jdos_ovs_interfaces{bridge="br0",type="system",link_state="down"} 2');
      ovs.vsctl('add-port', 'br0', 'v9', '--', 'set', 'interface', 'v9', 'external_ids:iface-id=lost');
      t.match(await until('jdos_ovs_interface_error'), [
        /interface="v9".*error="could not open network device v9 \(No such device\)"\} 1$/,
      ]);
      ovs.vsctl('del-port', 'br0', 'v9');
      ovs.vsctl('del-port', 'br0', 'v1');
      const removed = await collect();
      t.same(named(removed, 'jdos_ovs_interface_error'), []);
      t.same(named(removed, 'jdos_ovs_interface_info'), []);
      t.same(named(removed, 'ovs_bridge_port_count'), ['ovs_bridge_port_count{bridge="br0",datapath_type="netdev"} 2']);

      ovs.vsctl(
        'add-bond',
        'br0',
        'bond0',
        'm1',
        'm2',
        'lacp=active',
        '--',
        'set-controller',
        'br0',
        'tcp:127.0.0.1:1',
      );
      await until('jdos_ovs_bond_member_enabled{bond="bond0",interface="m1"} 0');
      t.same(named(await collect(), 'jdos_ovs_controller_connected'), [
        'jdos_ovs_controller_connected{bridge="br0",target="tcp:127.0.0.1:1"} 0',
      ]);
      await until('jdos_ovs_interface_lacp_current{bridge="br0",port="bond0",interface="m2",type="system"} 0');
      ovs.vsctl(
        'add-port',
        'br0',
        'vx0',
        '--',
        'set',
        'interface',
        'vx0',
        'type=vxlan',
        'options:remote_ip=10.9.9.9',
        'bfd:enable=true',
      );
      t.match(await until('jdos_ovs_interface_bfd_up'), [/interface="vx0",type="vxlan"\} 0$/]);
      ovs.vsctl(
        'set',
        'port',
        'v2',
        'qos=@q',
        '--',
        '--id=@q',
        'create',
        'qos',
        'type=linux-htb',
        'other-config:max-rate=1000000',
        'queues:7=@r',
        '--',
        '--id=@r',
        'create',
        'queue',
        'other-config:min-rate=5000',
      );
      const limited = await collect();
      t.same(named(limited, 'jdos_ovs_qos'), ['jdos_ovs_qos_max_bps{bridge="br0",port="v2",type="linux-htb"} 1000000']);
      t.same(named(limited, 'jdos_ovs_queue_m'), ['jdos_ovs_queue_min_bps{bridge="br0",port="v2",queue="7"} 5000']);
      await until('jdos_ovs_queue_tx_packets_total{bridge="br0",port="v2",interface="v2",queue="7"} 0');
      await until('jdos_ovs_queue_tx_bytes_total{bridge="br0",port="v2",interface="v2",queue="0"}');
      const mirror = ['name=m0', 'select-all=true', 'output-port=@p', '--', 'set', 'bridge', 'br0', 'mirrors=@m'];
      ovs.vsctl('--id=@p', 'get', 'port', 'v2', '--', '--id=@m', 'create', 'mirror', ...mirror);
      await until('jdos_ovs_mirror_tx_packets_total{bridge="br0",mirror="m0"}');
      await until('ovs_bridge_flow_count{bridge="br0",datapath_type="netdev"} ');
      await until('jdos_ovs_log_debug_modules{destination="file"} 0');
      ovs.appctl('vlog/set', 'bridge:file:dbg');
      await until('jdos_ovs_log_debug_modules{destination="file"} 1');
    });

    t.test('traffic of the many is summed, and told by the bridge and type', async (t) => {
      const ovs = startOvs(t, { version });
      ovs.vsctl('add-br', 'br0', '--', 'set', 'bridge', 'br0', 'datapath_type=netdev');
      for (const [a, b] of [
        ['v1', 'v1p'],
        ['v2', 'v2p'],
      ] as const) {
        ovs.veth(a, b);
        ovs.vsctl('add-port', 'br0', a);
      }
      const sum = 'ovs_interface_rx_packets{bridge="br0",port="",interface="",type="system"}';
      const { until, collecting, collect } = open(t, ovs.rundir);
      await until(`${sum} `);
      ovs.ip('addr', 'add', '10.77.0.1/24', 'dev', 'v1p');
      ovs.ip('neigh', 'add', '10.77.0.2', 'lladdr', '02:00:00:00:00:02', 'dev', 'v1p');
      ovs.send('10.77.0.2', 40);
      const gained = await eventually('the packets', async () => {
        const value = Number(
          named(await collect(), sum)[0]
            ?.split(' ')
            .at(-1),
        );
        return value >= 40 ? value : undefined;
      });
      const next = open(t, ovs.rundir, [], collecting.save?.());
      const after = Number((await next.until(`${sum} `))[0]?.split(' ').at(-1));
      t.ok(after >= gained, `${after} after ${gained}: the next process goes on`);
    });

    t.test('stopped ovs-vswitchd is hung, delays nothing, and is back when it goes on', async (t) => {
      const ovs = startOvs(t, { version });
      ovs.vsctl('add-br', 'br0', '--', 'set', 'bridge', 'br0', 'datapath_type=netdev');
      const opened = open(t, ovs.rundir);
      const { until, collect } = opened;
      await until('ovs_interface_link_state');
      await ovs.signal('SIGSTOP');
      opened.longest = 0;
      const hung = (await until('jdos_ovs_unixctl_hung 1')).length > 0 ? await collect() : [];
      t.match(named(hung, 'jdos_ovs_vswitchd_up'), ['jdos_ovs_vswitchd_up{reason="hung"} 0']);
      t.match(named(hung, 'ovs_up'), ['ovs_up 0']);
      t.match(named(hung, 'jdos_ovs_ovsdb_up'), ['jdos_ovs_ovsdb_up{reason=""} 1']);
      t.match(named(hung, 'jdos_ovs_unixctl_timeouts_total'), ['jdos_ovs_unixctl_timeouts_total 1']);
      t.equal(named(hung, 'jdos_ovs_unixctl_round_trip').length, 0);
      ovs.vsctl('--no-wait', 'set', 'port', 'br0', 'tag=9');
      await until('jdos_ovs_port_info{bridge="br0",port="br0",tag="9"'); // the database is told of all the same
      await eventually('what it told last goes', async () =>
        named(await collect(), 'ovs_interface_').length === 0 ? true : undefined,
      );
      t.equal(named(await collect(), 'ovs_coverage').length, 0);
      t.equal(named(await collect(), 'ovs_bridge_port_count').length, 1);
      t.ok(opened.longest < 400, `the longest collection took ${opened.longest.toFixed(0)} ms`);
      await ovs.signal('SIGCONT');
      await until('ovs_up 1');
      await until('ovs_interface_link_state');
    });

    t.test(
      'killed ovs-vswitchd is down, its series are absent; restarted it is back, and counts anew',

      async (t) => {
        const ovs = startOvs(t, { version });
        ovs.vsctl('add-br', 'br0', '--', 'set', 'bridge', 'br0', 'datapath_type=netdev');
        const { until, collect } = open(t, ovs.rundir);
        const before = Number((await until('ovs_coverage_util_xalloc_total'))[0]?.split(' ')[1]);
        await until('ovs_interface_rx_bytes');
        await ovs.signal('SIGKILL');
        await until('ovs_up 0');
        const down = await collect();
        t.same(named(down, 'jdos_ovs_vswitchd_up'), ['jdos_ovs_vswitchd_up{reason="down"} 0']);
        for (const of of [
          'ovs_interface_',
          'ovs_coverage',
          'ovs_memory',
          'ovs_datapath',
          'jdos_ovs_upcall',
          'jdos_ovs_unixctl_hung',
          'jdos_ovs_interfaces{',
          'ovs_build_info',
        ])
          t.same(named(down, of), [], `${of} is absent`);
        t.equal(named(down, 'ovs_bridge_port_count').length, 1);
        ovs.startSwitch();
        await until('ovs_up 1');
        const after = Number((await until('ovs_coverage_util_xalloc_total'))[0]?.split(' ')[1]);
        t.ok(after > 0 && after < before * 2, `${after} after ${before}`);

        await ovs.signal('SIGKILL', 'ovsdb-server');
        await until('jdos_ovs_ovsdb_up{reason="down"} 0');
        const alone = await collect();
        t.same(named(alone, 'jdos_ovs_vswitchd_up'), ['jdos_ovs_vswitchd_up{reason=""} 1']);
        t.equal(named(alone, 'ovs_bridge_port_count').length, 0);
        t.ok(named(alone, 'ovs_coverage').length > 10, 'ovs-vswitchd is asked all the same');
        ovs.startDatabase();
        await until('ovs_bridge_port_count');
      },
    );

    t.test('a database that hangs delays nothing', async (t) => {
      const ovs = startOvs(t, { version });
      await ovs.signal('SIGSTOP', 'ovsdb-server');
      const opened = open(t, ovs.rundir);
      t.same(named(await opened.collect(), 'jdos_ovs_ovsdb_up'), [], 'not known yet');
      t.same(await opened.until('jdos_ovs_ovsdb_up'), ['jdos_ovs_ovsdb_up{reason="hung"} 0']);
      t.ok(opened.longest < 700, `the longest collection took ${opened.longest.toFixed(0)} ms`);
      await ovs.signal('SIGCONT', 'ovsdb-server');
      await opened.until('ovs_up 1');
    });

    t.test('promtool takes all of it', { skip: needs('promtool') }, async (t) => {
      const ovs = startOvs(t, { version });
      ovs.vsctl('add-br', 'br0', '--', 'set', 'bridge', 'br0', 'datapath_type=netdev');
      const { until, collect } = open(t, ovs.rundir);
      await until('ovs_interface_rx_bytes');
      const lines = await collect();
      const families = collector.metrics.flatMap(({ name, help, type }) => {
        const own = lines.filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
        return own.length === 0 ? [] : [{ name, help, type, text: `${own.join('\n')}\n` }];
      });
      const text = renderExposition(families, 'text');
      try {
        execFileSync('promtool', ['check', 'metrics'], { input: text, stdio: ['pipe', 'ignore', 'pipe'] });
      } catch (error) {
        t.equal((error as { status?: number }).status, 3, 'names that others gave are lint, not errors');
      }
      t.ok(families.length > 50, `${families.length} families`);
    });
  });
