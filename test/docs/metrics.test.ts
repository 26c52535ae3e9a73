// docs/metrics.md lists every metric the daemon exposes, and no other. `npm run docs` writes it anew.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { Registry } from '../../src/base/metrics.ts';
import type { DaemonView } from '../../src/daemon/daemon-view.ts';
import { ownMetrics } from '../../src/daemon/own-metrics.ts';
import { httpMetrics } from '../../src/http/metrics.ts';
import { historyMetrics } from '../../src/probes/history/metrics.ts';
import { collectors } from '../../src/probes/registry.ts';
import { NODE_SELF_METRICS, SELF_METRICS } from '../../src/probes/self-metrics.ts';
import { ledgerMetrics } from '../../src/tracing/ledger/metrics.ts';
import { traceMetrics } from '../../src/tracing/metrics.ts';
import { rpcMetrics } from '../../src/tracing/yarpc/metrics.ts';
import { eventually, startDaemon } from '../support/daemon.ts';
import { golden } from '../support/golden.ts';
import { sources } from './fault-sources.ts';

/** Everything that registers metrics of the daemon's own, by the part it belongs to. */
const REGISTRARS: Readonly<Record<string, (registry: Registry) => void>> = {
  history: (registry) => historyMetrics(registry, () => ({ stats: undefined, growth: undefined })),
  http: httpMetrics,
  messages: (registry) => ledgerMetrics(registry, () => ({ recorded: 0, unrecorded: 0, bytes: 0 })),
  traces: (registry) => traceMetrics(registry, () => undefined),
  yarpc: rpcMetrics,
};

interface DocumentedMetric {
  readonly name: string;
  readonly type: string;
  readonly labels: readonly string[];
  readonly from: string;
  readonly help: string;
}

const noView = { status: () => undefined } as unknown as DaemonView;

function ofRegistry(registry: Registry, from: string): readonly DocumentedMetric[] {
  const metrics = registry.getMetricsAsArray() as unknown as readonly {
    readonly name: string;
    readonly help: string;
    readonly type: string;
    readonly labelNames: readonly string[];
  }[];
  return metrics.map(({ name, help, type, labelNames }) => ({ name, help, type, labels: labelNames, from }));
}

function documentedMetrics(): readonly DocumentedMetric[] {
  const own = ownMetrics({ version: '0.0.0', parts: () => new Map(), view: noView });
  const registered = Object.entries(REGISTRARS).flatMap(([part, register]) => {
    const registry = new Registry();
    register(registry);
    return ofRegistry(registry, part);
  });
  const declared = [
    ...collectors.flatMap(({ name, metrics }) => metrics.map((metric) => ({ ...metric, from: name }))),
    ...[...NODE_SELF_METRICS, ...SELF_METRICS].map((metric) => ({ ...metric, from: 'all collectors' })),
  ];
  return [
    ...declared.map(({ labels = [], ...metric }) => ({ ...metric, labels })),
    ...ofRegistry(own, 'daemon'),
    ...registered,
  ].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

const HEAD = `<!-- Made by test/docs/metrics.test.ts from the sources; \`npm run docs\` writes it anew. -->

# Metrics

What \`/metrics\` exposes. What the host does not have, and what could not be read, is absent: no sample stands for 0.
How to scrape it, and what to do where another exporter runs: [prometheus.md](prometheus.md).

The names, labels and units of \`node_*\` are node_exporter's and those of \`namedprocess_*\` process-exporter's, so that
dashboards and rules made for them work unchanged. What is the daemon's own begins with \`jdos_\`.
`;

const FAMILIES = [
  {
    title: 'The host: `node_*`',
    prefix: 'node_',
    view: 'Served at `/metrics/node`, with the `jdos_*` metrics of the same collectors.',
  },
  {
    title: 'Processes by group: `namedprocess_*`',
    prefix: 'namedprocess_',
    view: 'Served at `/metrics/process`, with the `jdos_*` metrics of the same collector.',
  },
  {
    title: 'Containers: `container_*`',
    prefix: 'container_',
    view:
      'Served with the labels of the kubelet at `/metrics/cadvisor` and of cAdvisor alone, without `container`, `namespace` and `pod`, ' +
      'at `/metrics/container`; there with the `jdos_*` metrics of the same collector.',
  },
  { title: 'The machine: `machine_*`', prefix: 'machine_', view: 'As cAdvisor names them.' },
  { title: 'The daemon and what it adds: `jdos_*`', prefix: 'jdos_', view: '' },
] as const;

function row({ name, type, labels, from, help }: DocumentedMetric): string {
  const cells = [`\`${name}\``, type, labels.map((label) => `\`${label}\``).join(' '), from, help];
  return `| ${cells.map((cell) => cell.replaceAll(/[|\\<]/g, '\\$&').replaceAll(/\s+/g, ' ')).join(' | ')} |`;
}

function render(metrics: readonly DocumentedMetric[]): string {
  const tables = FAMILIES.map(({ title, prefix, view }) =>
    [
      `## ${title}`,
      '',
      ...(view === '' ? [] : [view, '']),
      '| metric | type | labels | from | meaning |',
      '| --- | --- | --- | --- | --- |',
      ...metrics.filter(({ name }) => name.startsWith(prefix)).map(row),
      '',
    ].join('\n'),
  );
  const names = collectors.map(({ name, view, periodSeconds }) => `| \`${name}\` | ${view} | ${periodSeconds} s |`);
  const list = ['## Collectors', '', 'Their names are what `collect[]`, `exclude[]` and `probes.disable` take.', ''];
  const table = ['| collector | view | period unless configured |', '| --- | --- | --- |', ...names.toSorted(), ''];
  return [HEAD, ...tables, [...list, ...table].join('\n')].join('\n');
}

t.test('every metric of the sources stands in docs/metrics.md, and no other', async (t) => {
  const metrics = documentedMetrics();
  for (const { name } of metrics)
    t.ok(
      FAMILIES.some(({ prefix }) => name.startsWith(prefix)),
      `${name} belongs to a family`,
    );
  await golden(t, '../../docs/metrics.md', render(metrics));
});

const readDocument = (): Promise<string> => readFile(join(import.meta.dirname, '../../docs/metrics.md'), 'utf8');

t.test('every metric that a file registers by itself is known here', async (t) => {
  const document = await readDocument();
  for (const [file, text] of await sources()) {
    if (!/from '[./]*base\/metrics\.ts'/.test(text)) continue;
    for (const [, name = ''] of text.matchAll(/'(jdos_[a-z0-9_]+)'/g))
      t.ok(document.includes(`| \`${name}\` |`), `${name} of ${file} is documented: name its registrar in REGISTRARS`);
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
