// Values and updates of OVSDB: from the JSON of RFC 7047 to rows, and the differences of `update2`.
import t from 'tap';
import { chooseColumns } from '../../../src/drivers/ovsdb/schema.ts';
import { applyUpdates, type Tables } from '../../../src/drivers/ovsdb/tables.ts';
import { map, named, readResults, set, uuid, type Operation } from '../../../src/drivers/ovsdb/transact.ts';
import { applyDifference, columnType, decodeValue, type Value } from '../../../src/drivers/ovsdb/values.ts';
import { FUZZ_SEED, mutate, random } from '../../support/random.ts';

const A = '11111111-1111-1111-1111-111111111111';
const B = '22222222-2222-2222-2222-222222222222';

const MANY = { key: 'string', min: 0, max: 'unlimited' };
const MAP = { key: 'string', value: 'integer', min: 0, max: 'unlimited' };

t.test('a type of the schema says what a column holds and what is left out', async (t) => {
  for (const [type, kind, empty] of [
    ['string', 'scalar', ''],
    ['boolean', 'scalar', false],
    [{ key: { type: 'integer', minInteger: 0 } }, 'scalar', 0],
    [{ key: 'string', min: 0 }, 'optional', undefined],
    [{ key: { type: 'integer' }, min: 0, max: 1 }, 'optional', undefined],
    [MANY, 'set', []],
    [{ key: 'integer', min: 0, max: 4096 }, 'set', []],
    [MAP, 'map', new Map()],
  ] as const)
    t.same(columnType(type), { kind, empty }, JSON.stringify(type));
  t.equal(columnType({ min: 0 }), undefined);
  t.equal(columnType(7), undefined);
});

const type = (of: unknown) => columnType(of) as NonNullable<ReturnType<typeof columnType>>;

t.test('values are decoded by their type', async (t) => {
  for (const [json, of, expected] of [
    ['up', 'string', 'up'],
    [['uuid', A], { key: 'uuid' }, A],
    [['set', []], { key: 'string', min: 0 }, undefined],
    ['up', { key: 'string', min: 0 }, 'up'],
    [['set', ['up']], { key: 'string', min: 0 }, 'up'],
    ['a', MANY, ['a']],
    [['set', ['a', 'b']], MANY, ['a', 'b']],
    [['set', []], MANY, []],
    [['map', [['rx', 1]]], MAP, new Map([['rx', 1]])],
    [['map', [['p', ['uuid', A]]]], MAP, new Map([['p', A]])],
  ] as const)
    t.same(decodeValue(json, type(of)), expected, JSON.stringify(json));
  for (const [json, of] of [
    [null, 'string'],
    [['set', ['a', 'b']], 'string'],
    [['set', []], 'string'],
    [['set', 'a'], MANY],
    [['map', [['a']]], MAP],
    ['a', MAP],
    [['uuid', 7], 'uuid'],
    [{}, 'string'],
  ] as const)
    t.throws(() => decodeValue(json, type(of)), TypeError, JSON.stringify(json));
});

t.test('differences: what both have goes, what one has comes, what differs is replaced', async (t) => {
  const m = (...pairs: readonly [string, number][]): Value => new Map(pairs);
  for (const [old, difference, expected] of [
    [m(['a', 1], ['b', 2]), m(['b', 3]), m(['a', 1], ['b', 3])],
    [m(['a', 1], ['b', 2]), m(['a', 1]), m(['b', 2])],
    [m(), m(['a', 1]), m(['a', 1])],
    [undefined, m(['a', 1]), m(['a', 1])],
    [
      ['a', 'b'],
      ['b', 'c'],
      ['a', 'c'],
    ],
    [[], ['a'], ['a']],
    [['a'], ['a'], []],
    ['up', 'down', 'down'],
    ['up', undefined, undefined],
  ] as const)
    t.same(applyDifference(old, difference), expected);
});

const SCHEMA = {
  name: 'Open_vSwitch',
  version: '8.3.1',
  tables: {
    Port: { columns: { name: { type: 'string' }, trunks: { type: { key: 'integer', min: 0, max: 4096 } } } },
    Interface: {
      columns: {
        name: { type: 'string' },
        link_state: { type: { key: 'string', min: 0, max: 1 } },
        statistics: { type: MAP },
        mystery: { type: 'not-a-type', ephemeral: true },
      },
    },
  },
};
const wished = (schema: unknown = SCHEMA) =>
  chooseColumns(schema, {
    Interface: ['name', 'link_state', 'statistics', 'of_2030'],
    Port: ['trunks'],
    CT_Zone: ['limit'],
  });

t.test('only what the schema has is asked for, and what is no schema is refused', async (t) => {
  const { version, columns } = wished();
  t.equal(version, '8.3.1');
  t.same(
    [...columns].map(([table, types]) => [table, [...types.keys()]]),
    [
      ['Interface', ['name', 'link_state', 'statistics']],
      ['Port', ['trunks']],
    ],
  );
  for (const wrong of [null, {}, [], { name: 'x', tables: { Port: 7 } }])
    t.throws(() => wished(wrong), { code: 'JD_OVS_GARBLED' });
});

const { columns } = wished();
const told = (updates: unknown, before: Tables = new Map(), dialect: 'update2' | 'update' = 'update2') =>
  applyUpdates(before, updates, columns, dialect);
const plain = (tables: Tables, table: string) =>
  Object.fromEntries([...(tables.get(table) ?? [])].map(([id, row]) => [id, Object.fromEntries(row)]));

t.test('rows come, change and go, and the tables before stay what they were', async (t) => {
  const first = told({
    Interface: {
      [A]: { initial: { name: 'eth0', statistics: ['map', [['rx_bytes', 1]]] } },
      [B]: { initial: { name: 'gone' } },
    },
  });
  const second = told(
    {
      Interface: {
        [A]: {
          modify: {
            link_state: 'up',
            statistics: [
              'map',
              [
                ['rx_bytes', 5],
                ['tx_bytes', 7],
              ],
            ],
          },
        },
        [B]: { delete: null },
      },
      Port: { [B]: { insert: { trunks: ['set', [1, 2]] } } },
    },
    first,
  );
  t.same(plain(second, 'Interface'), {
    [A]: {
      name: 'eth0',
      link_state: 'up',
      statistics: new Map([
        ['rx_bytes', 5],
        ['tx_bytes', 7],
      ]),
    },
  });
  t.same(plain(second, 'Port'), { [B]: { trunks: [1, 2] } });
  t.same(plain(first, 'Interface')[B], { name: 'gone', link_state: undefined, statistics: new Map() });
  const third = told({ Interface: { [A]: { modify: { link_state: ['set', []] } } } }, second);
  t.equal(plain(third, 'Interface')[A]?.['link_state'], undefined);
});

t.test('the older dialect tells whole rows', async (t) => {
  const first = told({ Interface: { [A]: { new: { name: 'eth0', link_state: 'up' } } } }, new Map(), 'update');
  const second = told(
    { Interface: { [A]: { old: { link_state: 'up' }, new: { name: 'eth0', link_state: 'down' } } } },
    first,
    'update',
  );
  t.equal(plain(second, 'Interface')[A]?.['link_state'], 'down');
  t.same(plain(told({ Interface: { [A]: { old: { name: 'eth0' } } } }, second, 'update'), 'Interface'), {});
});

t.test('an update that cannot be is refused, whatever it is', async (t) => {
  for (const updates of [
    null,
    7,
    { Interface: [] },
    { Nobody: {} },
    { Interface: { [A]: {} } },
    { Interface: { [A]: { modify: { link_state: 'up' } } } },
    { Interface: { [A]: { insert: { name: ['set', ['a', 'b']] } } } },
  ])
    t.throws(() => told(updates), { code: 'JD_OVS_GARBLED' }, JSON.stringify(updates));
});

t.test(`broken updates are refused or understood, never thrown as something else, seed ${FUZZ_SEED}`, async (t) => {
  const next = random();
  const seed = Buffer.from(
    JSON.stringify({
      Interface: { [A]: { initial: { name: 'eth0', link_state: 'up', statistics: ['map', [['rx', 1]]] } } },
    }),
  );
  let understood = 0;
  for (let round = 0; round < 5000; round += 1) {
    let json: unknown;
    try {
      json = JSON.parse(mutate(seed, next).toString('utf8'));
    } catch {
      continue;
    }
    try {
      told(json);
      understood += 1;
    } catch (error) {
      t.equal((error as { code?: string }).code, 'JD_OVS_GARBLED');
    }
  }
  t.ok(understood > 10, `${understood} were understood`);
});

const OPERATIONS: readonly Operation[] = [
  { op: 'insert', table: 'Bridge', row: { name: 'br0', ports: set([named('p')]), external_ids: map({ a: 'b' }) } },
  { op: 'delete', table: 'Port', where: [['_uuid', '==', uuid(A)]] },
];

t.test('a transaction is all of its results, or a fault that says which operation failed', async (t) => {
  t.same(OPERATIONS[0], {
    op: 'insert',
    table: 'Bridge',
    row: { name: 'br0', ports: ['set', [['named-uuid', 'p']]], external_ids: ['map', [['a', 'b']]] },
  });
  t.match(readResults([{ uuid: ['uuid', B] }, { count: 1 }], OPERATIONS), [{ uuid: B }, { count: 1 }]);
  t.throws(() => readResults([{ uuid: ['uuid', B] }, { error: 'constraint violation', details: 'no' }], OPERATIONS), {
    code: 'JD_OVS_REFUSED',
    message: /operation 1 \(delete\): constraint violation no$/,
  });
  t.throws(() => readResults([{}, {}, { error: 'referential integrity violation' }], OPERATIONS), {
    message: /the commit: ref/,
  });
  t.throws(() => readResults([null, { error: 'timed out' }], OPERATIONS), { code: 'JD_OVS_REFUSED' });
  for (const wrong of [null, [], [{}], 'x', [7, 8]])
    t.throws(() => readResults(wrong, OPERATIONS), { code: 'JD_OVS_GARBLED' });
});
