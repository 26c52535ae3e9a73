import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { byName, declaredFamilies, renderExposition } from '../../../src/probes/exposition.ts';
import { openFamilyWriter } from '../../../src/probes/family-writer.ts';
import { HostFiles } from '../../../src/probes/host-files.ts';
import { netclass } from '../../../src/probes/host/netclass.ts';
import { config } from '../kernel/written.ts';

const ETH: Readonly<Record<string, string>> = {
  addr_assign_type: '0',
  address: '02:fc:00:00:00:01',
  broadcast: 'ff:ff:ff:ff:ff:ff',
  carrier: '1',
  carrier_changes: '3',
  carrier_down_count: '1',
  carrier_up_count: '2',
  dev_id: '0x0',
  dormant: '0',
  duplex: 'full',
  flags: '0x1003',
  ifalias: 'to "rack" 4',
  ifindex: '2',
  iflink: '2',
  link_mode: '0',
  mtu: '1500',
  name_assign_type: '4',
  netdev_group: '0',
  operstate: 'up',
  speed: '25000',
  tx_queue_len: '1000',
  type: '1',
};
/** The kernel answers EINVAL for the others, which is no other than that they are not there. */
const DOWN = {
  address: '02:fc:00:00:00:02',
  flags: '0x1002',
  ifindex: '3',
  mtu: '1500',
  operstate: 'down',
  speed: '-1',
};

/** Those whose name begins with `eth` are hardware. */
function openOn(
  t: Test,
  links: Readonly<Record<string, object>>,
  excludeDevices: readonly string[] = [],
  quarantined: readonly string[] = [],
) {
  const root = t.testdir();
  const net = join(root, 'sys/class/net');
  const write = (device: string, attributes: object): void => {
    mkdirSync(join(net, device), { recursive: true });
    for (const [name, text] of Object.entries(attributes)) writeFileSync(join(net, device, name), `${text}\n`);
  };
  mkdirSync(net, { recursive: true });
  for (const [device, attributes] of Object.entries(links)) {
    write(device, attributes);
    if (device.startsWith('eth')) symlinkSync('../../../0000:00:01.0', join(net, device, 'device'));
  }
  const host = new HostFiles(root, undefined, quarantined);
  const collecting = netclass.open({ host, config: config({ network: { excludeDevices } }), saved: undefined });
  const out = openFamilyWriter(netclass.metrics);
  return {
    write,
    remove: (device: string) => rmSync(join(net, device), { recursive: true }),
    collect(): string {
      out.begin(10_000);
      void collecting.collect(out);
      const { families, refused } = out.finish();
      t.equal(refused, 0);
      const lines = renderExposition(declaredFamilies(families, byName(netclass.metrics)), 'text').toString();
      return lines.replaceAll(/^#.*\n/gm, '');
    },
  };
}

t.test('an interface has its state, its properties and its names', async (t) => {
  const { collect } = openOn(t, { eth0: ETH });
  t.equal(
    collect(),
    `node_network_up{device="eth0"} 1
node_network_info{device="eth0",address="02:fc:00:00:00:01",broadcast="ff:ff:ff:ff:ff:ff",duplex="full",ifalias="to \\"rack\\" 4",operstate="up"} 1
node_network_address_assign_type{device="eth0"} 0
node_network_carrier{device="eth0"} 1
node_network_carrier_changes_total{device="eth0"} 3
node_network_carrier_down_changes_total{device="eth0"} 1
node_network_carrier_up_changes_total{device="eth0"} 2
node_network_device_id{device="eth0"} 0
node_network_dormant{device="eth0"} 0
node_network_flags{device="eth0"} 4099
node_network_iface_id{device="eth0"} 2
node_network_iface_link{device="eth0"} 2
node_network_iface_link_mode{device="eth0"} 0
node_network_mtu_bytes{device="eth0"} 1500
node_network_name_assign_type{device="eth0"} 4
node_network_net_dev_group{device="eth0"} 0
node_network_protocol_type{device="eth0"} 1
node_network_speed_bytes{device="eth0"} 3125000000
node_network_transmit_queue_length{device="eth0"} 1000
`,
  );
});

t.test('what an interface that is down cannot say is absent, and a speed that is not known too', async (t) => {
  t.equal(
    openOn(t, { eth1: DOWN }).collect(),
    `node_network_up{device="eth1"} 0
node_network_info{device="eth1",address="02:fc:00:00:00:02",broadcast="",duplex="",ifalias="",operstate="down"} 1
node_network_flags{device="eth1"} 4098
node_network_iface_id{device="eth1"} 3
node_network_mtu_bytes{device="eth1"} 1500
`,
  );
});

t.test('hardware and bonds are read each time, others once in four times, all of them within four', async (t) => {
  const veths = Array.from({ length: 9 }, (_, i) => `veth${i}`);
  const { collect, write } = openOn(t, Object.fromEntries(['eth0', 'bond0', ...veths].map((device) => [device, ETH])));
  write('bond0/bonding', { mode: 'active-backup 1' });
  collect();
  for (const device of ['eth0', 'bond0', ...veths]) write(device, { operstate: 'down' });
  const changed = (): number => [...collect().matchAll(/^node_network_up\{device="\w+"\} 0$/gm)].length;
  const first = changed();
  t.ok(first >= 2 + 2 && first <= 2 + 3, `${first} at once`);
  t.match(collect(), /^node_network_up\{device="bond0"\} 0$/m);
  changed();
  t.equal(changed(), 11);
  t.notMatch(collect(), /operstate="up"/);
});

t.test('interfaces come and go, and those excluded are not read', async (t) => {
  const { collect, remove, write } = openOn(t, { eth0: ETH, veth1: ETH, bonding_masters: {} }, ['veth*']);
  const devices = (text: string) => [...new Set([...text.matchAll(/device="(\w+)"/g)].map(([, device]) => device))];
  t.same(devices(collect()), ['eth0']);
  write('br0', DOWN);
  t.same(devices(collect()), ['eth0', 'br0'], 'hardware first, so that a budget leaves it in');
  remove('eth0');
  t.same(devices(collect()), ['br0']);
});

t.test('an interface whose driver hung is left out, the others are shown', async (t) => {
  const { collect } = openOn(t, { eth0: ETH, eth1: DOWN }, [], ['netclass', 'interface eth0']);
  const text = collect();
  t.notMatch(text, 'eth0');
  t.match(text, 'node_network_up{device="eth1"} 0');
});

t.test('a host without the directory has no answer', async (t) => {
  const collecting = netclass.open({ host: new HostFiles(t.testdir()), config: config(), saved: undefined });
  t.throws(() => void collecting.collect(openFamilyWriter(netclass.metrics)), { code: 'ENOENT' });
});
