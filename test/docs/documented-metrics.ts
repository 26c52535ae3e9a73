// Every metric the daemon exposes, with what docs/metrics.md says of it: as collectors declare them, and as parts register them.
import { Registry } from '../../src/base/metrics.ts';
import type { DaemonView } from '../../src/daemon/daemon-view.ts';
import { ownMetrics } from '../../src/daemon/own-metrics.ts';
import { httpMetrics } from '../../src/http/metrics.ts';
import type { Metric } from '../../src/probes/collector.ts';
import { historyMetrics } from '../../src/probes/history/metrics.ts';
import { collectors } from '../../src/probes/registry.ts';
import { NODE_BUILD, NODE_SELF_METRICS, SELF_METRICS } from '../../src/probes/self-metrics.ts';
import { ledgerMetrics } from '../../src/tracing/ledger/metrics.ts';
import { traceMetrics } from '../../src/tracing/metrics.ts';
import { rpcMetrics } from '../../src/tracing/yarpc/metrics.ts';

export interface DocumentedMetric {
  readonly name: string;
  readonly type: string;
  readonly unit: string;
  readonly labels: readonly string[];
  readonly source: string;
  readonly help: string;
  /** The collector that writes it, or the part of the daemon that registers it. */
  readonly from: string;
}

const noView = { status: () => undefined } as unknown as DaemonView;

/** What registers metrics of the daemon's own in prom-client, by part, and what they are counted from. */
const REGISTRARS: Readonly<Record<string, readonly [source: string, register: (registry: Registry) => void]>> = {
  history: [
    'the store of history',
    (registry) => historyMetrics(registry, () => ({ stats: undefined, growth: undefined })),
  ],
  http: ['each request', httpMetrics],
  messages: [
    'the message ledger',
    (registry) => ledgerMetrics(registry, () => ({ recorded: 0, unrecorded: 0, bytes: 0 })),
  ],
  traces: ['the trace store', (registry) => traceMetrics(registry, () => undefined)],
  rpc: ['each call', rpcMetrics],
};

/** Of the registered metrics that are counted from something else than their part. */
const SOURCES: Readonly<Record<string, string>> = {
  jdos_build_info: 'package.json and Node',
  jdos_component_up: 'the health of the part',
  jdos_process_cpu_seconds_total: '/proc/PID/stat fields 14, 15 of each process',
  jdos_process_resident_memory_bytes: '/proc/PID/stat field 24 of each process',
  jdos_process_restarts_total: 'the supervisor in the agent process',
  jdos_processes_fds_growth_per_hour: 'a line through the history of open_filedesc',
  jdos_traces_received_bytes_total: 'each request',
  jdos_traces_requests_refused_total: 'each request',
  jdos_traces_spans_accepted_total: 'each request',
  jdos_traces_spans_rejected_total: 'each request',
};

/** Of the registered metrics whose names do not end in their unit. */
const UNITS: Readonly<Record<string, string>> = {
  jdos_component_up: '0 or 1',
  jdos_http_in_flight: 'requests',
  jdos_http_rejected_total: 'requests',
  jdos_messages_recorded_total: 'reports',
  jdos_messages_unrecorded_total: 'reports',
  jdos_processes_fds_growth_per_hour: 'descriptors per hour',
  jdos_rpc_successes_total: 'calls',
  jdos_rpc_caller_failures_total: 'calls',
  jdos_rpc_server_failures_total: 'calls',
  jdos_traces_requests_refused_total: 'requests',
  jdos_traces_spans_accepted_total: 'spans',
  jdos_traces_spans_rejected_total: 'spans',
};

/** The unit that a name ends in; empty where it ends in none. Counted things are plurals: `node_forks_total`. */
export function unitOf(name: string): string {
  if (name.endsWith('_info')) return 'constant 1';
  if (/_(?:time|timestamp)_seconds$/.test(name)) return 'Unix seconds';
  const last =
    name
      .replace(/_total$/, '')
      .split('_')
      .at(-1) ?? '';
  return last === 'ratio' || /^[a-z]+s$/.test(last) ? last : '';
}

const declared = (metric: Metric, from: string): DocumentedMetric => ({
  ...metric,
  labels: metric.labels ?? [],
  unit: metric.unit ?? unitOf(metric.name),
  from,
});

function registered(registry: Registry, from: string, source: string): readonly DocumentedMetric[] {
  const metrics = registry.getMetricsAsArray() as unknown as readonly {
    readonly name: string;
    readonly help: string;
    readonly type: string;
    readonly labelNames: readonly string[];
  }[];
  return metrics.map(({ name, help, type, labelNames: labels }) => {
    return { name, help, type, labels, from, source: SOURCES[name] ?? source, unit: UNITS[name] ?? unitOf(name) };
  });
}

/** By name. */
export function documentedMetrics(): readonly DocumentedMetric[] {
  const own = ownMetrics({ version: '0.0.0', parts: () => new Map(), view: noView });
  return [
    ...collectors.flatMap(({ name, metrics }) => metrics.map((metric) => declared(metric, name))),
    ...[NODE_BUILD, ...NODE_SELF_METRICS, ...SELF_METRICS].map((metric) => declared(metric, 'collectors')),
    ...registered(own, 'daemon', 'the agent process'),
    ...Object.entries(REGISTRARS).flatMap(([part, [source, register]]) => {
      const registry = new Registry();
      register(registry);
      return registered(registry, part, source);
    }),
  ].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
