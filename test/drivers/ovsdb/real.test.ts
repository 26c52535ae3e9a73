// The clients of OVSDB and unixctl against the real servers of Open vSwitch.
import t from 'tap';
import { openDatabase } from '../../../src/drivers/ovsdb/database.ts';
import { followDatabase } from '../../../src/drivers/ovsdb/follow.ts';
import type { Row } from '../../../src/drivers/ovsdb/tables.ts';
import { map, named, set, uuid } from '../../../src/drivers/ovsdb/transact.ts';
import { openUnixctl } from '../../../src/drivers/ovsdb/unixctl.ts';
import { eventually } from '../../support/daemon.ts';
import { needsOvs, startOvs } from '../../support/ovs.ts';

const WISH = {
  Open_vSwitch: ['bridges', 'ovs_version', 'next_cfg', 'cur_cfg'],
  Bridge: ['name', 'ports', 'external_ids'],
  Port: ['name', 'tag', 'trunks', 'interfaces'],
  Interface: ['name', 'type', 'error', 'ofport', 'statistics', 'external_ids', 'of_the_future'],
  Future: ['x'],
};

for (const version of ['installed', 'new'] as const)
  t.test(`the ${version} Open vSwitch`, { skip: needsOvs(version) }, async (t) => {
    t.test('rows are seen, and each change of them: columns of one, sets and maps', async (t) => {
      const ovs = startOvs(t, { version });
      using following = followDatabase(ovs.socket, 'Open_vSwitch', WISH);
      await following.settled(5000);
      const row = (table: string, name: string): Row | undefined =>
        following.state.kind === 'followed'
          ? [...(following.state.tables.get(table)?.values() ?? [])].find((one) => one.get('name') === name)
          : undefined;
      t.equal(following.state.kind, 'followed');
      t.equal(row('Bridge', 'br0'), undefined);
      ovs.vsctl('add-br', 'br0', '--', 'set', 'bridge', 'br0', 'datapath_type=netdev');
      await eventually('the bridge', () => row('Bridge', 'br0'));
      const changed = async (
        what: string,
        table: string,
        name: string,
        column: string,
        expected: unknown,
        ...args: string[]
      ) => {
        ovs.vsctl(...args);
        await eventually(what, () => {
          const value = row(table, name)?.get(column);
          return JSON.stringify(value instanceof Map ? [...value].sort() : value) === JSON.stringify(expected)
            ? true
            : undefined;
        }).catch((error: unknown) => t.fail(String(error), { value: row(table, name)?.get(column) }));
        t.pass(what);
      };
      await changed('a tag', 'Port', 'br0', 'tag', 5, 'set', 'port', 'br0', 'tag=5');
      await changed('no tag', 'Port', 'br0', 'tag', undefined, 'clear', 'port', 'br0', 'tag');
      await changed('trunks', 'Port', 'br0', 'trunks', [1, 2], 'set', 'port', 'br0', 'trunks=1,2');
      await changed('one trunk less', 'Port', 'br0', 'trunks', [2], 'remove', 'port', 'br0', 'trunks', '1');
      const ids = (value: readonly (readonly [string, string])[], ...args: string[]) =>
        changed(args.join(' '), 'Bridge', 'br0', 'external_ids', value, ...args);
      await ids(
        [
          ['a', '1'],
          ['b', '2'],
        ],
        'set',
        'bridge',
        'br0',
        'external_ids={a=1,b=2}',
      );
      await ids(
        [
          ['a', '1'],
          ['b', '3'],
        ],
        'set',
        'bridge',
        'br0',
        'external_ids:b=3',
      );
      await ids([['b', '3']], 'remove', 'bridge', 'br0', 'external_ids', 'a');
      await ids([], 'clear', 'bridge', 'br0', 'external_ids');
      await eventually(
        'statistics',
        () => (row('Interface', 'br0')?.get('statistics') as Map<string, number>).get('rx_bytes') ?? undefined,
      );
      t.notOk(row('Interface', 'br0')?.has('of_the_future'));
      await ovs.signal('SIGKILL', 'ovsdb-server');
      await eventually('the end', () => (following.state.kind === 'down' ? true : undefined));
      ovs.startDatabase();
      await eventually('the rows again', () => row('Bridge', 'br0'));
    });

    t.test('a transaction makes a bridge, and one that cannot be is undone whole', async (t) => {
      const ovs = startOvs(t, { version });
      using database = await openDatabase(ovs.socket, () => {});
      t.ok((await database.databases()).includes('Open_vSwitch'));
      await database.echo();
      const [root] = (
        await database.transact('Open_vSwitch', [
          { op: 'select', table: 'Open_vSwitch', where: [], columns: ['_uuid'] },
        ])
      )[0]?.rows as { _uuid: [string, string] }[];
      const made = await database.transact('Open_vSwitch', [
        { op: 'insert', table: 'Interface', row: { name: 'br1', type: 'internal' }, 'uuid-name': 'i' },
        { op: 'insert', table: 'Port', row: { name: 'br1', interfaces: named('i') }, 'uuid-name': 'p' },
        {
          op: 'insert',
          table: 'Bridge',
          row: {
            name: 'br1',
            datapath_type: 'netdev',
            ports: set([named('p')]),
            external_ids: map({ of: 'the test' }),
          },
          'uuid-name': 'b',
        },
        {
          op: 'mutate',
          table: 'Open_vSwitch',
          where: [['_uuid', '==', uuid(root?._uuid[1] ?? '')]],
          mutations: [
            ['bridges', 'insert', set([named('b')])],
            ['next_cfg', '+=', 1],
          ],
        },
        { op: 'comment', comment: 'of the test' },
      ]);
      t.match(made, [{ uuid: /^[0-9a-f-]{36}$/ }, {}, {}, { count: 1 }, {}]);
      t.equal(ovs.vsctl('list-br'), 'br1');
      const clash = database.transact('Open_vSwitch', [
        { op: 'delete', table: 'Bridge', where: [['name', '==', 'br1']] },
        { op: 'insert', table: 'Bridge', row: { nothing: 1 } },
      ]);
      await t.rejects(clash, { code: 'JD_OVS_REFUSED', message: /operation 1 \(insert\): unknown column/ });
      await t.rejects(database.transact('Nothing', []), { code: 'JD_OVS_REFUSED' });
      t.equal(ovs.vsctl('list-br'), 'br1');
    });

    t.test(
      'ovs-vswitchd answers; stopped it is hung and continues; killed it is down; restarted it answers',

      async (t) => {
        const ovs = startOvs(t, { version });
        using unixctl = openUnixctl(ovs.rundir);
        t.match(await unixctl.ask('version'), /^ovs-vswitchd \(Open vSwitch\) \d+\.\d+/);
        const commands = await unixctl.commands();
        for (const command of ['coverage/show', 'memory/show', 'upcall/show', 'dpctl/show', 'lacp/show', 'bond/show'])
          t.ok(commands.has(command), command);
        await ovs.signal('SIGSTOP');
        await t.rejects(unixctl.ask('coverage/show', [], 200), { code: 'JD_OVS_HUNG' });
        await ovs.signal('SIGCONT');
        t.match(await eventually('an answer', () => unixctl.ask('coverage/show')), /^Event coverage/);
        const before = unixctl.connections;
        await ovs.signal('SIGKILL');
        await t.rejects(unixctl.ask('version'), { code: 'JD_OVS_DOWN' });
        ovs.startSwitch();
        t.match(await unixctl.ask('version'), /Open vSwitch/);
        t.equal(unixctl.connections, before + 1);
      },
    );
  });
