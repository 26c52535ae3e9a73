// The probes as one line of the status: what is seen, what is not, and whether somebody else here exports the same.
import type { Health } from '../base/component.ts';
import type { CollectorStatus, HostView } from '../probes/index.ts';

/** Other exporters by the names of their processes (comm, at most 15 bytes) and what of ours they export as well. */
const EXPORTERS = [
  {
    comms: ['node_exporter', 'prometheus-node'],
    name: 'node_exporter',
    families: '/metrics/node',
    collectors: 'its collectors',
  },
  {
    comms: ['process-exporte', 'prometheus-proc'],
    name: 'process-exporter',
    families: '/metrics/process',
    collectors: 'process',
  },
  { comms: ['cadvisor'], name: 'cAdvisor', families: '/metrics/container', collectors: 'container' },
] as const;

const GROUPS = 'namedprocess_namegroup_num_procs';

/** The exporters that run here. */
const otherExporters = (view: HostView): readonly (typeof EXPORTERS)[number][] => {
  const running = new Set(
    (view.samples(GROUPS) ?? []).flatMap(({ labels, value }) => (value > 0 ? [labels['groupname']] : [])),
  );
  return EXPORTERS.filter(({ comms }) => comms.some((comm) => running.has(comm)));
};

/** `root`: whether the probe process may read what belongs to others. */
export function probesHealth(view: HostView, root: boolean): Health {
  const collectors = view.collectors();
  const series = collectors.reduce((sum, collector) => sum + collector.series, 0);
  const summary = `${collectors.length} collectors, ${series} series`;
  if (collectors.every(({ state }) => state === 'waiting')) return { state: 'starting', summary };
  const hung = collectors.flatMap(({ quarantined }) => quarantined.map(({ target }) => target || 'a whole collector'));
  const broken = collectors.filter(({ state }) => state === 'failed' || state === 'stale');
  const limits = [
    ...(broken.length === 0 ? [] : [`fails: ${broken.map(why).join(', ')}`]),
    ...(hung.length === 0 ? [] : [`hung and left alone for a while: ${hung.slice(0, 5).join(', ')}`]),
  ];
  if (limits.length > 0) {
    return {
      state: 'limited',
      summary,
      reason: limits.join('; '),
      costs: 'their series',
      remedy: 'see /jdos/v1/collectors',
    };
  }
  if (!root) {
    return {
      state: 'limited',
      summary,
      reason: 'not started as root',
      costs: 'open fds, I/O and memory maps of processes of other users',
      remedy: 'start it as root (deploy/jdos.service)',
    };
  }
  const [other] = otherExporters(view);
  if (other === undefined) return { state: 'available', summary };
  return {
    state: 'available',
    summary: `${summary}; ${other.name} runs here too: its families are exported twice`,
    remedy: `scrape one of ${other.families} and ${other.name}, or turn ours off with probes.disable (${other.collectors})`,
  };
}

const why = ({ name, state, error }: CollectorStatus): string =>
  `${name} (${error === undefined ? state : error.reason})`;
