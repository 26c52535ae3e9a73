// The real node_exporter for tests, and what it exposes.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { MetricSample } from '../../src/probes/sample-text.ts';

/** Starts it with these arguments on a free port of the loopback, and resolves with what it exposes. */
export async function scrapeNodeExporter(args: readonly string[]): Promise<string> {
  const child = spawn('/usr/bin/prometheus-node-exporter', [...args, '--web.listen-address=127.0.0.1:0'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  try {
    const log: string[] = [];
    for await (const line of createInterface({ input: child.stderr })) {
      log.push(line);
      const port = /Listening on.*address=127\.0\.0\.1:(\d+)/.exec(line)?.[1];
      if (port !== undefined) return await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    }
    throw new Error(`node_exporter did not listen:\n${log.join('\n')}`);
  } finally {
    child.kill();
    await ended;
  }
}

interface Sample extends MetricSample {
  readonly metric: string;
}

interface Exposed {
  readonly types: ReadonlyMap<string, string>;
  readonly samples: readonly Sample[];
  readonly helps: ReadonlyMap<string, string>;
}

/** Reads the exposition format as node_exporter writes it. */
export function parseExposition(text: string): Exposed {
  const types = new Map<string, string>();
  const helps = new Map<string, string>();
  const samples: Sample[] = [];
  for (const line of text.split('\n')) {
    const type = /^# TYPE (\S+) (\S+)$/.exec(line);
    if (type !== null) types.set(type[1] ?? '', type[2] ?? '');
    const help = /^# HELP (\S+) (.*)$/.exec(line);
    if (help !== null) helps.set(help[1] ?? '', help[2] ?? '');
    const sample = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (sample === null) continue;
    const pairs = [...(sample[2] ?? '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)];
    const labels = Object.fromEntries(
      pairs.map(([, name = '', value = '']) => [name, JSON.parse(`"${value}"`) as string]),
    );
    samples.push({ metric: sample[1] ?? '', labels, value: Number(sample[3]?.replace('Inf', 'Infinity')) });
  }
  return { types, helps, samples };
}
