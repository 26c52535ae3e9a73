// Strict reading of the Prometheus text format 0.0.4, as other programs write it into files: all of a text or nothing.
import { Fault, faultKind } from '../../base/fault.ts';
import { FAMILY_TYPES, type FamilyType } from '../collector.ts';
import { boundLabel } from '../label-bound.ts';
import { seriesText } from '../sample-text.ts';

const BAD_TEXT = faultKind(
  'JD_BAD_TEXTFILE',
  500,
  'correct what writes this file: to a temporary name, renamed when it is complete, in the Prometheus text format 0.0.4, without timestamps',
);

export const badText = (message: string): Fault => new Fault(BAD_TEXT, message);

export interface TextSample {
  /** `name{label="value"}`, the labels in the order of their names, without empty ones: the same for the same series. */
  readonly series: string;
  readonly value: number;
}

/** A family with at least one sample. */
export interface TextFamily {
  readonly name: string;
  readonly help: string | undefined;
  /** `untyped` where the text has none. */
  readonly type: FamilyType;
  readonly samples: readonly TextSample[];
  readonly cut: number;
}

interface TextLimits {
  readonly samples: number;
  /** Characters of a label value; a longer one is cut. */
  readonly labelLength: number;
}

interface Draft {
  readonly name: string;
  help: string | undefined;
  type: FamilyType | undefined;
  readonly samples: TextSample[];
  cut: number;
}

const LONGEST_LINE = 65_536;
const LONGEST_HELP = 1024;

const COMMENT = /^#[ \t]*(HELP|TYPE)(?:[ \t]+(.*))?$/s;
const NAMED = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:[ \t]+(.*))?$/s;
const NAME = /[a-zA-Z_:][a-zA-Z0-9_:]*/y;
const OPEN = /[ \t]*\{/y;
const CLOSE = /[ \t]*\}/y;
const LABEL = /[ \t]*([a-zA-Z_][a-zA-Z0-9_]*)[ \t]*=[ \t]*"([^"\\]*(?:\\[\\"n][^"\\]*)*)"[ \t]*(?:,|(?=\}))/y;
const VALUE = /[ \t]*([^ \t]+)/y;
/** What Go's ParseFloat takes, without its hexadecimal and underscores. */
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const INFINITE = /^([+-]?)inf(?:inity)?$/i;
const SUFFIXES: Partial<Readonly<Record<FamilyType, readonly string[]>>> = {
  histogram: ['_bucket', '_sum', '_count'],
  summary: ['_sum', '_count'],
};

/** The names of the series of a family: its own, and those of the parts of a histogram or summary. */
export const seriesNames = (name: string, type: FamilyType): readonly string[] => [
  name,
  ...(SUFFIXES[type] ?? []).map((suffix) => `${name}${suffix}`),
];

/**
 * Parses a whole text (https://prometheus.io/docs/instrumenting/exposition_formats). Throws a Fault that names the line for
 * whatever is not in the format, a timestamp, a series that is there twice, and an end within a line.
 */
export function parseTextFormat(text: string, limits: TextLimits): readonly TextFamily[] {
  if (text !== '' && !text.endsWith('\n'))
    throw badText('it ends within a line: it is still being written, or was cut');
  const drafts = new Map<string, Draft>();
  const seen = new Set<string>();
  let number = 0;
  for (let start = 0; start < text.length;) {
    const end = text.indexOf('\n', start);
    number += 1;
    const wrong = readLine(text.slice(start, end), drafts, seen, limits);
    if (wrong !== undefined) throw badText(`line ${number}: ${wrong}`);
    start = end + 1;
  }
  return [...drafts.values()]
    .filter(({ samples }) => samples.length > 0)
    .map((draft) => ({ ...draft, type: draft.type ?? 'untyped' }));
}

/** Takes one line in; answers what is wrong with it. */
function readLine(raw: string, drafts: Map<string, Draft>, seen: Set<string>, limits: TextLimits): string | undefined {
  if (raw.length > LONGEST_LINE) return `longer than ${LONGEST_LINE} characters`;
  const line = raw.replace(/^[ \t]+/, '');
  if (line === '') return undefined;
  if (line.startsWith('#')) return readComment(line, drafts);
  const read = parseSample(line, limits.labelLength);
  if (typeof read === 'string') return read;
  const draft = familyOf(read.name, drafts);
  const misfit = misfitOf(read, draft);
  if (misfit !== undefined) return misfit;
  if (seen.has(read.series)) return `${read.series} is there twice`;
  if (seen.size >= limits.samples) return `more than ${limits.samples} series`;
  seen.add(read.series);
  draft.samples.push({ series: read.series, value: read.value });
  draft.cut += read.cut;
  return undefined;
}

function draftOf(name: string, drafts: Map<string, Draft>): Draft {
  let draft = drafts.get(name);
  if (draft === undefined) drafts.set(name, (draft = { name, help: undefined, type: undefined, samples: [], cut: 0 }));
  return draft;
}

function readComment(line: string, drafts: Map<string, Draft>): string | undefined {
  const comment = COMMENT.exec(line);
  if (comment === null) return undefined;
  const [, keyword, rest] = comment;
  if (rest === undefined || rest === '') return undefined;
  const [, name, said = ''] = NAMED.exec(rest) ?? [];
  if (name === undefined) return `${keyword} of what is no metric name`;
  if (said === '') return keyword === 'TYPE' ? `TYPE of ${name} without a type` : undefined;
  const draft = familyOf(name, drafts);
  if (keyword === 'HELP') {
    if (draft.help !== undefined) return `a second HELP of ${name}`;
    const help = unescapeHelp(said);
    if (help === undefined) return `HELP of ${name} has an escape other than \\\\ and \\n`;
    draft.help = help.slice(0, LONGEST_HELP);
    return undefined;
  }
  if (draft.type !== undefined) return `a second TYPE of ${name}`;
  if (draft.samples.length > 0) return `TYPE of ${name} after its samples`;
  draft.type = FAMILY_TYPES.find((type) => type === said.toLowerCase());
  return draft.type === undefined ? `TYPE of ${name} is not one of ${FAMILY_TYPES.join(', ')}` : undefined;
}

/** Undefined for an unknown escape. */
function unescapeHelp(text: string): string | undefined {
  if (!text.includes('\\')) return text;
  if (!/^(?:[^\\]|\\[\\n])*$/.test(text)) return undefined;
  return text.replaceAll(/\\(.)/g, (_, c: string) => (c === 'n' ? '\n' : c));
}

interface Read {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly series: string;
  readonly value: number;
  readonly cut: number;
}

/** The family a name belongs to: its own, or the histogram or summary of which it is a part. */
function familyOf(name: string, drafts: Map<string, Draft>): Draft {
  const own = drafts.get(name);
  if (own !== undefined) return own;
  const suffix = /_(?:bucket|sum|count)$/.exec(name)?.[0];
  const whole = suffix === undefined ? undefined : drafts.get(name.slice(0, -suffix.length));
  const isPart = whole?.type !== undefined && SUFFIXES[whole.type]?.includes(suffix ?? '');
  return whole !== undefined && isPart === true ? whole : draftOf(name, drafts);
}

/** Why a sample cannot be one of a histogram or summary. */
function misfitOf({ name, labels }: Read, { name: family, type }: Draft): string | undefined {
  const bound = (label: string): boolean => parseValue(labels.get(label) ?? '') !== undefined;
  if (type === 'histogram') {
    if (name === family) return `${name} is no part of a histogram`;
    if (name === `${family}_bucket` && !bound('le')) return `${name} without a number in its label le`;
  }
  if (type === 'summary' && name === family && !bound('quantile')) {
    return `${name} without a number in its label quantile`;
  }
  return undefined;
}

/** The sample of a line, or what is wrong with it. */
function parseSample(line: string, labelLength: number): Read | string {
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(line);
    if (match !== null) at = pattern.lastIndex;
    return match;
  };
  const name = take(NAME)?.[0];
  if (name === undefined) return 'it begins with no metric name';
  const labels = new Map<string, string>();
  const braced = take(OPEN) !== null;
  while (braced && take(CLOSE) === null) {
    const [, label, value = ''] = take(LABEL) ?? [];
    if (label === undefined) return `labels of ${name} are not name="value"`;
    if (label === '__name__') return 'the label __name__ is reserved';
    if (labels.has(label)) return `${name} has the label ${label} twice`;
    labels.set(label, unescapeLabel(value));
  }
  const word = braced || /[ \t]/.test(line[at] ?? '') ? take(VALUE)?.[1] : undefined;
  if (word === undefined) return `${name} without a value`;
  const value = parseValue(word);
  if (value === undefined) return `${name} has a value that is no number`;
  if (at < line.length) return `${name} has a timestamp, or something else behind its value`;
  return { name, labels, value, ...canonical(name, labels, labelLength) };
}

function canonical(name: string, labels: ReadonlyMap<string, string>, labelLength: number) {
  const given = [...labels].filter(([, value]) => value !== '').sort(([a], [b]) => (a < b ? -1 : 1));
  const values = given.map(([, value]) => boundLabel(value, labelLength));
  const cut = values.filter((value, index) => value !== given[index]?.[1]).length;
  const names = given.map(([label]) => label);
  return { series: seriesText(name, names, values), cut };
}

const unescapeLabel = (value: string): string =>
  value.includes('\\') ? value.replaceAll(/\\(.)/g, (_, c: string) => (c === 'n' ? '\n' : c)) : value;

/** Undefined for what is no number, and for one beyond what 64 bits hold. */
function parseValue(word: string): number | undefined {
  if (NUMBER.test(word)) {
    const value = Number(word);
    return Number.isFinite(value) ? value : undefined;
  }
  if (word.toLowerCase() === 'nan') return NaN;
  const infinite = INFINITE.exec(word);
  if (infinite === null) return undefined;
  return infinite[1] === '-' ? -Infinity : Infinity;
}
