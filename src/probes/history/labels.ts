// The head of a sample line, `name{label="value"}`, is the name of a series: taken apart and put together.
import { seriesText } from '../family-writer.ts';

interface SeriesName {
  readonly metric: string;
  readonly labels: Readonly<Record<string, string>>;
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
