// Bonds of network interfaces: how many members each has and how many of them work, from sysfs.
import { stateless, type Collector } from '../collector.ts';
import { readFailure, type HostFiles } from '../host-files.ts';
import { words } from './text.ts';

const NET = '/sys/class/net';

/** The words of a file; none where there is no such file: no bond was ever made, or it was just removed. */
function listed(host: HostFiles, path: string): readonly string[] {
  try {
    return words(host.text(path).trim());
  } catch (error) {
    if (readFailure(error) === 'absent') return [];
    throw error;
  }
}

/** By the bond's own watch of the link (`miimon`), as node_exporter reads it; older kernels tell of the interface only. */
function works(host: HostFiles, member: string): boolean {
  const [status] = listed(host, `${NET}/${member}/bonding_slave/mii_status`);
  return (status ?? listed(host, `${NET}/${member}/operstate`)[0]) === 'up';
}

export const bonding: Collector = {
  name: 'bonding',
  view: 'node',
  periodSeconds: 15,
  metrics: [
    {
      name: 'node_bonding_slaves',
      help: 'Number of configured slaves per bonding interface.',
      type: 'gauge',
      source: `${NET}/BOND/bonding/slaves`,
      unit: 'interfaces',
      labels: ['master'],
    },
    {
      name: 'node_bonding_active',
      help: 'Number of active slaves per bonding interface.',
      type: 'gauge',
      source: `${NET}/IF/bonding_slave/mii_status, operstate`,
      unit: 'interfaces',
      labels: ['master'],
    },
  ],
  open: stateless((host, out) => {
    for (const bond of listed(host, `${NET}/bonding_masters`)) {
      const members = listed(host, `${NET}/${bond}/bonding/slaves`);
      out.add('node_bonding_slaves', members.length, bond);
      out.add('node_bonding_active', members.filter((member) => works(host, member)).length, bond);
    }
  }),
};
