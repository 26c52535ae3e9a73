// What a rule is: literals that a line must have, patterns that take its fields out, and what follows from a match.

/** Lines of one report follow each other; what each kind of report is. */
export type ReportKind = 'oom' | 'oops' | 'lockup' | 'hung' | 'warning' | 'ata' | 'allocation';

/** A problem that lasts, as node-problem-detector's conditions do. Its gauge is 1 from a match until it ends. */
export interface Condition {
  /** As in `problem_gauge{type}`. */
  readonly type: string;
  /** The field that tells one such problem from another, such as the device; without it there is one. */
  readonly subject?: string;
  /**
   * How it is known to be over, beside a line that says so: the file system of the device is writable or gone, or the task
   * is no longer in uninterruptible sleep.
   */
  readonly recheck?: 'writable' | 'unmounted' | 'task';
  /** Over so many seconds after the last match, where nothing else tells. */
  readonly ttlSeconds: number;
  /** So many matches within so many seconds make it; one unless said. */
  readonly frequent?: { readonly times: number; readonly seconds: number };
}

interface Matching {
  /** One of them must be in the line; each of at least four bytes. */
  readonly literals: readonly string[];
  /** In RE2's syntax; named groups are the fields of the event. The first that matches counts. */
  readonly patterns: readonly string[];
}

/** A line that is a problem: it is counted, and an event. */
export interface EventRule extends Matching {
  /** As in `problem_counter{reason}` and `jdos_kernel_events_total{reason}`. */
  readonly reason: string;
  /** node-problem-detector has this reason, or its rules were imported: it is in `problem_counter` too. */
  readonly npd?: boolean;
  /** Lines of at most this severity number only: 4 are warnings and worse. */
  readonly severity?: number;
  /** The line opens a report of this kind, and the lines that follow belong to the event. */
  readonly report?: ReportKind;
  /** Within a report of this kind, it takes over what the lines before told; undefined: it is a line by itself. */
  readonly concludes?: ReportKind;
  readonly raises?: Condition;
  /** The pattern is matched against so many of the last lines, joined by line feeds; one unless said. */
  readonly lines?: number;
  /** The condition that this line ends, by the same subject. */
  readonly clears?: Pick<Condition, 'type' | 'subject'>;
}

/** A line that tells more of a report, and is no problem by itself. */
export interface NoteRule extends Matching {
  readonly within: ReportKind;
  /** A report of this kind may begin with it, before the line that is counted. */
  readonly opens?: boolean;
}

export type Rule = EventRule | NoteRule;

export const isNote = (rule: Rule): rule is NoteRule => 'within' in rule;
