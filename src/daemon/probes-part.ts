// The probes as one line of the status: what is seen, what is not, and whether somebody else here exports the same.
import type { Health } from '../base/component.ts';
import { formatBytes, formatSeconds } from '../base/units.ts';
import { LEFT_OUT_REASONS, type CollectorStatus, type HostView, type ProbesConfig } from '../probes/index.ts';
import type { SupervisorStatus } from './agent-rpc.ts';

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
  {
    comms: ['node-problem-de'],
    name: 'node-problem-detector',
    families: '/metrics/problem',
    collectors: 'kmsg',
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

/** What is known of the probe process beside what it publishes. */
interface ProbeFacts {
  /** Whether it may read what belongs to others. */
  readonly root: boolean;
  readonly budget: ProbesConfig['budget'];
  readonly residentBytes?: number | undefined;
  readonly ends?: SupervisorStatus['processes'][number]['ends'] | undefined;
  /** Unix milliseconds. */
  readonly now: number;
}

interface Lack {
  readonly reason: string;
  readonly costs: string;
  readonly remedy: string;
}

export function probesHealth(view: HostView, facts: ProbeFacts): Health {
  const collectors = view.collectors();
  const series = collectors.reduce((sum, collector) => sum + collector.series, 0);
  const cut = countOf(collectors, 'label');
  const summary = [
    `${collectors.length} collectors, ${series} series`,
    ...(cut === 0 ? [] : [`${cut} label values cut to probes.maxLabelLength`]),
  ].join(', ');
  if (collectors.every(({ state }) => state === 'waiting')) return { state: 'starting', summary };
  const lacks = [
    ...broken(collectors),
    ...stretched(collectors, facts.budget.cpuRatio),
    ...memory(facts),
    ...beyondLimits(collectors),
    ...(facts.root ? [] : [NOT_ROOT]),
  ];
  if (lacks.length > 0) {
    const words = (of: keyof Lack): string => [...new Set(lacks.map((lack) => lack[of]))].join('; ');
    return { state: 'limited', summary, reason: words('reason'), costs: words('costs'), remedy: words('remedy') };
  }
  const [other] = otherExporters(view);
  if (other === undefined) return { state: 'available', summary };
  return {
    state: 'available',
    summary: `${summary}; ${other.name} runs here too: its families are exported twice`,
    remedy: `scrape one of ${other.families} and ${other.name}, or turn ours off with probes.disable (${other.collectors})`,
  };
}

const NOT_ROOT: Lack = {
  reason: 'not started as root',
  costs: 'open fds, I/O and memory maps of processes of other users',
  remedy: 'start it as root (deploy/jdos.service)',
};

function broken(collectors: readonly CollectorStatus[]): readonly Lack[] {
  const hung = collectors.flatMap(({ quarantined }) => quarantined.map(({ target }) => target || 'a whole collector'));
  const failed = collectors.filter(({ state }) => state === 'failed' || state === 'stale');
  return [
    ...(failed.length === 0 ? [] : [`fails: ${failed.map(why).join(', ')}`]),
    ...(hung.length === 0 ? [] : [`hung and left alone for a while: ${hung.slice(0, 5).join(', ')}`]),
  ].map((reason) => ({ reason, costs: 'their series', remedy: 'see /jdos/v1/collectors' }));
}

function stretched(collectors: readonly CollectorStatus[], allowed: number): readonly Lack[] {
  const each = collectors.flatMap(({ name, periodSeconds, stretched: longer }) =>
    longer === undefined
      ? []
      : [
          `${name} runs every ${periodSeconds} s instead of ${longer.fromSeconds} s, at which it would cost ${percent(longer.cpuRatio)} of a core`,
        ],
  );
  if (each.length === 0) return [];
  return [
    {
      reason: `${each.join(', ')}: probes.budget.cpuRatio allows ${percent(allowed)} for all`,
      costs: 'how new their series are',
      remedy: 'raise probes.budget.cpuRatio, or leave them out with probes.disable',
    },
  ];
}

/** Two significant digits, as the shares are often below a hundredth. */
const percent = (ratio: number): string => `${Number((ratio * 100).toPrecision(2))} %`;

/** A restart for memory is told for so long. */
const TOLD_MS = 3_600_000;

function memory({ budget, residentBytes = 0, ends = [], now }: ProbeFacts): readonly Lack[] {
  const end = ends.find(({ reason, at }) => reason === 'memory' && now - at < TOLD_MS);
  const allowed = `probes.budget.maxRssBytes allows ${formatBytes(budget.maxRssBytes)}`;
  const remedy = 'raise probes.budget.maxRssBytes';
  if (residentBytes > budget.maxRssBytes) {
    const reason = `the probe process holds ${formatBytes(residentBytes)} of memory, ${allowed}`;
    return [{ reason, costs: 'this memory', remedy }];
  }
  if (end === undefined) return [];
  const reason = `the probe process was started again for its memory ${formatSeconds((now - end.at) / 1000)} ago, ${allowed}`;
  return [{ reason, costs: 'a collection', remedy }];
}

const countOf = (collectors: readonly CollectorStatus[], reason: keyof typeof LEFT_OUT_REASONS): number =>
  collectors.flatMap(({ leftOut }) => leftOut).reduce((sum, one) => sum + (one.reason === reason ? one.count : 0), 0);

/** A label that is cut is no lack. */
const LIMITS = ['budget', 'duplicate', 'groups', 'containers'] as const;

const beyondLimits = (collectors: readonly CollectorStatus[]): readonly Lack[] =>
  LIMITS.flatMap((reason) => {
    const count = countOf(collectors, reason);
    if (count === 0) return [];
    const { of, key } = LEFT_OUT_REASONS[reason];
    if (key === undefined) return [{ reason: `${count} ${of}`, costs: 'the later ones', remedy: 'see the log' }];
    return [{ reason: `${count} ${of} are beyond ${key}`, costs: 'these', remedy: `raise ${key}` }];
  });

const why = ({ name, state, error }: CollectorStatus): string =>
  `${name} (${error === undefined ? state : error.reason})`;
