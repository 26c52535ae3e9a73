// A whole daemon beside a real Open vSwitch: its view, and that another directory is taken on SIGHUP.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { eventually, privateDirectory, startDaemon } from '../support/daemon.ts';
import { needsOvs, startOvs } from '../support/ovs.ts';

t.test(
  'Open vSwitch is served at /metrics/ovs, and found where the configuration says',
  { skip: needsOvs() },
  async (t) => {
    const ovs = startOvs(t);
    ovs.vsctl('add-br', 'br0', '--', 'set', 'bridge', 'br0', 'datapath_type=netdev');
    const config = join(privateDirectory(t), 'jdos.yaml');
    const configure = (rundir: string): void =>
      writeFileSync(config, `{ ovs: { rundir: ${rundir} }, probes: { periodSeconds: 1 } }\n`);
    configure('/nowhere');
    const daemon = startDaemon(t, { args: ['--config', config] });
    await daemon.until(/listens +http:/);
    const until = (line: RegExp): Promise<string> =>
      eventually(String(line), async () => {
        const text = await (await fetch(`${daemon.url()}/metrics/ovs`)).text();
        return line.test(text) ? text : undefined;
      });
    t.notMatch(await until(/^jdos_ovs_present 0$/m), /ovs_up/);
    const { items } = (await daemon.get('/jdos/v1/collectors')) as { items: { name: string; state: string }[] };
    t.match(
      items.find(({ name }) => name === 'ovs'),
      { state: 'ok', view: 'ovs' },
      'a host without it is no failure',
    );
    configure(ovs.rundir);
    daemon.child.kill('SIGHUP');
    const text = await until(/^ovs_up 1$/m);
    t.match(
      text,
      /^# TYPE ovs_bridge_port_count gauge\novs_bridge_port_count\{bridge="br0",datapath_type="netdev"\} 1$/m,
    );
    t.notMatch(text, /^node_/m);
    await ovs.signal('SIGKILL');
    await until(/^jdos_ovs_vswitchd_up\{reason="down"\} 0$/m);
  },
);
