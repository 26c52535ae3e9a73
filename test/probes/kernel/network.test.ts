// The network of the host in the kernel's counters: protocols, sockets, queues, neighbours, bonds; and schedstat.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { HostFiles } from '../../../src/probes/host-files.ts';
import { parseArp } from '../../../src/probes/kernel/arp.ts';
import { bonding } from '../../../src/probes/kernel/bonding.ts';
import { parseSnmp, parseSnmp6 } from '../../../src/probes/kernel/netstat.ts';
import { parseSchedstat, schedstat } from '../../../src/probes/kernel/schedstat.ts';
import { parseSockstat } from '../../../src/probes/kernel/sockstat.ts';
import { parseSoftnet, softnet } from '../../../src/probes/kernel/softnet.ts';
import { parseUdpQueues } from '../../../src/probes/kernel/udp-queues.ts';
import { collectOnce, config, openWriter } from './written.ts';

const UNEXPECTED = { code: 'JD_UNEXPECTED_KERNEL_TEXT' };

function write(root: string, files: Readonly<Record<string, string>>): HostFiles {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return new HostFiles(root);
}

t.test('counters of protocols are found by the names in the line above', async (t) => {
  const values = new Map<string, number>();
  parseSnmp(
    'snmp',
    'Tcp: MaxConn CurrEstab RetransSegs New\nTcp: -1 6 786 9\nUdp: InDatagrams NoPorts\nUdp: 1212 0\n',
    values,
  );
  parseSnmp6('Ip6InOctets                     \t4752\nIp6New 1\nUdpLite6InErrors\t0\n', values);
  t.same(Object.fromEntries(values), {
    node_netstat_Tcp_CurrEstab: 6,
    node_netstat_Tcp_RetransSegs: 786,
    node_netstat_Udp_InDatagrams: 1212,
    node_netstat_Udp_NoPorts: 0,
    node_netstat_Ip6_InOctets: 4752,
    node_netstat_UdpLite6_InErrors: 0,
  });
});

t.test('names without values, values of another protocol, and what is no number are refused', async (t) => {
  for (const text of [
    'Tcp: InErrs\n',
    'Tcp: InErrs\nUdp: 1\n',
    'Tcp: InErrs\nTcp: 1 2\n',
    'Tcp: InErrs\nTcp: x\n',
    'Tcp 1\nTcp 2\n',
  ]) {
    t.throws(() => parseSnmp('snmp', text, new Map()), UNEXPECTED, JSON.stringify(text));
  }
  for (const text of ['Ip6InOctets\n', 'Ip6InOctets 1 2\n', 'Ip6InOctets x\n'])
    t.throws(() => parseSnmp6(text, new Map()), UNEXPECTED, JSON.stringify(text));
});

t.test('sockets are read by pairs, and unknown ones are left out', async (t) => {
  t.same(Object.fromEntries(parseSockstat('sockets: used 118\nTCP: inuse 2 orphan 0 new 7\nSCTP: inuse 1\n')), {
    node_sockstat_sockets_used: 118,
    node_sockstat_TCP_inuse: 2,
    node_sockstat_TCP_orphan: 0,
  });
  for (const text of ['TCP inuse 2\n', 'TCP: inuse\n', 'TCP: inuse -1\n'])
    t.throws(() => parseSockstat(text), UNEXPECTED, text);
});

t.test('the lines of softnet_stat are in the order of the CPUs unless they say which they are of', async (t) => {
  const zero = '00000000';
  t.same(
    [...parseSoftnet(`0000000a 00000001 ${zero}\n0000000b ${zero} ${zero}\n`)],
    [
      ['0', [10, 1, 0]],
      ['1', [11, 0, 0]],
    ],
  );
  const row = (cpu: string): string => `${Array<string>(12).fill(zero).join(' ')} ${cpu} 00000002 00000003`;
  t.same([...parseSoftnet(`${row('00000000')}\n${row('00000003')}\n`).keys()], ['0', '3'], 'CPUs 1 and 2 are offline');
  for (const text of ['', '00000001\n', 'x y z\n'])
    t.throws(() => parseSoftnet(text), UNEXPECTED, JSON.stringify(text));
});

t.test('packets go on being counted over the wrap of 32 bits and over a restart of the probe process', async (t) => {
  const dir = t.testdir();
  const at = (processed: string): HostFiles =>
    write(dir, { 'proc/net/softnet_stat': `${processed} 00000000 00000001\n` });
  let collecting = softnet.open({ host: at('ffffff00'), config: config(), saved: undefined });
  const processed = async (): Promise<number | undefined> => {
    const out = openWriter(softnet);
    await collecting.collect(out);
    return out.written().samples.find(({ metric }) => metric === 'node_softnet_processed_total')?.value;
  };
  t.equal(await processed(), 0xffffff00);
  t.equal(collecting.save?.(), undefined, 'nothing has wrapped');
  at('00000100');
  t.equal(await processed(), 2 ** 32 + 0x100);
  const saved = collecting.save?.();
  collecting = softnet.open({ host: at('00000200'), config: config(), saved: JSON.parse(JSON.stringify(saved)) });
  t.equal(await processed(), 2 ** 32 + 0x200);
});

t.test('neighbours are counted by interface', async (t) => {
  const head = 'IP address       HW type     Flags       HW address            Mask     Device\n';
  const line = (device: string): string =>
    `192.0.2.1        0x1         0x2         02:fc:00:00:00:05     *        ${device}\n`;
  t.same(
    [...parseArp(head + line('eth0') + line('br-1') + line('eth0'))],
    [
      ['eth0', 2],
      ['br-1', 1],
    ],
  );
  t.same([...parseArp(head)], []);
  for (const text of ['', `${head}192.0.2.1 0x1\n`]) t.throws(() => parseArp(text), UNEXPECTED, JSON.stringify(text));
});

t.test('what waits in UDP sockets is summed up', async (t) => {
  const head = '   sl  local_address rem_address   st tx_queue rx_queue tr tm->when\n';
  const line = (queues: string): string =>
    `  53: 00000000:0035 00000000:0000 07 ${queues} 00:00000000 00000000     0        0 1 2 0 0\n`;
  t.same(parseUdpQueues(head + line('00000010:00000300') + line('00000001:00000000')), { tx: 17, rx: 768 });
  t.same(parseUdpQueues(head), { tx: 0, rx: 0 });
  for (const text of ['', `${head}x\n`, head + line('00000010')])
    t.throws(() => parseUdpQueues(text), UNEXPECTED, JSON.stringify(text));
});

t.test('bonds have their members, and those work whose link the bond has seen up', async (t) => {
  const host = write(t.testdir(), {
    'sys/class/net/bonding_masters': 'bond0 bond1\n',
    'sys/class/net/bond0/bonding/slaves': 'eth0 eth1 eth2\n',
    'sys/class/net/bond1/bonding/slaves': '\n',
    'sys/class/net/eth0/bonding_slave/mii_status': 'up\n',
    'sys/class/net/eth1/bonding_slave/mii_status': 'down\n',
    'sys/class/net/eth1/operstate': 'up\n',
    'sys/class/net/eth2/operstate': 'up\n',
  });
  const { text } = await collectOnce(bonding, host);
  for (const line of [
    'node_bonding_slaves{master="bond0"} 3',
    'node_bonding_active{master="bond0"} 2',
    'node_bonding_slaves{master="bond1"} 0',
    'node_bonding_active{master="bond1"} 0',
  ])
    t.ok(text.includes(`${line}\n`), line);
  t.equal((await collectOnce(bonding, write(t.testdir(), {}))).text, '', 'a host without the module has no series');
});

t.test('schedstat is read by CPU, and a kernel without it has no series', async (t) => {
  // written: after Documentation/scheduler/sched-stats.rst, version 15
  const text =
    'version 15\ntimestamp 4295\ncpu0 0 0 0 0 0 0 2000000000 500000000 42\ndomain0 3 0 0\ncpu11 0 0 0 0 0 0 1 2 3\n';
  t.same(parseSchedstat(text), [
    { cpu: '0', runningSeconds: 2, waitingSeconds: 0.5, timeslices: 42 },
    { cpu: '11', runningSeconds: 1e-9, waitingSeconds: 2e-9, timeslices: 3 },
  ]);
  t.throws(() => parseSchedstat('cpu0 1 2\n'), UNEXPECTED);
  t.equal((await collectOnce(schedstat, write(t.testdir(), {}))).text, '');
});
