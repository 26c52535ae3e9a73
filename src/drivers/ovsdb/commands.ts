// The commands of ovs-vswitchd that are asked: those that read, and cost its main thread little. All others are barred.

/** What each takes of the main thread with 500 ports, in milliseconds, as measured on Open vSwitch 3.1. */
const COMMANDS = {
  version: 0.1,
  'list-commands': 0.4,
  'lacp/show': 0.3,
  'lacp/show-stats': 0.3,
  'coverage/show': 0.4,
  'upcall/show': 0.4,
  'bond/show': 0.6,
  'memory/show': 0.8,
  'dpif/show': 0.8,
  'dpctl/ct-get-limits': 0.7,
  'dpctl/ct-get-nconns': 0.7,
  'dpctl/ct-get-maxconns': 0.7,
  'dpctl/show': 2.4,
  'bfd/show': 0.3,
  'cfm/show': 0.3,
  'vlog/list': 0.3,
  'qos/show': 0.3,
  'dpif-netdev/pmd-perf-show': 0.3,
  'dpif-netdev/pmd-stats-show': 0.3,
  'dpif-netdev/pmd-rxq-show': 0.3,
} as const;
export type Command = keyof typeof COMMANDS;

/** A datapath: `netdev@ovs-netdev`, or its name alone. */
const DATAPATH = /^[A-Za-z][\w.-]{0,31}(?:@[\w.-]{1,64})?$/;

/** Arguments that may go with a command: `-s` of dpctl/show would ask each port, `-it` of pmd-perf-show its whole history. */
const ARGUMENTS: Partial<Record<Command, RegExp>> = {
  'dpctl/ct-get-limits': DATAPATH,
  'dpctl/ct-get-nconns': DATAPATH,
  'dpctl/ct-get-maxconns': DATAPATH,
  'dpif-netdev/pmd-perf-show': /^(?:-nh|[A-Za-z][\w.-]{0,63})$/,
  'dpif-netdev/pmd-stats-show': DATAPATH,
  'dpif-netdev/pmd-rxq-show': DATAPATH,
  'qos/show': /^[^-\s][^\s]{0,63}$/,
};

/** Whether the daemon may ask this. */
export const isAllowed = (command: string, args: readonly string[]): command is Command =>
  Object.hasOwn(COMMANDS, command) && args.every((arg) => ARGUMENTS[command as Command]?.test(arg) ?? false);

const LINE = /^ {2}(\S+)/;

/** The names in the answer to `list-commands`. */
export const parseCommands = (text: string): ReadonlySet<string> =>
  new Set(text.split('\n').flatMap((line) => LINE.exec(line)?.[1] ?? []));
