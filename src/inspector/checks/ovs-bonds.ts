// OVS_BONDS: members of bonds that carry nothing, and bonds whose members lead to different partners.
import { above, HOST, type Check, type Facts, type Sample } from '../check.ts';
import type { Observation } from '../model.ts';
import { absent, both, plain, shellWord } from '../wording.ts';
import { noAnswer, PRESENT, skipped, VSWITCHD } from './ovs-presence.ts';

const MEMBERS = 'jdos_ovs_bond_members';
const ENABLED = 'jdos_ovs_bond_member_enabled';
const MISMATCH = 'jdos_ovs_lacp_partner_mismatch';
const MOST = 100;

function bonds(facts: Facts): readonly Observation[] {
  const members = facts.samples(MEMBERS);
  const enabled = facts.samples(ENABLED);
  if (members === undefined || enabled === undefined) return [absent(facts, MEMBERS, HOST)];
  if (members.length === 0) return [skipped('没有绑定 (bond)', 'the switch has no bond')];
  const mismatched = new Set(
    (facts.samples(MISMATCH) ?? []).filter(({ value }) => value === 1).map(({ labels }) => labels['bond']),
  );
  return members.slice(0, MOST).map(({ labels, value }): Observation => {
    const bond = labels['bond'] ?? '';
    const own = enabled.filter((one) => one.labels['bond'] === bond);
    const down = own.filter((one) => one.value !== 1).map((one) => plain(one.labels['interface'] ?? '?', 40));
    const mismatch = mismatched.has(bond);
    const none = own.length > 0 && down.length === own.length;
    return {
      target: plain(bond),
      value: none ? 2 : down.length > 0 || mismatch ? 1 : 0,
      evidence: [
        `members=${value}`,
        ...(down.length === 0 ? [] : [`disabled=${down.join(',')}`]),
        ...(mismatch ? ['lacp_partners=different'] : []),
      ],
      facts: { down: down.join(', '), members: value, mismatch: Number(mismatch) },
    };
  });
}

export const ovsBonds: Check = {
  code: 'OVS_BONDS',
  area: 'network',
  unit: 'none',
  needs: [PRESENT, VSWITCHD, MEMBERS, ENABLED, MISMATCH],
  limits: above(1, 2, 1, 2),
  source: 'node-mixin NodeBondingDegraded: 1 has lost a member or leads to different partners, 2 has no member left',
  text: {
    title: both('Open vSwitch 绑定', 'bonds of Open vSwitch'),
    meaning: both(
      '绑定中不承载流量的成员,以及 LACP 对端不一致 (成员接到不同交换机或聚合组)。',
      'Members of a bond that carry no traffic, and bonds whose members see different LACP partners, that is, are cabled to different switches or aggregates.',
    ),
    remedy: both(
      '查成员网卡的链路、光模块与交换机端口;LACP 不一致时核对接线与聚合配置。',
      'Look at the member’s link, optic and switch port; where partners differ, at the cabling and the aggregate’s configuration.',
    ),
  },
  evaluate(facts) {
    const none = noAnswer(facts);
    return { observations: none === undefined ? bonds(facts) : [none] };
  },
  line({ target, facts }, value) {
    const [down, members] = [facts?.['down'] ?? '', facts?.['members'] ?? '?'];
    if (value === 0)
      return both(`绑定 ${target} 的 ${members} 个成员均正常`, `bond ${target}: all ${members} members carry`);
    if (value === 2) return both(`绑定 ${target} 无可用成员`, `bond ${target}: no member carries`);
    const [zh, en] = facts?.['mismatch'] === 1 ? [',LACP 对端不一致', 'LACP partners differ'] : ['', ''];
    return both(
      down === '' ? `绑定 ${target}${zh}` : `绑定 ${target} 成员 ${down} 停用${zh}`,
      `bond ${target}: ${[down === '' ? '' : `${down} disabled`, en].filter((part) => part !== '').join(', ')}`,
    );
  },
  command: ({ target }) => (target === HOST ? undefined : `ovs-appctl bond/show ${shellWord(target) ?? ''}`.trim()),
  samples: [
    written('all carry', [1, 1], undefined, { bond0: 'ok' }),
    written('one is disabled', [1, 0], 0, { bond0: 'warn' }),
    written('cabled to two switches', [1, 1], 1, { bond0: 'warn' }),
    written('none carries', [0, 0], undefined, { bond0: 'crit' }),
    {
      name: 'written: a switch without a bond',
      metrics: {
        [PRESENT]: [{ labels: {}, value: 1 }],
        [VSWITCHD]: [{ labels: { reason: '' }, value: 1 }],
        [MEMBERS]: [],
        [ENABLED]: [],
        [MISMATCH]: [],
      },
      expect: { host: 'skipped' },
    },
  ],
};

function written(
  name: string,
  enabled: readonly number[],
  mismatch: number | undefined,
  expect: Sample['expect'],
): Sample {
  const bond = 'bond0';
  return {
    name: `written: ${name}`,
    metrics: {
      [PRESENT]: [{ labels: {}, value: 1 }],
      [VSWITCHD]: [{ labels: { reason: '' }, value: 1 }],
      [MEMBERS]: [{ labels: { bond }, value: enabled.length }],
      [ENABLED]: enabled.map((value, i) => ({ labels: { bond, interface: `eth${i}` }, value })),
      [MISMATCH]: mismatch === undefined ? [] : [{ labels: { bond }, value: mismatch }],
    },
    expect,
  };
}
