// The text of samples, `name{label="value"} 1`: written so that Prometheus accepts it, taken apart, and read back.

interface SeriesName {
  readonly metric: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** A sample as it was written, with its labels by name. */
export interface MetricSample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const SPECIAL = /[\\"\n\ud800-\udfff]/;

/** A label value between quotes, the same in both exposition formats. Lone surrogates become U+FFFD. */
export const escapeLabelValue = (value: string): string =>
  SPECIAL.test(value)
    ? value.toWellFormed().replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
    : value;

/** A sample value: as Go's ParseFloat reads it, integers plain. */
export function formatValue(value: number): string {
  if (value === Infinity) return '+Inf';
  return value === -Infinity ? '-Inf' : String(value);
}

/** `name{label="value"}`, or the name alone without labels. A label whose value is undefined is left out. */
export function seriesText(name: string, labels: readonly string[], values: readonly (string | undefined)[]): string {
  let text = '';
  for (let i = 0; i < labels.length; i += 1) {
    const value = values[i];
    if (value !== undefined) text += `${text === '' ? '{' : ','}${labels[i] ?? ''}="${escapeLabelValue(value)}"`;
  }
  return text === '' ? name : `${name}${text}}`;
}

const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"(?:,|$)/gy;

const unescape = (value: string): string =>
  value.includes('\\') ? value.replace(/\\(.)/g, (_, c: string) => (c === 'n' ? '\n' : c)) : value;

/** Takes the head of a line apart; undefined when it is none. */
export function parseSeries(text: string): SeriesName | undefined {
  const open = text.indexOf('{');
  if (open === -1) return text === '' ? undefined : { metric: text, labels: {} };
  if (open === 0 || !text.endsWith('}')) return undefined;
  const inner = text.slice(open + 1, -1);
  const labels: Record<string, string> = {};
  let end = 0;
  for (const match of inner.matchAll(LABEL)) {
    labels[match[1] ?? ''] = unescape(match[2] ?? '');
    end = match.index + match[0].length;
  }
  return end === inner.length ? { metric: text.slice(0, open), labels } : undefined;
}

/** The series without some of its labels, as text. */
export function without(name: SeriesName, dropped: readonly string[]): string {
  const left = Object.entries(name.labels).filter(([label]) => !dropped.includes(label));
  return seriesText(
    name.metric,
    left.map(([label]) => label),
    left.map(([, value]) => value),
  );
}

/** Whether the series has all these labels with these values. */
export const hasLabels = (name: SeriesName, wanted: Readonly<Record<string, string>>): boolean =>
  Object.entries(wanted).every(([label, value]) => name.labels[label] === value);
