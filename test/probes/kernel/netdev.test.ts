// Network interfaces, with the columns that the header names.
import t from 'tap';
import { HostFiles } from '../../../src/probes/host-files.ts';
import { isExcludedDevice, netdev, parseNetDev } from '../../../src/probes/kernel/netdev.ts';
import { collectOnce, config } from './written.ts';

const HEADER = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
`;
const ETH0 =
  '  eth0: 507631151   12258    1    2    3     4          5         6   905796    7369    7    8    9      10      11         12\n';

t.test('each number is the statistic that its column names', async (t) => {
  const { text } = await collectOnce(
    netdev,
    new HostFiles(t.testdir({ proc: { 1: { net: { dev: HEADER + ETH0 } } } })),
  );
  t.match(text, 'node_network_receive_bytes_total{device="eth0"} 507631151\n');
  t.match(text, 'node_network_receive_multicast_total{device="eth0"} 6\n');
  t.match(text, 'node_network_transmit_bytes_total{device="eth0"} 905796\n');
  t.match(text, 'node_network_transmit_colls_total{device="eth0"} 10\n');
  t.match(text, 'node_network_transmit_compressed_total{device="eth0"} 12\n');
  t.equal(text.split('\n').length - 1, 16);
});

t.test('names that touch their numbers and aliases with a colon are read', async (t) => {
  const row = '1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n';
  const { devices } = parseNetDev(`${HEADER}veth0a1b2c:${row} eth0:1: ${row}br-int|x: ${row}`);
  t.same([...devices.keys()], ['veth0a1b2c', 'eth0:1', 'br-int|x']);
});

t.test('columns of another kernel are told apart by the header', async (t) => {
  const header = 'Inter-| Receive | Transmit\n face |bytes fresh packets|bytes\n';
  const host = new HostFiles(t.testdir({ proc: { 1: { net: { dev: `${header}lo: 1 2 3 4\n` } } } }));
  t.equal(
    (await collectOnce(netdev, host)).text,
    'node_network_receive_bytes_total{device="lo"} 1\nnode_network_receive_packets_total{device="lo"} 3\n' +
      'node_network_transmit_bytes_total{device="lo"} 4\n',
  );
});

t.test('a namespace without interfaces has no series', async (t) => {
  t.equal(parseNetDev(HEADER).devices.size, 0);
});

t.test('malformed text is refused', async (t) => {
  for (const text of [
    '',
    'Inter-|\n',
    'a\nb\n',
    `${HEADER}eth0 1 2 3\n`,
    `${HEADER}eth0: 1 2 3\n`,
    `${HEADER}: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n`,
    HEADER + ETH0.replace('12258', '-1'),
    HEADER + ETH0.replace('12258', '1e4'),
    HEADER + ETH0.replace('12\n', '12 13\n'),
  ]) {
    t.throws(() => parseNetDev(text), { code: 'JD_UNEXPECTED_KERNEL_TEXT' }, JSON.stringify(text));
  }
});

t.test("the host's first process is asked before this one", async (t) => {
  const row = (name: string): string => `${HEADER}${name}: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n`;
  const proc = { 1: { net: { dev: row('host0') } }, self: { net: { dev: row('own0') } } };
  t.match((await collectOnce(netdev, new HostFiles(t.testdir({ proc })))).text, 'host0');
  t.match((await collectOnce(netdev, new HostFiles(t.testdir({ proc: { self: proc.self } })))).text, 'own0');
});

t.test('interfaces are excluded by name or by what they begin with', async (t) => {
  t.ok(isExcludedDevice('lo', ['lo']));
  t.notOk(isExcludedDevice('lo0', ['lo']));
  t.ok(isExcludedDevice('veth12ab', ['lo', 'veth*']));
  const host = new HostFiles(t.testdir({ proc: { 1: { net: { dev: HEADER + ETH0 } } } }));
  t.equal((await collectOnce(netdev, host, config({ network: { excludeDevices: ['eth*'] } }))).text, '');
});
