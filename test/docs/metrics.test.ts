// docs/metrics.md lists every metric the daemon exposes, and no other. `npm run docs` writes it anew.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { LABELS } from '../../src/probes/container/family.ts';
import { collectors } from '../../src/probes/registry.ts';
import { eventually, startDaemon } from '../support/daemon.ts';
import { golden } from '../support/golden.ts';
import { documentedMetrics, unitOf, type DocumentedMetric } from './documented-metrics.ts';
import { sources } from './fault-sources.ts';

const HEAD = `<!-- Made by test/docs/metrics.test.ts from the sources; \`npm run docs\` writes it anew. -->

# Metrics

What \`/metrics\` exposes. What the host does not have, and what could not be read, is absent: no sample stands for 0.
How to scrape it, and what to do where another exporter runs: [prometheus.md](prometheus.md).

The names, labels and units of \`node_*\` are node_exporter's, those of \`namedprocess_*\` process-exporter's and those of
\`container_*\` cAdvisor's, so that dashboards and rules made for them work unchanged. What is the daemon's own begins with
\`jdos_\`. Those of \`ovs_*\` are openstack-network-exporter's, as far as it has them. The names of collectors are what \`collect[]\`, \`exclude[]\` and \`probes.disable\` take.
`;

interface Part {
  readonly title: string;
  readonly text?: string;
  readonly metrics: readonly DocumentedMetric[];
  /** Labels that all of them have; the text says so. */
  readonly common?: readonly string[];
}

const ROWS = ['| metric | type | unit | labels | source | meaning |', '| --- | --- | --- | --- | --- | --- |'] as const;

function row({ name, type, unit, labels, source, help }: DocumentedMetric, common: readonly string[]): string {
  const shown = labels.filter((label) => !common.includes(label)).map((label) => `\`${label}\``);
  const cells = [`\`${name}\``, type, unit, shown.join(' '), source, help];
  return `| ${cells.map((cell) => cell.replaceAll(/[|\\<]/g, '\\$&').replaceAll(/\s+/g, ' ')).join(' | ')} |`;
}

const renderPart = ({ title, text, metrics, common = [] }: Part): string =>
  [
    `### ${title}`,
    '',
    ...(text === undefined ? [] : [text, '']),
    ...ROWS,
    ...metrics.map((metric) => row(metric, common)),
    '',
  ].join('\n');

const period = (name: string): string => {
  const { periodSeconds, off } = collectors.find((collector) => collector.name === name) ?? {};
  const every = `every ${periodSeconds} s unless configured otherwise`;
  return off === true ? `Off unless \`probes.enable\` names it; then read ${every}.` : `Read ${every}.`;
};

/** A part for each collector of a view. */
const ofView = (view: string, metrics: readonly DocumentedMetric[]): readonly Part[] =>
  collectors
    .filter((collector) => collector.view === view)
    .map(({ name }) => name)
    .sort()
    .map((name) => ({ title: name, text: period(name), metrics: metrics.filter(({ from }) => from === name) }));

/** Containers have too much for one table: parts by name, the first that fits. */
const OF_CONTAINERS = [
  ['CPU', /^(?:jdos_)?container_(?:spec_)?cpu/],
  ['Memory', /^(?:jdos_)?container_(?:(?:spec_)?memory|oom)/],
  ['Processes and file descriptors', /^(?:jdos_)?container_(?:processes|threads|file|fd|ulimits|forks)/],
  ['Block devices', /^container_(?:fs|blkio)/],
  ['Network', /^container_network/],
  ['Pressure', /^container_pressure/],
  ['Identity and life', /^(?:jdos_)?container_(?:last_seen|start_time|info)/],
  ['Slices and pods', /^jdos_cgroup_(?:descendants|dying)/],
] as const;

function ofContainers(all: readonly DocumentedMetric[]): readonly Part[] {
  const metrics = all.filter(({ from }) => collectors.find(({ name }) => name === from)?.view === 'container');
  const titleOf = ({ name }: DocumentedMetric) => OF_CONTAINERS.find(([, pattern]) => pattern.test(name))?.[0];
  const part = (title: string | undefined): readonly DocumentedMetric[] =>
    metrics.filter((metric) => titleOf(metric) === title);
  const parts = OF_CONTAINERS.map(([title]) => ({ title, metrics: part(title), common: LABELS }));
  return [...parts, { title: 'The machine and the collector', metrics: part(undefined) }];
}

const PARTS_OF_DAEMON = [
  ['collectors', 'Collectors', 'What the collectors cost, and how they fare.'],
  ['daemon', 'Processes and parts', 'The three processes of the daemon, and the parts in them.'],
  ['http', 'HTTP', 'The front door.'],
  ['history', 'History', 'The rollups that the daemon keeps by itself.'],
  ['messages', 'Messages', 'The ledger of yaRPC messages.'],
  ['rpc', 'yaRPC', 'The calls between the processes of the daemon.'],
  ['traces', 'Traces', 'The store of traces.'],
] as const;

const VIEWS = [
  {
    title: 'The host',
    text: 'Served at `/metrics/node`. A part for each collector, under its name.',
    parts: (all: readonly DocumentedMetric[]) => ofView('node', all),
  },
  {
    title: 'Processes',
    text: 'Served at `/metrics/process`. Processes are summed by group; how groups are named: [prometheus.md](prometheus.md#names-for-groups-of-processes).',
    parts: (all: readonly DocumentedMetric[]) => ofView('process', all),
  },
  {
    title: 'Containers',
    text:
      'Collector `container`, every 15 s unless configured otherwise. Served with the labels of the kubelet at `/metrics/cadvisor` and of cAdvisor alone, without `container`, `namespace` and `pod`, ' +
      `at \`/metrics/container\`. The labels of all containers are ${LABELS.map((label) => `\`${label}\``).join(' ')}; the tables ` +
      'name those beyond. A source is a file of the cgroup, of v2 unless it says v1; `id="/"` is the host, from /proc/meminfo, /proc/stat and the root of the tree.',
    parts: ofContainers,
  },
  {
    title: 'Problems',
    text: 'Served at `/metrics/problem`. What the log of the kernel tells, and what it remembers: [kernel.md](kernel.md).',
    parts: (all: readonly DocumentedMetric[]) => ofView('problem', all),
  },
  {
    title: 'Open vSwitch',
    text: 'Served at `/metrics/ovs`. What it means, and what is absent when: [ovs.md](ovs.md).',
    parts: (all: readonly DocumentedMetric[]) => ofView('ovs', all),
  },
  {
    title: 'The daemon',
    text: 'Served at `/metrics` alone, but for `node_scrape_*`, which `/metrics/node` has too, and `node_exporter_build_info`, which it has alone.',
    parts: (all: readonly DocumentedMetric[]) =>
      PARTS_OF_DAEMON.map(([part, title, text]) => {
        return { title, text, metrics: all.filter(({ from }) => from === part) };
      }),
  },
] as const;

const layOut = (all: readonly DocumentedMetric[]) =>
  VIEWS.map(({ title, text, parts }) => ({ title, text, parts: parts(all) }));

t.test('every metric of the sources stands in docs/metrics.md, and no other', async (t) => {
  const all = documentedMetrics();
  const views = layOut(all);
  const placed = views.flatMap(({ parts }) => parts.flatMap(({ metrics }) => metrics.map(({ name }) => name)));
  t.same(
    placed.toSorted(),
    all.map(({ name }) => name),
    'each has one place',
  );
  const text = views.map(({ title, text, parts }) =>
    [`## ${title}`, '', text, '', ...parts.map(renderPart)].join('\n'),
  );
  await golden(t, '../../docs/metrics.md', [HEAD, ...text].join('\n'));
});

t.test('every metric says its unit and where it comes from', async (t) => {
  for (const { name, unit, source } of documentedMetrics()) {
    t.not(unit, '', `${name}: the name does not end in a unit, so declare it`);
    t.match(source, /^\S.{3,100}$/, `${name} has a source of a few words`);
  }
  for (const [name, unit] of [
    ['node_disk_io_time_seconds_total', 'seconds'],
    ['container_start_time_seconds', 'Unix seconds'],
    ['node_forks_total', 'forks'],
    ['node_uname_info', 'constant 1'],
    ['namedprocess_namegroup_worst_fd_ratio', 'ratio'],
    ['node_intr_total', ''],
    ['node_load15', ''],
  ] as const)
    t.equal(unitOf(name), unit, name);
});

const readDocument = (): Promise<string> => readFile(join(import.meta.dirname, '../../docs/metrics.md'), 'utf8');

t.test('every metric that a file registers by itself is known here', async (t) => {
  const document = await readDocument();
  for (const [file, text] of await sources()) {
    if (!/from '[./]*base\/metrics\.ts'/.test(text)) continue;
    for (const [, name = ''] of text.matchAll(/'(jdos_[a-z0-9_]+)'/g))
      t.ok(
        document.includes(`| \`${name}\` |`),
        `${name} of ${file} is documented: name its registrar in REGISTRARS of documented-metrics.ts`,
      );
  }
});

t.test('what a real daemon exposes is documented, with its type', async (t) => {
  const daemon = startDaemon(t);
  await daemon.until(/listens +http:/);
  const body = await eventually('a collection', async () => {
    const text = await (await fetch(`${daemon.url()}/metrics`)).text();
    return text.includes('namedprocess_namegroup_num_procs') ? text : undefined;
  });
  const exposed = [...body.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type = '']) => ({ name, type }));
  const document = await readDocument();
  t.ok(exposed.length > 100, `${exposed.length} families are exposed`);
  for (const { name, type } of exposed)
    t.ok(document.includes(`| \`${name}\` | ${type} |`), `${name} is a documented ${type}`);
});
