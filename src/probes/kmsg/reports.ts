// Reports of many lines, such as an oops: from the line that begins one until its end, a second of silence, or the next one. Pure.
import type { Fields } from './matcher.ts';
import type { ReportKind } from './rule.ts';

/** What is told of a problem when its report is over; JSON, as it is saved. */
export interface Trigger {
  readonly seq: number;
  readonly usec: number;
  /** Unix milliseconds. */
  readonly at: number;
  readonly reason: string;
  readonly severity: number;
  readonly message: string;
  /** So many of the same reason before it were counted and not kept. */
  readonly suppressed: number;
}

export interface Report {
  readonly kind: ReportKind;
  /** Microseconds since the boot. */
  readonly began: number;
  last: number;
  lines: string[];
  /** The last lines, and how many between the first and them are not kept. */
  tail: string[];
  more: number;
  fields: Fields;
  /** What it is about; undefined while no counted line came, and where the event is not kept. */
  trigger: Trigger | undefined;
  /** The reason that began it. */
  reason: string | undefined;
  /** Its event was told: what comes now can be another victim of the same. */
  told: boolean;
}

const SILENCE_USEC = 1_000_000;
const LONGEST_USEC = 10_000_000;
/** First lines that are kept, and last lines: what it is about, and how it ended. */
const FIRST = 24;
const LAST = 16;
const MOST_LINE = 300;
const END = '---[ end trace';

export const begin = (kind: ReportKind, usec: number): Report => ({
  kind,
  began: usec,
  last: usec,
  lines: [],
  tail: [],
  more: 0,
  fields: {},
  trigger: undefined,
  reason: undefined,
  told: false,
});

export function append(report: Report, text: string, usec: number): void {
  report.last = usec;
  const line = text.slice(0, MOST_LINE);
  if (report.lines.length < FIRST) return void report.lines.push(line);
  report.tail.push(line);
  if (report.tail.length <= LAST) return;
  report.tail.shift();
  report.more += 1;
}

/** All lines that are kept, with one for those that are not. */
export const linesOf = ({ lines, tail, more }: Report): readonly string[] =>
  more === 0 ? [...lines, ...tail] : [...lines, `… ${more} lines are not kept …`, ...tail];

export const isSilent = ({ began, last }: Report, usec: number): boolean =>
  usec - last > SILENCE_USEC || usec - began > LONGEST_USEC;

export const endsHere = (text: string): boolean => text.includes(END);

/** Reports in which the same reason again is the same problem: an oops has several lines that alone would be one. */
const GOES_ON: ReadonlySet<ReportKind> = new Set(['oops', 'ata']);

export const goesOn = (report: Report, kind: ReportKind, reason: string): boolean =>
  report.kind === kind && report.reason === reason && GOES_ON.has(kind);

/** What all victims of one kill have in common. */
export const commonFields = ({ cgroup, limited, constraint }: Fields): Fields => ({
  ...(cgroup === undefined ? {} : { cgroup }),
  ...(limited === undefined ? {} : { limited }),
  ...(constraint === undefined ? {} : { constraint }),
});
