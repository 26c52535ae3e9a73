// bond/show and lacp/show: which members of a bond carry traffic, and whether all of them lead to the same partner.
import type { Metric } from '../collector.ts';
import { gauge, linesOf, type Reading } from './readings.ts';

const BOND = 'ovs-vswitchd: bond/show';
const LACP = 'ovs-vswitchd: lacp/show';
const member = { labels: ['bond', 'interface'], unit: '0 or 1' };

const INFO = gauge(
  'jdos_ovs_bond_info',
  BOND,
  'The mode of the bond, and what became of LACP: off, configured or negotiated.',
  {
    labels: ['bond', 'mode', 'lacp_status'],
  },
);
const MEMBERS = gauge('jdos_ovs_bond_members', BOND, 'Members of the bond.', { labels: ['bond'] });
const ENABLED = gauge('jdos_ovs_bond_member_enabled', BOND, 'Whether the member may carry traffic, 1 or 0.', member);
const ACTIVE = gauge('jdos_ovs_bond_member_active', BOND, 'Whether it is the active member, 1 or 0.', member);
const ATTACHED = gauge('jdos_ovs_lacp_member_attached', LACP, 'Whether LACP has attached the member, 1 or 0.', member);
const MISMATCH = gauge(
  'jdos_ovs_lacp_partner_mismatch',
  LACP,
  'Whether members of the bond lead to different partners, 1 or 0; written when two of them know theirs.',
  { labels: ['bond'], unit: '0 or 1' },
);

export const BOND_METRICS: readonly Metric[] = [INFO, MEMBERS, ENABLED, ACTIVE, ATTACHED, MISMATCH];

interface Bond {
  readonly name: string;
  mode: string;
  lacp: string;
  readonly members: Map<string, { readonly enabled: boolean; active: boolean }>;
}

const HEAD = /^---- (.{1,64}) ----$/;
/** "slave" before Open vSwitch 2.15. */
const MEMBER = /^(?:member|slave) (.{1,64}): (enabled|disabled)$/;

export function readBonds(text: string): readonly Reading[] {
  const bonds: Bond[] = [];
  let at: { active: boolean } | undefined;
  for (const line of linesOf(text)) {
    const bond = bonds.at(-1);
    const [, name] = HEAD.exec(line) ?? [];
    const [, interfaceName, state] = MEMBER.exec(line) ?? [];
    if (name !== undefined) bonds.push({ name, mode: '', lacp: '', members: new Map() });
    else if (bond === undefined) continue;
    else if (line.startsWith('bond_mode: ')) bond.mode = line.slice('bond_mode: '.length);
    else if (line.startsWith('lacp_status: ')) bond.lacp = line.slice('lacp_status: '.length);
    else if (interfaceName !== undefined) {
      const one = { enabled: state === 'enabled', active: false };
      bond.members.set(interfaceName, one);
      at = one;
    } else if (at !== undefined && /^ {2}active (?:member|slave)$/.test(line)) at.active = true;
  }
  return bonds.flatMap(({ name, mode, lacp, members }) => [
    { metric: INFO, value: 1, labels: [name, mode, lacp] },
    { metric: MEMBERS, value: members.size, labels: [name] },
    ...[...members].flatMap(([one, { enabled, active }]) => [
      { metric: ENABLED, value: Number(enabled), labels: [name, one] },
      { metric: ACTIVE, value: Number(active), labels: [name, one] },
    ]),
  ]);
}

const LACP_MEMBER = /^(?:member|slave): (.{1,64}): \w+ (attached|detached)$/;
const PARTNER = /^ {2}partner (sys_id|key): (\S+)$/;
/** A member that has heard nothing has this partner. */
const NOBODY = '00:00:00:00:00:00';

export function readLacp(text: string): readonly Reading[] {
  const attached: Reading[] = [];
  const partners = new Map<string, { system: string; key: string }[]>();
  let bond: string | undefined;
  for (const line of linesOf(text)) {
    const [, name] = HEAD.exec(line) ?? [];
    if (name !== undefined) partners.set((bond = name), []);
    if (bond === undefined) continue;
    const [, one, state] = LACP_MEMBER.exec(line) ?? [];
    if (one !== undefined) {
      attached.push({ metric: ATTACHED, value: Number(state === 'attached'), labels: [bond, one] });
      partners.get(bond)?.push({ system: NOBODY, key: '' });
    }
    const [, what, value = ''] = PARTNER.exec(line) ?? [];
    const partner = partners.get(bond)?.at(-1);
    if (partner !== undefined && what === 'sys_id') partner.system = value;
    if (partner !== undefined && what === 'key') partner.key = value;
  }
  const mismatches = [...partners].flatMap(([name, all]): Reading[] => {
    const known = all.filter(({ system }) => system !== NOBODY);
    if (known.length < 2) return [];
    const different = new Set(known.map(({ system, key }) => `${system} ${key}`)).size > 1;
    return [{ metric: MISMATCH, value: Number(different), labels: [name] }];
  });
  return [...attached, ...mismatches];
}
