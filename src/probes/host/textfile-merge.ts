// Makes one exposition of the files of several programs: a file that contradicts what was there before is refused whole.
import type { FamilyType, FoundFamily } from '../collector.ts';
import { formatValue } from '../sample-text.ts';
import { seriesNames, type TextFamily, type TextSample } from './text-format.ts';

/** The families of a file. */
export interface TextFile {
  readonly file: string;
  readonly families: readonly TextFamily[];
}

export interface RefusedFile {
  readonly file: string;
  readonly reason: string;
}

interface Merged {
  readonly families: readonly FoundFamily[];
  readonly refused: readonly RefusedFile[];
}

interface MergedFamily {
  /** Of the first file that has it. */
  readonly file: string;
  readonly type: FamilyType;
  help: string | undefined;
  readonly samples: TextSample[];
  cut: number;
}

/** Merges files in their order. `isOwn` says of a name whether the daemon exposes it by itself. */
export function mergeFiles(files: readonly TextFile[], isOwn: (name: string) => boolean): Merged {
  const merged = new Map<string, MergedFamily>();
  const seen = new Set<string>();
  const refused: RefusedFile[] = [];
  for (const { file, families } of files) {
    const reason = contradiction(families, merged, seen, isOwn);
    if (reason !== undefined) {
      refused.push({ file, reason });
      continue;
    }
    for (const family of families) {
      const { name, type, help, samples, cut } = family;
      let known = merged.get(name);
      if (known === undefined) merged.set(name, (known = { file, type, help, samples: [], cut: 0 }));
      known.help ??= help;
      known.cut += cut;
      for (const sample of samples) {
        known.samples.push(sample);
        seen.add(sample.series);
      }
    }
  }
  return { families: [...merged].map(([name, family]) => found(name, family)), refused };
}

function contradiction(
  families: readonly TextFamily[],
  merged: ReadonlyMap<string, MergedFamily>,
  seen: ReadonlySet<string>,
  isOwn: (name: string) => boolean,
): string | undefined {
  for (const { name, type, samples } of families) {
    const own = seriesNames(name, type).find(isOwn);
    if (own !== undefined) return `${own} is a metric of the daemon's own`;
    const before = merged.get(name);
    if (before !== undefined && before.type !== type) return `${name} is ${type}, and ${before.type} in ${before.file}`;
    const twice = samples.find(({ series }) => seen.has(series));
    if (twice !== undefined) return `${twice.series} is in a file before it`;
  }
  return undefined;
}

function found(name: string, { file, help, type, samples, cut }: MergedFamily): FoundFamily {
  const text = samples.map(({ series, value }) => `${series} ${formatValue(value)}\n`).join('');
  return {
    name,
    help: help ?? `Metric read from ${file}`, // node_exporter's words
    type,
    samples: samples.length,
    text: Buffer.from(text),
    cut,
  };
}
