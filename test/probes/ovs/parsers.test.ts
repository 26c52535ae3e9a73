// What ovs-vswitchd answers, as recorded from 3.1 and as written from the sources of other versions, and what is asked when.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readBonds, readLacp } from '../../../src/probes/ovs/bonds.ts';
import { ranges } from '../../../src/probes/ovs/bridges.ts';
import { readConnections, readLimits } from '../../../src/probes/ovs/conntrack.ts';
import { readCoverage } from '../../../src/probes/ovs/coverage.ts';
import { readDatapaths, readUpcalls } from '../../../src/probes/ovs/datapath.ts';
import { bridgesDue } from '../../../src/probes/ovs/flows.ts';
import { readLogLevels } from '../../../src/probes/ovs/log-levels.ts';
import { readMemory } from '../../../src/probes/ovs/memory.ts';
import { readPmds, readQueues } from '../../../src/probes/ovs/pmd.ts';
import { questionsOf, type Circumstances } from '../../../src/probes/ovs/questions.ts';
import { readShaped } from '../../../src/probes/ovs/queues.ts';
import type { Reading } from '../../../src/probes/ovs/readings.ts';
import { statisticOf } from '../../../src/probes/ovs/statistics.ts';
import { parseCommands } from '../../../src/drivers/ovsdb/commands.ts';
import { golden } from '../../support/golden.ts';
import { FUZZ_SEED, mutate, random } from '../../support/random.ts';

const recorded = (command: string, version = 'bookworm-3.1'): string =>
  readFileSync(join(import.meta.dirname, '../../fixtures/ovs', version, `${command.replace('/', '_')}.txt`), 'utf8');

const render = (readings: readonly Reading[]): readonly string[] =>
  readings.map(({ metric, value, labels }) => {
    const shown = (metric.labels ?? []).map((name, index) => `${name}="${labels[index] ?? '?'}"`).join(',');
    return `${metric.name}${shown === '' ? '' : `{${shown}}`} ${value}`;
  });

const SHAPED = { bridge: 'br0', port: 'v1', interface: 'v1' };
const NETDEV = { type: 'netdev', name: 'ovs-netdev' };
const READERS: readonly (readonly [command: string, read: (text: string) => readonly Reading[]])[] = [
  ['coverage/show', readCoverage],
  ['memory/show', readMemory],
  ['upcall/show', readUpcalls],
  ['dpctl/show', readDatapaths],
  ['dpctl/ct-get-limits', (text) => readLimits(text, NETDEV)],
  ['dpctl/ct-get-nconns', (text) => readConnections(text, NETDEV)],
  ['bond/show', readBonds],
  ['lacp/show', readLacp],
  ['dpif-netdev/pmd-perf-show', readPmds],
  ['dpif-netdev/pmd-stats-show', readPmds],
  ['dpif-netdev/pmd-rxq-show', readQueues],
  ['qos/show', (text) => readShaped(text, SHAPED)],
  ['vlog/list', readLogLevels],
];

for (const version of ['bookworm-3.1', 'trixie-3.5'])
  t.test(`what Open vSwitch answered is read whole: ${version}`, async (t) => {
    const text = READERS.flatMap(([command, read]) => [`# ${command}`, ...render(read(recorded(command, version)))]);
    await golden(t, `ovs/answers-${version}.txt`, `${text.join('\n')}\n`);
  });

t.test('answers of other versions and of the kernel', async (t) => {
  for (const [what, read, text, expected] of [
    [
      'masks, caches and offloaded flows of the kernel',
      readDatapaths,
      'system@ovs-system:\n  lookups: hit:10 missed:2 lost:1\n  flows: 3\n  masks: hit:20 total:4 hit/pkt:1.50\n  cache: hit:9 hit-rate:75.00%\n  caches:\n    masks-cache: size:256\n  port 0: ovs-system (internal)\n',
      [
        'ovs_datapath_lookup_hits_total{type="system",name="ovs-system"} 10',
        'ovs_datapath_lookup_missed_total{type="system",name="ovs-system"} 2',
        'ovs_datapath_lookup_lost_total{type="system",name="ovs-system"} 1',
        'ovs_datapath_flows_total{type="system",name="ovs-system"} 3',
        'jdos_ovs_datapath_mask_hits_total{type="system",name="ovs-system"} 20',
        'jdos_ovs_datapath_masks{type="system",name="ovs-system"} 4',
        'jdos_ovs_datapath_cache_hits_total{type="system",name="ovs-system"} 9',
        'jdos_ovs_datapath_ports{type="system",name="ovs-system"} 1',
      ],
    ],
    [
      'offloaded flows and a long dump',
      readUpcalls,
      'system@ovs-system:\n  flows         : (current 7) (avg 5) (max 9) (limit 200)\n  offloaded flows : 4\n  dump duration : 1500ms\n',
      [
        'jdos_ovs_upcall_flows{type="system",name="ovs-system"} 7',
        'jdos_ovs_upcall_flows_average{type="system",name="ovs-system"} 5',
        'jdos_ovs_upcall_flows_maximum{type="system",name="ovs-system"} 9',
        'jdos_ovs_upcall_flow_limit{type="system",name="ovs-system"} 200',
        'jdos_ovs_upcall_offloaded_flows{type="system",name="ovs-system"} 4',
        'jdos_ovs_upcall_dump_duration_seconds{type="system",name="ovs-system"} 1.5',
      ],
    ],
    [
      'slaves, as before 2.15',
      readBonds,
      '---- bond0 ----\nbond_mode: active-backup\nlacp_status: off\n\nslave eth0: enabled\n  active slave\n  may_enable: true\n\nslave eth1: disabled\n',
      [
        'jdos_ovs_bond_info{bond="bond0",mode="active-backup",lacp_status="off"} 1',
        'jdos_ovs_bond_members{bond="bond0"} 2',
        'jdos_ovs_bond_member_enabled{bond="bond0",interface="eth0"} 1',
        'jdos_ovs_bond_member_active{bond="bond0",interface="eth0"} 1',
        'jdos_ovs_bond_member_enabled{bond="bond0",interface="eth1"} 0',
        'jdos_ovs_bond_member_active{bond="bond0",interface="eth1"} 0',
      ],
    ],
    [
      'upcalls that failed are lost, and are upcalls',
      readPmds,
      'pmd thread numa_id 1 core_id 3:\n  packets received: 9\n  miss with success upcall: 4\n  miss with failed upcall: 2\n',
      [
        'ovs_pmd_rx_packets{numa="1",cpu="3"} 9',
        'ovs_pmd_total_upcalls{numa="1",cpu="3"} 6',
        'ovs_pmd_lost_upcalls{numa="1",cpu="3"} 2',
      ],
    ],
    [
      'a queue of which the usage is not known yet',
      readQueues,
      'pmd thread numa_id 0 core_id 1:\n  isolated : true\n  port: dpdk0             queue-id:  3 (disabled)  pmd usage: NOT AVAIL\n',
      ['ovs_pmd_cpu_isolated{numa="0",cpu="1"} 1', 'ovs_pmd_rxq_enabled{numa="0",cpu="1",interface="dpdk0",rxq="3"} 0'],
    ],
    [
      'a counter of another version',
      readCoverage,
      'from_the_future          1.0/sec     0.500/sec        0.0100/sec   total: 12\n5 events never hit\n',
      ['ovs_coverage_total{component="ovs-vswitchd",event="from_the_future"} 12', 'jdos_ovs_coverage_never_hit 5'],
    ],
    ['a refusal', readDatapaths, 'ovs-vswitchd: multiple datapaths, specify one\n', []],
    ['nothing', readMemory, '', []],
  ] as const)
    t.same(render(read(text)), expected, what);
});

t.test('members of a bond that lead to different partners are a mismatch; who hears nothing is none', async (t) => {
  const good = recorded('lacp/show');
  const of = (text: string): readonly string[] => render(readLacp(text)).filter((line) => line.includes('mismatch'));
  t.same(of(good), [
    'jdos_ovs_lacp_partner_mismatch{bond="bonda"} 0',
    'jdos_ovs_lacp_partner_mismatch{bond="bondb"} 0',
  ]);
  const partner = /partner sys_id: (\S+)/.exec(good)?.[1] ?? '';
  t.match(of(good.replace(`partner sys_id: ${partner}`, 'partner sys_id: 02:00:00:00:00:01'))[0], /bonda"} 1$/);
  t.match(of(good.replace('partner key: 1', 'partner key: 7'))[0], /bonda"} 1$/);
  t.notMatch(of(good.replace(`partner sys_id: ${partner}`, 'partner sys_id: 00:00:00:00:00:00')).join(), /bonda/);
});

t.test(`broken answers are read as far as they go and never throw, seed ${FUZZ_SEED}`, async (t) => {
  const next = random();
  for (const [command, read] of READERS) {
    const seed = Buffer.from(recorded(command));
    let readings = 0;
    for (let round = 0; round < 400; round += 1) {
      for (const { value, labels, metric } of read(mutate(seed, next).toString('utf8'))) {
        readings += 1;
        if (!(value >= 0) || labels.length !== (metric.labels ?? []).length) t.fail(`${metric.name} ${value}`);
      }
    }
    t.ok(readings > 0, command);
  }
});

t.test('keys of statistics have a family each, those of queues and unknown ones too', async (t) => {
  for (const [key, name, more] of [
    ['rx_bytes', 'ovs_interface_rx_bytes', []],
    ['rx_1523_to_max_packets', 'ovs_interface_rx_1523_to_max_packets', []],
    ['ovs_tx_retries', 'ovs_interface_tx_retries', []],
    ['rx_q12_good_packets', 'ovs_interface_rx_good_packets', ['12']],
    ['rx_q0_errors', 'jdos_ovs_interface_statistics', ['rx_q0_errors']],
    ['of_the_future', 'jdos_ovs_interface_statistics', ['of_the_future']],
  ] as const) {
    const { metric, more: labels } = statisticOf(key) ?? {};
    t.same([metric?.name, labels], [name, more], key);
  }
  for (const key of ['', 'RX', 'a b', 'x'.repeat(65)]) t.equal(statisticOf(key), undefined, key);
});

t.test('trunks are ranges, and thousands of single ones are cut short', async (t) => {
  for (const [vlans, text] of [
    [[], ''],
    [[7], '7'],
    [[3, 1, 2, 9, 11, 10], '1-3,9-11'],
    [Array.from({ length: 4096 }, (_, vlan) => vlan), '0-4095'],
  ] as const)
    t.equal(ranges(vlans), text);
  const cut = ranges(Array.from({ length: 2000 }, (_, index) => 2 * index));
  t.match(cut, /^0,2,4,.*,\d+,…$/);
  t.ok(cut.length < 256);
});

const ALL = parseCommands(recorded('list-commands'));
const asked = (cycle: number, over: Partial<Circumstances> = {}): readonly string[] =>
  questionsOf(cycle, {
    bonds: true,
    shaped: [],
    datapaths: [NETDEV, { type: 'system', name: 'ovs-system' }],
    commands: ALL,
    ...over,
  }).map(({ key }) => key);

t.test('what is dear is asked less often, and never all of it at once but in the beginning', async (t) => {
  const pmd = 'dpif-netdev/pmd-perf-show -nh ovs-netdev';
  t.same(asked(4), ['upcall/show', 'coverage/show', 'dpctl/ct-get-maxconns netdev@ovs-netdev']);
  t.same(asked(5), ['upcall/show', pmd, 'bond/show', 'lacp/show', 'dpctl/show']);
  t.same(asked(6), [
    'upcall/show',
    'coverage/show',
    'dpctl/ct-get-nconns netdev@ovs-netdev',
    'dpif-netdev/pmd-rxq-show ovs-netdev',
    'vlog/list',
  ]);
  t.same(asked(7), [
    'upcall/show',
    pmd,
    'bond/show',
    'lacp/show',
    'memory/show',
    'dpctl/ct-get-limits netdev@ovs-netdev',
    'dpctl/ct-get-limits system@ovs-system',
  ]);
  t.same(asked(8), asked(4));
  t.same(asked(0, { datapaths: [] }), [
    'upcall/show',
    'coverage/show',
    'bond/show',
    'lacp/show',
    'dpctl/show',
    'memory/show',
    'vlog/list',
  ]);
});

t.test('what makes no sense or is not there is not asked', async (t) => {
  t.notOk(asked(5, { bonds: false }).some((key) => /bond|lacp/.test(key)));
  t.ok(asked(5, { bonds: undefined }).includes('bond/show'), 'when the database does not tell');
  t.notOk(asked(7, { datapaths: [{ type: 'system', name: 'ovs-system' }] }).some((key) => /netdev|nconns/.test(key)));
  t.same(asked(5, { commands: new Set(['dpctl/show']), shaped: [SHAPED] }), ['dpctl/show']);
  const old = new Set([...ALL].filter((command) => command !== 'dpif-netdev/pmd-perf-show'));
  t.ok(asked(5, { commands: old }).includes('dpif-netdev/pmd-stats-show ovs-netdev'));
});

t.test('queues and bridges are asked a few at a time, each of them once in a round', async (t) => {
  for (const [count, every, atOnce] of [
    [1, 4, 1],
    [10, 4, 3],
    [16, 4, 4],
    [32, 8, 4],
  ] as const) {
    const shaped = Array.from({ length: count }, (_, index) => ({ ...SHAPED, interface: `v${index}` }));
    const rounds = Array.from({ length: every }, (_, cycle) =>
      asked(cycle + 8, { shaped }).filter((key) => key.startsWith('qos/show')),
    );
    t.same(
      rounds.flat().toSorted(),
      shaped.map((one) => `qos/show ${one.interface}`).toSorted(),
      `${count} in ${every}`,
    );
    t.equal(Math.max(...rounds.map(({ length }) => length)), atOnce);
  }
  const named = (names: readonly string[]) => names.map((bridge) => ({ bridge, datapathType: 'system' }));
  const many = named(Array.from({ length: 40 }, (_, index) => `br${index}`));
  const rounds = Array.from({ length: 16 }, (_, cycle) => bridgesDue(cycle, many));
  t.same(new Set(rounds.map(({ every }) => every)), new Set([16]));
  t.equal(new Set(rounds.flatMap(({ due }) => due)).size, 32, 'and not more of them');
  t.ok(rounds.every(({ due }) => due.length === 2));
  t.same(
    Array.from(
      { length: 8 },
      (_, cycle) => bridgesDue(cycle, named(['br0', '../x', '.', 'a/b', '', 'x'.repeat(65)])).due,
    ).flat(),
    named(['br0']),
    'a name that leads elsewhere is no socket',
  );
});
