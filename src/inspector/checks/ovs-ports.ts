// OVS_PORTS: interfaces that could not be made part of the switch, by bridge.
import { above, HOST, type Check, type Facts, type Sample } from '../check.ts';
import type { Observation } from '../model.ts';
import { absent, both, plain } from '../wording.ts';
import { noAnswer, PRESENT, skipped, VSWITCHD } from './ovs-presence.ts';

const BROKEN = 'jdos_ovs_interface_error';
const BRIDGES = 'ovs_bridge_port_count';
const MOST = 100;
const NAMED = 7;

function bridges(facts: Facts): readonly Observation[] {
  const broken = facts.samples(BROKEN);
  const all = facts.samples(BRIDGES);
  if (broken === undefined || all === undefined) return [absent(facts, BRIDGES, HOST)];
  if (all.length === 0) return [skipped('没有网桥', 'the switch has no bridge')];
  const byBridge = Map.groupBy(broken, ({ labels }) => labels['bridge'] ?? '');
  const names = new Set([...all.map(({ labels }) => labels['bridge'] ?? ''), ...byBridge.keys()]);
  return [...names].slice(0, MOST).map((bridge) => {
    const some = byBridge.get(bridge) ?? [];
    const told = some.map(({ labels }) => `${plain(labels['interface'] ?? '?', 40)}: ${plain(labels['error'] ?? '')}`);
    return {
      target: plain(bridge),
      value: some.length,
      evidence: [`broken=${some.length}`, ...told.slice(0, NAMED)],
      facts: { first: told[0] ?? '' },
    };
  });
}

export const ovsPorts: Check = {
  code: 'OVS_PORTS',
  area: 'network',
  unit: 'count',
  needs: [PRESENT, VSWITCHD, BROKEN, BRIDGES],
  limits: above(1, 6, 1, 6),
  source: 'PCP pmdaopenvswitch (interface.error); more than five is our own',
  text: {
    title: both('Open vSwitch 端口', 'ports of Open vSwitch'),
    meaning: both(
      '已配置而不能用的接口 (Interface.error、ofport −1):多为容器或虚机删除后遗留的端口,或网卡改名。',
      'Interfaces that are configured and do not work (Interface.error, ofport −1): mostly left behind by a pod or machine that is gone, or a device that was renamed.',
    ),
    remedy: both(
      '确认接口不再需要后 ovs-vsctl del-port;仍需要的,恢复网卡或修正配置。',
      'Once it is certain that nobody needs the interface, ovs-vsctl del-port; else bring its device back or correct the configuration.',
    ),
  },
  evaluate(facts) {
    const none = noAnswer(facts);
    return { observations: none === undefined ? bridges(facts) : [none] };
  },
  line({ target, facts }, value, _verdict, limit) {
    const first = facts?.['first'] ?? '';
    return both(
      value === 0 ? `网桥 ${target} 端口均可用` : `网桥 ${target} 有 ${value} 个不可用端口(限 ${limit}):${first}`,
      value === 0
        ? `bridge ${target}: all ports work`
        : `bridge ${target}: broken ports: ${value} (limit ${limit}), ${first}`,
    );
  },
  command: ({ target }) =>
    target === HOST ? undefined : 'ovs-vsctl --columns=name,error,ofport find interface error!=[]',
  samples: [
    written('all work', [], { 'br-int': 'ok' }),
    written('one is left behind', [['vethab12', 'could not open network device vethab12 (No such device)']], {
      'br-int': 'warn',
    }),
    written(
      'many are',
      Array.from({ length: 8 }, (_, i) => [`veth${i}`, `could not open network device veth${i} (No such device)`]),
      { 'br-int': 'crit' },
    ),
    {
      name: 'written: ovs-vswitchd does not answer',
      metrics: {
        [PRESENT]: [{ labels: {}, value: 1 }],
        [VSWITCHD]: [{ labels: { reason: 'hung' }, value: 0 }],
        [BRIDGES]: [{ labels: { bridge: 'br-int', datapath_type: 'system' }, value: 12 }],
        [BROKEN]: [],
      },
      expect: { host: 'unknown' },
    },
    {
      name: 'written: a host without Open vSwitch',
      metrics: { [PRESENT]: [{ labels: {}, value: 0 }] },
      expect: { host: 'skipped' },
    },
  ],
};

function written(name: string, broken: readonly (readonly string[])[], expect: Sample['expect']): Sample {
  return {
    name: `written: ${name}`,
    metrics: {
      [PRESENT]: [{ labels: {}, value: 1 }],
      [VSWITCHD]: [{ labels: { reason: '' }, value: 1 }],
      [BRIDGES]: [{ labels: { bridge: 'br-int', datapath_type: 'system' }, value: 12 }],
      [BROKEN]: broken.map(([port = '', error = '']) => ({
        labels: { bridge: 'br-int', port, interface: port, type: 'system', error },
        value: 1,
      })),
    },
    expect,
  };
}
