// Which interfaces are shown one by one, sums of the others that never shrink, and whose queues are asked for.
import t from 'tap';
import type { Row, Tables, Value } from '../../../src/drivers/ovsdb/index.ts';
import { openDetail } from '../../../src/probes/ovs/detail.ts';
import { shapedOf } from '../../../src/probes/ovs/queues.ts';
import { openSums } from '../../../src/probes/ovs/sums.ts';
import { describeSwitch, type Interface } from '../../../src/probes/ovs/switch.ts';

type Columns = Readonly<Record<string, Value>>;
const row = (columns: Columns): Row => new Map(Object.entries(columns));
const table = (rows: Readonly<Record<string, Columns>>): ReadonlyMap<string, Row> =>
  new Map(Object.entries(rows).map(([id, columns]) => [id, row(columns)]));

/** A bridge br0 with a port for each of these, or for each list of them. */
function written(ports: readonly (Columns | readonly Columns[])[]): Tables {
  const interfaces: Record<string, Columns> = {};
  const portRows: Record<string, Columns> = {};
  for (const [index, port] of ports.entries()) {
    const members = (Array.isArray(port) ? port : [port]) as readonly Columns[];
    for (const one of members) interfaces[`i-${String(one['name'])}`] = one;
    portRows[`p${index}`] = {
      name: members.length > 1 ? `bond${index}` : members[0]?.['name'],
      interfaces: members.map((one) => `i-${String(one['name'])}`),
    };
  }
  return new Map([
    ['Open_vSwitch', table({ root: { bridges: ['b', 'not there'] } })],
    ['Bridge', table({ b: { name: 'br0', ports: [...Object.keys(portRows), 'gone'] }, nameless: {} })],
    ['Port', table(portRows)],
    ['Interface', table(interfaces)],
  ]);
}

const driver = (name: string): Columns => ({ status: new Map([['driver_name', name]]) });
const owned = (key: string): Columns => ({ external_ids: new Map([[key, 'x']]) });
const PORTS = [
  { name: 'br0', type: 'internal' },
  { name: 'eth0', ...driver('mlx5_core') },
  { name: 'veth1', ...driver('veth') },
  { name: 'tap1', type: '', ...driver('tun') },
  { name: 'pod1', ...driver('mlx5e_rep'), ...owned('iface-id') },
  { name: 'pod2', type: 'internal', ...owned('pod_name') },
  { name: 'mgmt', type: 'internal' },
  { name: 'vhu1', type: 'dpdkvhostuserclient' },
  { name: 'vx0', type: 'vxlan' },
  { name: 'patch0', type: 'patch' },
  { name: 'dpdk0', type: 'dpdk' },
  [
    { name: 'm1', ...driver('veth') },
    { name: 'm2', ...driver('veth') },
  ],
  { name: 'driverless' },
] as const;

t.test('what leads out of the host, bond members and what is chosen is shown one by one', async (t) => {
  const { interfaces, bonds } = describeSwitch(written(PORTS));
  const names = (patterns: readonly string[]) => openDetail(patterns)(interfaces).detailed.map(({ name }) => name);
  t.equal(bonds, true);
  t.same(names([]), ['br0', 'eth0', 'mgmt', 'vx0', 'patch0', 'dpdk0', 'm1', 'm2']);
  t.same(names(['^veth', 'od2$']), ['br0', 'eth0', 'veth1', 'pod2', 'mgmt', 'vx0', 'patch0', 'dpdk0', 'm1', 'm2']);
  t.equal(openDetail(['.'])(interfaces).summed.length, 0);
  t.equal(interfaces.find(({ name }) => name === 'eth0')?.type, 'system');
});

t.test('however many are chosen, only so many are shown', async (t) => {
  const many = Array.from({ length: 600 }, (_, index) => ({ name: `veth${index}` }));
  const { detailed, summed } = openDetail(['.'])(describeSwitch(written(many)).interfaces);
  t.same([detailed.length, summed.length], [256, 344]);
});

t.test('sums gain what each interface gains, and never shrink when one goes or begins again', async (t) => {
  const of = (counters: Readonly<Record<string, number | undefined>>): readonly Interface[] =>
    describeSwitch(
      written(
        Object.entries(counters).map(([name, rx]) => ({
          name,
          statistics: new Map(rx === undefined ? [] : [['rx_bytes', rx]]),
        })),
      ),
    ).interfaces;
  const bridges = [{ name: 'br0' }];
  const sums = openSums();
  const rx = (counters: Readonly<Record<string, number | undefined>>) =>
    sums.advance(of(counters), bridges).map(({ totals }) => totals['rx_bytes']);
  t.same(rx({ a: 1000, b: 50 }), [0], 'what was before is not known to be new');
  t.same(rx({ a: 1010, b: 60 }), [20]);
  t.same(rx({ a: 1010, b: 60, c: 1e9 }), [20], 'one that comes makes no leap');
  t.same(rx({ b: 70, c: 1e9 + 5 }), [35], 'one that goes takes nothing along');
  t.same(rx({ b: 3, c: 1e9 + 5 }), [38], 'one that begins again gains what it has');
  t.same(rx({ b: undefined, c: 1e9 + 5 }), [38]);
  t.same(rx({ b: 4, c: 1e9 + 5 }), [39], 'one that was silent for a while has not begun again');
  const next = openSums(JSON.parse(JSON.stringify(sums.state())));
  t.same(next.advance(of({ b: 10 }), bridges)[0]?.totals['rx_bytes'], 39, 'the next process goes on');
  t.same(next.advance([], bridges).length, 1);
  t.same(next.advance([], []), [], 'a bridge that is gone has no sums');
  for (const foreign of [7, [], [{}], [{ bridge: 'b', type: 't', totals: { a: -1 } }]])
    t.same(openSums(foreign).advance([], bridges), []);
});

t.test('queues are asked for where there is a QoS of few of them, by names that are names', async (t) => {
  const queues = (count: number) => new Map(Array.from({ length: count }, (_, id) => [id, `q${id}`] as const));
  const port = (qos: string, ...names: readonly string[]): Columns => ({
    name: `port-${names[0]}`,
    qos,
    interfaces: names.map((name) => `i-${name}`),
  });
  const ports = {
    one: port('few', 'eth0'),
    bond: port('few', 'm1', 'm2'),
    many: port('many', 'eth1'),
    gone: port('none', 'eth2'),
    option: port('few', '--help'),
    long: port('few', 'x'.repeat(65)),
  };
  const names = ['eth0', 'm1', 'm2', 'eth1', 'eth2', '--help', 'x'.repeat(65)];
  const tables: Tables = new Map([
    ['Open_vSwitch', table({ root: { bridges: 'b' } })],
    ['Bridge', table({ b: { name: 'br0', ports: Object.keys(ports) } })],
    ['Port', table(ports)],
    ['Interface', table(Object.fromEntries(names.map((name) => [`i-${name}`, { name }])))],
    ['QoS', table({ few: { queues: queues(64) }, many: { queues: queues(65) } })],
  ]);
  t.same(
    shapedOf(describeSwitch(tables)).map((one) => one.interface),
    ['eth0', 'm1', 'm2'],
  );
});
