// The switch as its database describes it: bridges, their ports, the interfaces of these, and who controls them.
import type { Atom, AtomMap, Row, Tables, Value, Wish } from '../../drivers/ovsdb/index.ts';

export const DATABASE = 'Open_vSwitch';

/** Schema 8.3 of Open vSwitch 3.1 has all of them; what another version does not have is not asked for. */
export const WISH: Wish = {
  Open_vSwitch: [
    'bridges',
    'manager_options',
    'next_cfg',
    'cur_cfg',
    'ovs_version',
    'db_version',
    'dpdk_initialized',
    'dpdk_version',
  ],
  Bridge: [
    'name',
    'ports',
    'controller',
    'mirrors',
    'datapath_type',
    'datapath_id',
    'fail_mode',
    'stp_enable',
    'rstp_enable',
    'mcast_snooping_enable',
  ],
  Port: ['name', 'interfaces', 'tag', 'trunks', 'vlan_mode', 'qos', 'bond_mode', 'lacp'],
  Interface: [
    'name',
    'type',
    'ofport',
    'error',
    'admin_state',
    'link_state',
    'link_resets',
    'link_speed',
    'mtu',
    'ifindex',
    'statistics',
    'status',
    'bfd_status',
    'cfm_fault',
    'cfm_flap_count',
    'cfm_health',
    'cfm_remote_opstate',
    'lacp_current',
    'ingress_policing_rate',
    'external_ids',
  ],
  Controller: ['target', 'is_connected', 'status'],
  Manager: ['target', 'is_connected', 'status'],
  QoS: ['type', 'queues', 'other_config'],
  Queue: ['other_config'],
  Mirror: ['name', 'statistics'],
};

export interface Interface {
  readonly uuid: string;
  readonly name: string;
  /** `system` where the database says nothing. */
  readonly type: string;
  readonly bridge: Bridge;
  readonly port: Port;
  readonly row: Row;
}

export interface Port {
  readonly name: string;
  readonly row: Row;
  readonly interfaces: readonly Interface[];
}

export interface Bridge {
  readonly name: string;
  /** `system` where the database says nothing. */
  readonly datapathType: string;
  readonly row: Row;
  readonly ports: readonly Port[];
}

export interface Switch {
  readonly root: Row | undefined;
  readonly bridges: readonly Bridge[];
  readonly interfaces: readonly Interface[];
  readonly bonds: boolean;
  readonly tables: Tables;
}

export const textOf = (value: Value): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;
export const numberOf = (value: Value): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) ? value : undefined;
export const flagOf = (value: Value): boolean | undefined => (typeof value === 'boolean' ? value : undefined);
export const listOf = (value: Value): readonly Atom[] => (Array.isArray(value) ? (value as readonly Atom[]) : []);
const EMPTY: AtomMap = new Map();
export const mapOf = (value: Value): AtomMap => (value instanceof Map ? (value as AtomMap) : EMPTY);

/** The rows of another table that a column refers to. */
export const rowsOf = (tables: Tables, table: string, value: Value): readonly Row[] => {
  const ids = typeof value === 'string' ? [value] : listOf(value);
  return ids.flatMap((id) => tables.get(table)?.get(String(id)) ?? []);
};

/** What hangs together with a bridge; rows without a name and those of no bridge are left out. */
export function describeSwitch(tables: Tables): Switch {
  const [root] = tables.get('Open_vSwitch')?.values() ?? [];
  const bridges = rowsOf(tables, 'Bridge', root?.get('bridges')).flatMap((row): Bridge[] => {
    const name = textOf(row.get('name'));
    if (name === undefined) return [];
    const ports: Port[] = [];
    const bridge = { name, datapathType: textOf(row.get('datapath_type')) ?? 'system', row, ports };
    for (const portRow of rowsOf(tables, 'Port', row.get('ports'))) {
      const portName = textOf(portRow.get('name'));
      if (portName === undefined) continue;
      const interfaces: Interface[] = [];
      const port = { name: portName, row: portRow, interfaces };
      ports.push(port);
      const ids = portRow.get('interfaces');
      for (const id of typeof ids === 'string' ? [ids] : listOf(ids)) {
        const one = tables.get('Interface')?.get(String(id));
        const interfaceName = textOf(one?.get('name'));
        if (one === undefined || interfaceName === undefined) continue;
        const type = textOf(one.get('type')) ?? 'system';
        interfaces.push({ uuid: String(id), name: interfaceName, type, bridge, port, row: one });
      }
    }
    return [bridge];
  });
  const ports = bridges.flatMap((bridge) => bridge.ports);
  return {
    root,
    bridges,
    interfaces: ports.flatMap(({ interfaces }) => interfaces),
    bonds: ports.some(({ interfaces }) => interfaces.length > 1),
    tables,
  };
}
