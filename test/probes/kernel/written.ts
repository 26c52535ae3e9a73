// What a collector writes, as text: one line per sample, in the order of writing; refuses what was not declared.
import { join } from 'node:path';
import { ProbesConfig } from '../../../src/probes/config.ts';
import type { Census, Collector, SampleWriter } from '../../../src/probes/collector.ts';
import type { HostFiles } from '../../../src/probes/host-files.ts';

/** A host of which the files were recorded. */
export const RECORDED = join(import.meta.dirname, '../../fixtures/host/debian12-6.18');

export interface Sample {
  readonly metric: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Written {
  readonly samples: readonly Sample[];
  readonly text: string;
}

const line = ({ metric, labels, value }: Sample): string => {
  const inside = Object.entries(labels).map(([name, text]) => `${name}=${JSON.stringify(text)}`);
  return `${metric}${inside.length === 0 ? '' : `{${inside.join(',')}}`} ${value}\n`;
};

export function openWriter(collector: Collector): SampleWriter & { readonly written: () => Written } {
  const samples: Sample[] = [];
  const lines = new Set<string>();
  return {
    add(metric, value, ...values) {
      const declared = collector.metrics.find(({ name }) => name === metric);
      if (declared === undefined) throw new Error(`${collector.name} writes ${metric}, which it does not declare`);
      const names = declared.labels ?? [];
      if (names.length !== values.length) throw new Error(`${metric} has ${names.length} labels, not ${values.length}`);
      if (!Number.isFinite(value)) throw new Error(`${metric} is ${value}`);
      const labels = Object.fromEntries(names.map((name, index) => [name, values[index] ?? '']));
      const key = `${metric} ${JSON.stringify(labels)}`;
      if (lines.has(key)) throw new Error(`written twice: ${key}`);
      lines.add(key);
      samples.push({ metric, labels, value });
    },
    set({ metric, labelValues }, value) {
      this.add(metric.name, value, ...labelValues);
    },
    addFamily: ({ name }) => {
      throw new Error(`${collector.name} finds ${name}, which nobody declared`);
    },
    written: () => ({ samples, text: samples.map(line).join('') }),
  };
}

export const config = (value: unknown = {}): ProbesConfig => ProbesConfig.parse(value);

/** Opens a collector on a host and collects once. */
export async function collectOnce(
  collector: Collector,
  host: HostFiles,
  settings = config(),
  census?: Census,
): Promise<Written> {
  const out = openWriter(collector);
  await collector.open({ host, config: settings, census, saved: undefined }).collect(out);
  return out.written();
}
