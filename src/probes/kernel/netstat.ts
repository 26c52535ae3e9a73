// Counters of the host's IP, ICMP, TCP and UDP, from /proc/1/net/snmp, netstat and snmp6.
import { stateless, type Collector, type Metric } from '../collector.ts';
import { hostNet, hostNetIfThere } from './host-net.ts';
import { eachLine, unexpected, unsigned, words } from './text.ts';

/** What node_exporter selects by default, in its names, and what they count. */
const FIELDS: readonly (readonly [protocol: string, fields: readonly string[], unit: string])[] = [
  ['Icmp', ['InErrors', 'InMsgs', 'OutMsgs'], 'messages'],
  ['Icmp6', ['InErrors', 'InMsgs', 'OutMsgs'], 'messages'],
  ['Ip', ['Forwarding'], '1 forwards, 2 does not'],
  ['IpExt', ['InOctets', 'OutOctets'], 'bytes'],
  ['Ip6', ['InOctets', 'OutOctets'], 'bytes'],
  ['Tcp', ['ActiveOpens', 'PassiveOpens', 'CurrEstab'], 'connections'],
  ['Tcp', ['InErrs', 'InSegs', 'OutRsts', 'OutSegs', 'RetransSegs'], 'segments'],
  ['TcpExt', ['ListenDrops', 'ListenOverflows', 'SyncookiesFailed', 'SyncookiesRecv', 'SyncookiesSent'], 'requests'],
  ['TcpExt', ['TCPOFOQueue', 'TCPRcvQDrop', 'TCPSynRetrans', 'TCPTimeouts'], 'events'],
  ['Udp', ['InDatagrams', 'InErrors', 'NoPorts', 'OutDatagrams', 'RcvbufErrors', 'SndbufErrors'], 'datagrams'],
  ['Udp6', ['InDatagrams', 'InErrors', 'NoPorts', 'OutDatagrams', 'RcvbufErrors', 'SndbufErrors'], 'datagrams'],
  ['UdpLite', ['InErrors'], 'datagrams'],
  ['UdpLite6', ['InErrors'], 'datagrams'],
];

const FILES: Readonly<Record<string, string>> = { IpExt: 'netstat', TcpExt: 'netstat' };
const fileOf = (protocol: string): string => FILES[protocol] ?? (protocol.endsWith('6') ? 'snmp6' : 'snmp');

const METRICS: readonly Metric[] = FIELDS.flatMap(([protocol, fields, unit]) =>
  fields.map((field): Metric => ({
    name: `node_netstat_${protocol}_${field}`,
    help: `Statistic ${protocol}${field}.`,
    type: 'untyped',
    source: `/proc/1/net/${fileOf(protocol)} ${protocol} ${field}`,
    unit,
  })),
);
/** The metric of a field, by the file's line of the protocol and by its name there. */
const SELECTED = new Map<string, Map<string, string>>();
for (const [protocol, fields] of FIELDS) {
  const names = SELECTED.get(`${protocol}:`) ?? new Map<string, string>();
  for (const field of fields) names.set(field, `node_netstat_${protocol}_${field}`);
  SELECTED.set(`${protocol}:`, names);
}
/** As /proc/net/snmp6 spells them: `Ip6InOctets`. */
const SELECTED6 = new Map(METRICS.map(({ name }) => [name.slice('node_netstat_'.length).replace('_', ''), name]));

type Values = Map<string, number>;

/** Signed: some are -1 for "no limit" (Tcp MaxConn). */
function integer(word: string | undefined): number | undefined {
  if (word?.startsWith('-') !== true) return unsigned(word);
  const value = unsigned(word.slice(1));
  return value === undefined ? undefined : -value;
}

function note(values: Values, file: string, line: string, metric: string | undefined, word: string | undefined): void {
  if (metric === undefined) return;
  const value = integer(word);
  if (value === undefined) throw unexpected(file, line);
  values.set(metric, value);
}

/** Adds the selected fields of /proc/net/snmp or netstat: a line of names and a line of values for each protocol. */
export function parseSnmp(file: string, text: string, values: Values): void {
  let names: readonly string[] | undefined;
  eachLine(text, (line) => {
    const cells = words(line);
    if (names === undefined) return void (names = cells);
    const [protocol = ''] = cells;
    if (names[0] !== protocol || !protocol.endsWith(':') || names.length !== cells.length) throw unexpected(file, line);
    const selected = SELECTED.get(protocol);
    if (selected !== undefined)
      for (let i = 1; i < cells.length; i += 1) note(values, file, line, selected.get(names[i] ?? ''), cells[i]);
    names = undefined;
  });
  if (names !== undefined) throw unexpected(file, text);
}

/** Adds the selected fields of /proc/net/snmp6: a name and a value on each line. */
export function parseSnmp6(text: string, values: Values): void {
  eachLine(text, (line) => {
    const [name = '', value, more] = words(line);
    if (value === undefined || more !== undefined) throw unexpected('/proc/net/snmp6', line);
    note(values, '/proc/net/snmp6', line, SELECTED6.get(name), value);
  });
}

export const netstat: Collector = {
  name: 'netstat',
  view: 'node',
  periodSeconds: 15,
  metrics: METRICS,
  open: stateless((host, out) => {
    const values: Values = new Map();
    for (const file of ['snmp', 'netstat']) parseSnmp(`/proc/net/${file}`, hostNet(host, file), values);
    parseSnmp6(hostNetIfThere(host, 'snmp6') ?? '', values); // not there where IPv6 is turned off
    for (const [metric, value] of values) out.add(metric, value);
  }),
};
