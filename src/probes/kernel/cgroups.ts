// How many cgroups there are by controller, from /proc/cgroups.
import { stateless, type Collector } from '../collector.ts';
import { readFailure, type HostFiles } from '../host-files.ts';
import { allUnsigned, eachLine, unexpected, words } from './text.ts';

const FILE = '/proc/cgroups';

interface Controller {
  readonly name: string;
  readonly cgroups: number;
  readonly enabled: number;
}

/** Parses /proc/cgroups (cgroups(7)): name, hierarchy, number of cgroups, enabled. */
export function parseCgroups(text: string): readonly Controller[] {
  const controllers: Controller[] = [];
  eachLine(text, (line) => {
    if (line.startsWith('#')) return;
    const [name, ...cells] = words(line);
    const [hierarchy, cgroups, enabled] = allUnsigned(FILE, line, cells);
    if (name === undefined || hierarchy === undefined || cgroups === undefined || enabled === undefined)
      throw unexpected(FILE, line);
    controllers.push({ name, cgroups, enabled });
  });
  return controllers;
}

/** Kernels without cgroups have no such file: no series, and no failure. */
function read(host: HostFiles): string {
  try {
    return host.text(FILE);
  } catch (error) {
    if (readFailure(error) === 'absent') return '';
    throw error;
  }
}

export const cgroups: Collector = {
  name: 'cgroups',
  view: 'node',
  periodSeconds: 60,
  metrics: [
    {
      name: 'node_cgroups_cgroups',
      help: 'Current cgroup number of the subsystem.',
      type: 'gauge',
      source: `${FILE} num_cgroups`,
      unit: 'cgroups',
      labels: ['subsys_name'],
    },
    {
      name: 'node_cgroups_enabled',
      help: 'Current cgroup number of the subsystem.',
      type: 'gauge',
      source: `${FILE} enabled`,
      unit: '0 or 1',
      labels: ['subsys_name'],
    },
  ],
  open: stateless((host, out) => {
    for (const { name, cgroups: number, enabled } of parseCgroups(read(host))) {
      out.add('node_cgroups_cgroups', number, name);
      out.add('node_cgroups_enabled', enabled, name);
    }
  }),
};
