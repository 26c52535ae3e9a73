// What the daemon says about its own watching: the collectors' health and cost, and its own prom-client metrics.
import type { Registry } from '../base/metrics.ts';
import type { Logger } from '../base/logging.ts';
import type { Metric, SampleWriter } from './collector.ts';
import { byName, declaredFamilies, type ExposedFamily } from './exposition.ts';
import { openFamilyWriter } from './family-writer.ts';
import type { CollectorStatus } from './host-view.ts';
import { formatValue, seriesText } from './sample-text.ts';
import type { Snapshots } from './snapshots.ts';

const gauge = (name: string, source: string, help: string, labels: readonly string[] = ['collector']): Metric => ({
  name,
  help,
  type: 'gauge',
  source,
  labels,
});

/** About the collectors, on `/metrics`. */
export const SELF_METRICS: readonly Metric[] = [
  gauge('jdos_collector_duration_seconds', 'the probe process', 'Time that the last collection took.'),
  {
    ...gauge(
      'jdos_collector_success',
      'the last collection, and its age',
      'Whether the last collection succeeded and is not older than four periods.',
    ),
    unit: '0 or 1',
  },
  gauge('jdos_collector_age_seconds', 'the last collection', 'Time since the last successful collection.'),
  gauge(
    'jdos_collector_period_seconds',
    'the probe process',
    'Time between two collections: longer than configured while probes.budget.cpuRatio is exceeded.',
  ),
  {
    name: 'jdos_collector_cpu_seconds_total',
    help: 'CPU time of the collections since the serving process started.',
    type: 'counter',
    source: 'getrusage(2) before and after each',
    labels: ['collector'],
  },
  {
    ...gauge(
      'jdos_collector_left_out',
      'limits of the configuration',
      'What the last collection left out: series (budget, duplicate), process groups (groups), containers (containers), slices (slices), ends of label values (label).',
      ['collector', 'reason'],
    ),
    unit: 'what the reason says',
  },
  gauge('jdos_collector_series', 'the exposition', 'Series of the collector that are exposed now.'),
  gauge(
    'jdos_collector_quarantined_targets',
    'the probe process',
    'Targets that are not read for a while because reading them hung.',
  ),
  {
    name: 'jdos_collector_errors_total',
    help: 'Failed collections by reason (absent, permission, deadline, failed) since the serving process started.',
    type: 'counter',
    source: 'failed collections',
    labels: ['collector', 'reason'],
  },
  gauge('jdos_series', 'the exposition', 'Series of all collectors that are exposed now.', []),
];

/** The same as node_exporter says it, also on `/metrics/node`. */
export const NODE_SELF_METRICS: readonly Metric[] = [
  gauge(
    'node_scrape_collector_duration_seconds',
    'the probe process',
    'node_exporter: Duration of a collector scrape.',
  ),
  {
    ...gauge(
      'node_scrape_collector_success',
      'the last collection, and its age',
      'node_exporter: Whether a collector succeeded.',
    ),
    unit: '0 or 1',
  },
];

/** By which dashboards find what is a node_exporter; on `/metrics/node` alone. */
export const NODE_BUILD: Metric = {
  name: 'node_exporter_build_info',
  help: 'node_exporter: found by dashboards; the version is that of JDOS, which speaks in its place here.',
  type: 'gauge',
  source: 'package.json; on /metrics/node alone',
  labels: ['version', 'branch'],
};

export const nodeBuildFamily = (version: string): readonly ExposedFamily[] =>
  write([NODE_BUILD], (out) => out.add(NODE_BUILD.name, 1, version, 'jdos'));

/** The self metrics of collectors. One that has not answered yet has none but its number of series. */
export function selfFamilies(
  collectors: readonly CollectorStatus[],
  { errors, cpuSeconds }: Pick<Snapshots, 'errors' | 'cpuSeconds'>,
  now: number,
): readonly ExposedFamily[] {
  const shown = new Set(collectors.map(({ name }) => name));
  return write(SELF_METRICS, (out) => {
    for (const { name, state, ...collector } of collectors) {
      out.add('jdos_collector_series', collector.series, name);
      if (collector.lastSuccessAt !== undefined) {
        out.add('jdos_collector_age_seconds', Math.max(0, now - collector.lastSuccessAt) / 1000, name);
      }
      if (state === 'waiting') continue;
      out.add('jdos_collector_duration_seconds', collector.durationSeconds, name);
      out.add('jdos_collector_success', state === 'ok' ? 1 : 0, name);
      out.add('jdos_collector_quarantined_targets', collector.quarantined.length, name);
      out.add('jdos_collector_period_seconds', collector.periodSeconds, name);
      for (const { reason, count } of collector.leftOut) out.add('jdos_collector_left_out', count, name, reason);
    }
    for (const { collector, seconds } of cpuSeconds()) {
      if (shown.has(collector)) out.add('jdos_collector_cpu_seconds_total', Number(seconds.toFixed(6)), collector);
    }
    for (const { collector, reason, count } of errors()) {
      if (shown.has(collector)) out.add('jdos_collector_errors_total', count, collector, reason);
    }
    out.add(
      'jdos_series',
      collectors.reduce((sum, { series }) => sum + series, 0),
    );
  });
}

/** node_exporter's self metrics, of the collectors of its view. */
export const nodeSelfFamilies = (collectors: readonly CollectorStatus[]): readonly ExposedFamily[] =>
  write(NODE_SELF_METRICS, (out) => {
    for (const { name, state, durationSeconds } of collectors) {
      if (state === 'waiting') continue;
      out.add('node_scrape_collector_duration_seconds', durationSeconds, name);
      out.add('node_scrape_collector_success', state === 'ok' ? 1 : 0, name);
    }
  });

function write(metrics: readonly Metric[], fill: (out: SampleWriter) => void): readonly ExposedFamily[] {
  const out = openFamilyWriter(metrics);
  out.begin(Infinity);
  fill(out);
  return declaredFamilies(out.finish().families, byName(metrics));
}

/** What prom-client's metrics give, of which its types know only a part. */
interface OwnMetric {
  readonly name: string;
  readonly help: string;
  /** Its types call this a number; it is a word. */
  readonly type: unknown;
  readonly values: readonly {
    readonly value: number;
    readonly labels: Readonly<Record<string, string | number | undefined>>;
    readonly metricName?: string;
  }[];
}

/** The daemon's own metrics. One that cannot be read is logged and left out: the others are exposed all the same. */
export async function ownFamilies(registry: Registry, log: Logger): Promise<readonly ExposedFamily[]> {
  const metrics = registry.getMetricsAsArray() as unknown as readonly { get(): Promise<OwnMetric> }[];
  const read = await Promise.allSettled(metrics.map((metric) => metric.get()));
  return read.flatMap((result) => {
    if (result.status === 'fulfilled') return ownFamily(result.value);
    log.error({ err: result.reason as unknown }, 'own metric could not be read');
    return [];
  });
}

function ownFamily({ name, help, type, values }: OwnMetric): ExposedFamily[] {
  if ((type !== 'counter' && type !== 'gauge' && type !== 'histogram') || values.length === 0) return [];
  const lines = values.map(({ metricName, labels, value }) => {
    const present = Object.entries(labels).filter(([, text]) => text !== undefined);
    const head = seriesText(
      metricName ?? name,
      present.map(([label]) => label),
      present.map(([, text]) => String(text)),
    );
    return `${head} ${formatValue(value)}\n`;
  });
  return [{ name, help, type, text: lines.join('') }];
}
