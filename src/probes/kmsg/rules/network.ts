// Tables that are full, links that are down, cards that hang (net/, drivers/net).
import type { Rule } from '../rule.ts';

const MINUTE_SECONDS = 60;
const DAY_SECONDS = 86_400;
const LINK = { type: 'NetworkLinkDown', subject: 'device' } as const;
const BOND = { type: 'BondMemberDown', subject: 'device' } as const;

export const networkRules: readonly Rule[] = [
  {
    reason: 'UnregisterNetDevice',
    npd: true,
    literals: ['unregister_netdevice: waiting for '],
    patterns: [
      String.raw`unregister_netdevice: waiting for (?P<device>\S+) to become free\. Usage count = (?P<count>-?\d+)`,
    ],
    raises: {
      type: 'FrequentUnregisterNetDevice',
      ttlSeconds: 20 * MINUTE_SECONDS,
      frequent: { times: 3, seconds: 20 * MINUTE_SECONDS },
    },
  },
  {
    reason: 'ConntrackFull',
    npd: true,
    literals: ['table full, dropping packet'],
    patterns: [String.raw`nf_conntrack: (?:nf_conntrack: )?table full, dropping packet`],
  },
  {
    reason: 'NeighbourTableFull',
    literals: ['neighbor table overflow', 'eighbour table overflow'],
    patterns: [
      String.raw`(?:neighbour: )?(?P<table>\w+_cache): neighbor table overflow`,
      String.raw`[Nn]eighbour table overflow`,
    ],
  },
  {
    reason: 'SynFlood',
    literals: ['Possible SYN flooding on port '],
    patterns: [
      String.raw`Possible SYN flooding on port (?P<port>[^\s.]+(?:\.\d+\.\d+\.\d+:\d+)?)\. (?P<action>Sending cookies|Dropping request)`,
    ],
  },
  {
    reason: 'TCPOutOfMemory',
    literals: ['TCP: out of memory -- consider tuning tcp_mem', 'TCP: too many orphaned sockets'],
    patterns: [String.raw`TCP: (?P<cause>out of memory -- consider tuning tcp_mem|too many orphaned sockets)`],
  },
  {
    reason: 'NetdevWatchdog',
    literals: ['NETDEV WATCHDOG: '],
    patterns: [
      String.raw`NETDEV WATCHDOG: (?:CPU: \d+: )?(?P<device>\S+) \((?P<driver>[^)]*)\): transmit queue (?P<queue>\d+) timed out`,
      String.raw`^(?P<driver>\S+) \S+ (?P<device>\S+): NETDEV WATCHDOG: CPU: \d+: transmit queue (?P<queue>\d+) timed out`,
    ],
  },
  {
    reason: 'NetworkLinkDown',
    literals: ['ink is Down', 'ink is down', ' Link down', ' link down'],
    patterns: [String.raw`(?:^|[\s:])(?P<device>[a-zA-Z][\w.@-]{0,14})(?:: (?:NIC )?| NIC )[Ll]ink (?:is )?[Dd]own`],
    raises: { ...LINK, ttlSeconds: 7 * DAY_SECONDS },
  },
  {
    reason: 'NetworkLinkUp',
    literals: ['ink is Up', 'ink is up', ' Link up', ' link up'],
    patterns: [String.raw`(?:^|[\s:])(?P<device>[a-zA-Z][\w.@-]{0,14})(?:: (?:NIC )?| NIC )[Ll]ink (?:is )?[Uu]p`],
    clears: LINK,
  },
  {
    reason: 'BondMemberDown',
    literals: ['link status definitely down', 'link status down'],
    patterns: [
      String.raw`^(?P<bond>\S+): (?:\(slave (?P<device>[^)\s]+)\): )link status (?:definitely )?down`,
      String.raw`^(?:bonding: )?(?P<bond>\S+): link status definitely down for interface (?P<device>[^\s,]+)`,
    ],
    raises: { ...BOND, ttlSeconds: 7 * DAY_SECONDS },
  },
  {
    reason: 'BondMemberUp',
    literals: ['link status definitely up'],
    patterns: [
      String.raw`^(?P<bond>\S+): (?:\(slave (?P<device>[^)\s]+)\): )link status definitely up`,
      String.raw`^(?:bonding: )?(?P<bond>\S+): link status definitely up for interface (?P<device>[^\s,]+)`,
    ],
    clears: BOND,
  },
  {
    reason: 'OpenvswitchWarning',
    severity: 4,
    literals: ['openvswitch: '],
    patterns: [String.raw`^openvswitch: (?P<message>.*)`],
  },
  {
    reason: 'MartianSource',
    literals: ['martian source '],
    patterns: [String.raw`martian source (?P<destination>\S+) from (?P<source>[^\s,]+), on dev (?P<device>\S+)`],
  },
];
