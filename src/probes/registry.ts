// Every collector of the probe process, and the table of what they may expose.
import type { Collector, Metric } from './collector.ts';
import type { ProbesConfig } from './config.ts';
import { hostCollectors } from './host/index.ts';
import { kernelCollectors } from './kernel/index.ts';
import { processCollectors } from './process/index.ts';
import { NODE_SELF_METRICS, SELF_METRICS } from './self-metrics.ts';

export const collectors: readonly Collector[] = [...kernelCollectors, ...hostCollectors, ...processCollectors];

/** The collectors that the configuration leaves on. */
export const enabledCollectors = (config: ProbesConfig): readonly Collector[] =>
  collectors.filter(({ name }) => !config.disable.includes(name));

/** The names in `probes.disable` that no collector has. */
export const unknownDisabled = (config: ProbesConfig): readonly string[] =>
  config.disable.filter((name) => !collectors.some((collector) => collector.name === name));

/** A Markdown table of all declared metrics, sorted by name, for `docs/metrics.md`. */
export function metricsTable(): string {
  const rows = [
    ...collectors.flatMap(({ name, view, metrics }) => metrics.map((metric) => row(metric, view, name))),
    ...NODE_SELF_METRICS.map((metric) => row(metric, 'node', '')),
    ...SELF_METRICS.map((metric) => row(metric, '', '')),
  ];
  return [
    '| Metric | Type | Labels | View | Collector | Meaning |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows.sort((a, b) => (a < b ? -1 : 1)),
    '',
  ].join('\n');
}

function row({ name, type, labels = [], help }: Metric, view: string, collector: string): string {
  const cells = [`\`${name}\``, type, labels.map((label) => `\`${label}\``).join(', '), view, collector, help];
  return `| ${cells.map((cell) => cell.replace(/[|\\]/g, '\\$&').replace(/\s+/g, ' ')).join(' | ')} |`;
}
