// Open vSwitch over its own sockets, without a fork: the database (OVSDB), the control socket of ovs-vswitchd (unixctl),
// and one question to its bridges (OpenFlow).
export type { Command } from './commands.ts';
export { DEFAULT_RUNDIR } from './config.ts';
export { openDatabase } from './database.ts';
export { OVS_DOWN, OVS_FORBIDDEN, OVS_HUNG, OVS_MISSING, OVS_REFUSED } from './faults.ts';
export { countFlows } from './openflow.ts';
export { followDatabase, type DatabaseState, type Following } from './follow.ts';
export type { Wish } from './schema.ts';
export type { Row, Tables } from './tables.ts';
export { openUnixctl, type Unixctl } from './unixctl.ts';
export type { Atom, AtomMap, Value } from './values.ts';
