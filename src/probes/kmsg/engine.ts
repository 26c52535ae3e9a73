// From records to counts, events and conditions. Pure: all it knows is what it is given, and all that lasts is in its state.
import { clear, raise, type Conditions } from './conditions.ts';
import type { LastWord } from './last-words.ts';
import { openMatcher, type Fields } from './matcher.ts';
import { dictionaryOf, emptyHead, parseHead, textOf, type Head } from './record.ts';
import {
  append,
  begin,
  commonFields,
  endsHere,
  goesOn,
  isSilent,
  linesOf,
  type Report,
  type Trigger,
} from './reports.ts';
import { isNote, type EventRule, type NoteRule, type Rule } from './rule.ts';
import { countRecent, type Recents } from './recent.ts';
import { countOne, type Counts } from './tally.ts';

/** A problem that the kernel told of, before it is known whose it is. */
export interface Problem extends Trigger {
  readonly fields: Fields;
  /** The lines of a report, the first and the last of a long one. */
  readonly lines: readonly string[];
}

/** All that lasts; JSON but for its maps. */
export interface EngineState {
  /** Of the last record that was read; undefined before the first. */
  seq: number | undefined;
  /** Records that the kernel overwrote before they were read. */
  lost: number;
  /** Records read, by severity. */
  readonly records: number[];
  readonly counts: Counts;
  /** What outlives the boot. */
  readonly recents: Recents;
  readonly conditions: Conditions;
  /** Those under way, by the caller that writes them. */
  readonly reports: Map<string, Report>;
  /** The beginning of a line whose end has not come. */
  fragment: Fragment | undefined;
  /** The last grave problems of this boot, and those of the boot before. */
  readonly words: LastWord[];
  readonly before: readonly LastWord[];
}

interface Fragment {
  readonly seq: number;
  readonly usec: number;
  readonly severity: number;
  readonly caller: string;
  readonly at: number;
  text: string;
}

export const emptyState = (): EngineState => ({
  seq: undefined,
  lost: 0,
  records: new Array<number>(8).fill(0),
  counts: new Map(),
  recents: new Map(),
  conditions: new Map(),
  reports: new Map(),
  fragment: undefined,
  words: [],
  before: [],
});

interface EngineOptions {
  readonly rules: readonly Rule[];
  readonly facilities: readonly number[];
  /** Events of one reason that are kept. */
  readonly perMinute: number;
  readonly onProblem: (problem: Problem) => void;
}

export interface Engine {
  /** Takes the record in the first `length` bytes. `when` gives the Unix milliseconds of its time in microseconds since the boot. */
  take(bytes: Buffer, length: number, when: (usec: number) => number): void;
  /** Ends what had no more lines for a second, by the kernel's clock in microseconds since the boot. */
  settle(usec: number): void;
}

const MOST_REPORTS = 64;
const MOST_MESSAGE = 500;
const MOST_FRAGMENT = 4096;

type Line = Omit<Fragment, 'text'>;

export function openEngine(state: EngineState, { rules, facilities, perMinute, onProblem }: EngineOptions): Engine {
  const matcher = openMatcher(rules);
  const wanted = new Set(facilities);
  const head = emptyHead();

  const finish = (caller: string, report: Report): void => {
    const { trigger, fields } = report;
    state.reports.delete(caller);
    if (trigger !== undefined) onProblem({ ...trigger, fields, lines: linesOf(report) });
  };
  const open = (caller: string, report: Report): Report => {
    const [oldest] = state.reports;
    if (state.reports.size >= MOST_REPORTS && oldest !== undefined) finish(...oldest);
    state.reports.set(caller, report);
    return report;
  };
  const note = (rule: NoteRule, fields: Fields, line: Line): void => {
    let report = state.reports.get(line.caller);
    if (rule.opens === true && (report?.kind !== rule.within || report.told)) {
      if (report !== undefined) finish(line.caller, report);
      report = open(line.caller, begin(rule.within, line.usec));
    }
    if (report?.kind !== rule.within) return;
    report.fields = rule.opens === true ? { ...report.fields, ...fields } : { ...fields, ...report.fields };
  };
  /** The event of a line that is counted; undefined where it is not kept. */
  const triggerOf = (rule: EventRule, line: Line, text: string): Trigger | undefined => {
    countRecent(state.recents, rule.reason, line.at);
    const suppressed = countOne(state.counts, rule.reason, line.usec, perMinute);
    if (suppressed === undefined) return undefined;
    const { seq, usec, at, severity } = line;
    return { seq, usec, at, severity, reason: rule.reason, message: text.slice(0, MOST_MESSAGE), suppressed };
  };
  const lasting = ({ reason, raises, clears }: EventRule, fields: Fields, { at }: Line): void => {
    if (raises !== undefined) raise(state.conditions, raises, { reason, subject: subjectOf(raises, fields), at });
    if (clears !== undefined) clear(state.conditions, clears.type, subjectOf(clears, fields));
  };
  const event = (rule: EventRule, fields: Fields, line: Line, text: string): void => {
    const report = state.reports.get(line.caller);
    if (rule.report !== undefined && report !== undefined && goesOn(report, rule.report, rule.reason)) {
      report.fields = { ...fields, ...report.fields };
      return;
    }
    const trigger = triggerOf(rule, line, text);
    lasting(rule, fields, line);
    if (rule.report !== undefined) {
      if (report !== undefined) finish(line.caller, report);
      Object.assign(open(line.caller, begin(rule.report, line.usec)), { fields, trigger, reason: rule.reason });
    } else if (report !== undefined && report.kind === rule.concludes) conclude(report, trigger, fields, text);
    else if (trigger !== undefined) onProblem({ ...trigger, fields, lines: [] });
  };
  const conclude = (report: Report, trigger: Trigger | undefined, fields: Fields, text: string): void => {
    const other = report.fields['pid'] !== undefined && report.fields['pid'] !== fields['pid'];
    const lines = linesOf(report);
    if (trigger !== undefined) {
      const told = other ? fields : { ...report.fields, ...fields };
      onProblem({ ...trigger, fields: told, lines: lines.length === 0 ? [] : [...lines, text] });
    }
    Object.assign(report, { told: true, fields: commonFields(report.fields), lines: [], tail: [], more: 0 });
  };

  const read = (line: Line, bytes: Buffer, length: number, { from, to }: Pick<Head, 'from' | 'to'>): void => {
    let text: string | undefined;
    const asText = (): string => (text ??= textOf(bytes, { from, to }));
    const before = state.reports.get(line.caller);
    if (before !== undefined && isSilent(before, line.usec)) finish(line.caller, before);
    const matches = matcher.match({ bytes, from, to, severity: line.severity, text: asText });
    if (matches.length > 0) {
      const { DEVICE: device } = dictionaryOf(bytes, length, { to });
      const counted = new Set<string>();
      for (const { rule, fields } of matches) {
        const told = device === undefined ? fields : { ...fields, kernel_device: device };
        if (isNote(rule)) note(rule, told, line);
        else if (!counted.has(rule.reason)) event(rule, told, line, asText());
        else lasting(rule, told, line); // one of the operator's rules for what ours has seen
        if (!isNote(rule)) counted.add(rule.reason);
      }
    }
    const report = state.reports.get(line.caller);
    if (report === undefined || report.told) return;
    append(report, asText(), line.usec);
    if (endsHere(asText())) finish(line.caller, report);
  };
  const flush = (): void => {
    const { fragment } = state;
    state.fragment = undefined;
    if (fragment === undefined) return;
    const bytes = Buffer.from(fragment.text);
    read(fragment, bytes, bytes.length, { from: 0, to: bytes.length });
  };

  return {
    take(bytes, length, when) {
      if (!parseHead(bytes, length, head)) return;
      if (state.seq !== undefined) {
        if (head.seq <= state.seq) return;
        state.lost += head.seq - state.seq - 1;
      }
      state.seq = head.seq;
      if (!wanted.has(head.facility)) return;
      state.records[head.severity] = (state.records[head.severity] ?? 0) + 1;
      if (head.flag === '+' && state.fragment?.caller === head.caller) {
        state.fragment.text = (state.fragment.text + textOf(bytes, head)).slice(0, MOST_FRAGMENT);
        return;
      }
      flush();
      const { seq, usec, severity, caller } = head;
      const line = { seq, usec, severity, caller, at: when(usec) };
      if (head.flag === 'c') state.fragment = { ...line, text: textOf(bytes, head) };
      else read(line, bytes, length, head);
    },
    settle(usec) {
      if (state.fragment !== undefined && usec - state.fragment.usec > 1_000_000) flush();
      for (const [caller, report] of state.reports) if (isSilent(report, usec)) finish(caller, report);
    },
  };
}

const subjectOf = ({ subject }: { readonly subject?: string | undefined }, fields: Fields): string =>
  subject === undefined ? '' : (fields[subject] ?? '');
