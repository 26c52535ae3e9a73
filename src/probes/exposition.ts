// Renders families in the two exposition formats and chooses the format that a scraper asked for.
import type { FamilyType, Metric } from './collector.ts';
import type { WrittenFamily } from './family-writer.ts';

/** A family with its sample lines, each ended by a line feed; the same lines serve both formats. */
export interface ExposedFamily {
  readonly name: string;
  readonly help: string;
  readonly type: FamilyType;
  readonly text: string | Buffer;
}

/** What was written, with what is said of it where it was declared or found; another family is left out. */
export const declaredFamilies = (
  written: readonly WrittenFamily[],
  metrics: ReadonlyMap<string, Metric>,
): readonly ExposedFamily[] =>
  written.flatMap(({ name, found, text }) => {
    const said = metrics.get(name) ?? found;
    return said === undefined ? [] : [{ name, help: said.help, type: said.type, text }];
  });

export const byName = (metrics: readonly Metric[]): ReadonlyMap<string, Metric> =>
  new Map(metrics.map((metric) => [metric.name, metric]));

type Format = 'text' | 'openmetrics';

export const CONTENT_TYPES: Readonly<Record<Format, string>> = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

/**
 * The exposition of families with different names, in a buffer that `take` gives for its length.
 * https://prometheus.io/docs/instrumenting/exposition_formats and https://prometheus.io/docs/specs/om/open_metrics_spec
 */
export function renderExposition(
  families: readonly ExposedFamily[],
  format: Format,
  take: (length: number) => Buffer = Buffer.allocUnsafe,
): Buffer {
  const head = format === 'text' ? textHead : openMetricsHead;
  const pieces = families.flatMap((family) => [Buffer.from(head(family)), bytesOf(family.text)]);
  if (format === 'openmetrics') pieces.push(Buffer.from('# EOF\n'));
  const bytes = take(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) at += piece.copy(bytes, at);
  return bytes;
}

const bytesOf = (text: string | Buffer): Buffer => (typeof text === 'string' ? Buffer.from(text) : text);

const textHead = ({ name, help, type }: ExposedFamily): string =>
  `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n`;

function openMetricsHead({ name, help, type }: ExposedFamily): string {
  const family = openMetricsFamily(name, type);
  const quoted = escapeHelp(help).replaceAll('"', '\\"');
  return `# TYPE ${family.name} ${family.type}\n# HELP ${family.name} ${quoted}\n`;
}

/** The name and type of a family's metadata: counters lose `_total`, and one that never had it is no counter. */
export function openMetricsFamily(name: string, type: ExposedFamily['type']): { name: string; type: string } {
  if (type === 'untyped') return { name, type: 'unknown' };
  if (type !== 'counter') return { name, type };
  return name.endsWith('_total') ? { name: name.slice(0, -'_total'.length), type } : { name, type: 'unknown' };
}

const escapeHelp = (help: string): string => help.toWellFormed().replaceAll('\\', '\\\\').replaceAll('\n', '\\n');

interface MediaRange {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly q: number;
}

const MAX_RANGES = 32;

/**
 * The format for an `Accept` header (RFC 9110, section 12.5.1). OpenMetrics is given only to those who name it, and is
 * preferred when they rate it as high as text; who accepts neither gets text, as from Prometheus' own libraries.
 */
export function negotiate(accept: string | readonly string[] | undefined): Format {
  const header = typeof accept === 'string' ? accept : (accept ?? []).join(',');
  const ranges = header.split(',', MAX_RANGES).map(parseRange);
  const best = (format: Format): number => Math.max(0, ...ranges.map((range) => (serves(format, range) ? range.q : 0)));
  const openmetrics = best('openmetrics');
  return openmetrics > 0 && openmetrics >= best('text') ? 'openmetrics' : 'text';
}

function serves(format: Format, { type, parameters }: MediaRange): boolean {
  const version = parameters.get('version');
  if (format === 'openmetrics') {
    return type === 'application/openmetrics-text' && (version === undefined || version === '1.0.0');
  }
  if (type === 'text/plain') return version === undefined || version === '0.0.4';
  return type === 'text/*' || type === '*/*';
}

function parseRange(text: string): MediaRange {
  const [type = '', ...rest] = text.split(';').map((part) => part.trim());
  const parameters = new Map(
    rest.map((part): [string, string] => {
      const [name = '', value = ''] = part.split('=', 2).map((side) => side.trim());
      return [name.toLowerCase(), value.replace(/^"(.*)"$/, '$1')];
    }),
  );
  const q = Number(parameters.get('q') ?? 1);
  return { type: type.toLowerCase(), parameters, q: q >= 0 && q <= 1 ? q : 0 };
}
