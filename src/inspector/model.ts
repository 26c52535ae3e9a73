// The words of the inspector: checks, observations, findings, runs.

export const LOCALES = ['zh-CN', 'en'] as const;
export type Locale = (typeof LOCALES)[number];
export type Localized = Readonly<Record<Locale, string>>;

/** Worst last. `unknown` is neither good nor bad: it could not be seen. `skipped`: the host has no such thing. */
export type Verdict = 'ok' | 'skipped' | 'unknown' | 'warn' | 'crit';

/** The part of the host a check looks at: the columns of the report's matrix. */
export const AREAS = ['cpu', 'memory', 'storage', 'network', 'processes', 'clock', 'system', 'daemon'] as const;
export type Area = (typeof AREAS)[number];

export type Unit = 'ratio' | 'bytes' | 'seconds' | 'count' | 'load' | 'none';

/** Two-limit hysteresis: enters at `warn`/`crit`, leaves only beyond `clearWarn`/`clearCrit`. */
export interface Limits {
  /** Which side is bad. */
  readonly bad: 'above' | 'below';
  readonly warn: number;
  readonly crit: number;
  readonly clearWarn: number;
  readonly clearCrit: number;
}

/** What a check saw on one target, before it is judged. */
export interface Observation {
  /** What it is about: a mount point, a process group, `host`. Stable from run to run. */
  readonly target: string;
  /** The measured value, or undefined where it could not be seen (`unknown`) or does not exist (`skipped`). */
  readonly value: number | undefined;
  /** Why there is no value. */
  readonly missing?: { readonly verdict: 'unknown' | 'skipped'; readonly reason: Localized };
  /** What stands beside the value: short `name=value` facts, at most 8 of 200 characters each. */
  readonly evidence: readonly string[];
  /** Names for the text templates of the check, beside `target` and `value`. */
  readonly facts?: Readonly<Record<string, string | number>>;
  /** Which of the check's variants judges this target, where the check has limits of more than one kind. */
  readonly variant?: string;
  /** The worst verdict this value may have, whatever the limits say. */
  readonly atMost?: 'ok' | 'warn';
}

/** The judged state of one check on one target at the end of one run. */
export interface Result {
  readonly code: string;
  readonly area: Area;
  readonly target: string;
  readonly verdict: Verdict;
  readonly value: number | undefined;
  readonly unit: Unit;
  /** The limit the value is held against: the one it crossed, or the nearest one. */
  readonly limit: number | undefined;
  readonly evidence: readonly string[];
  /** The conclusion as one line per language: subject, number, limit. */
  readonly line: Localized;
  /** Unix milliseconds since when the verdict is what it is. */
  readonly since: number;
  /** Consecutive runs that saw the other side of the limit while the verdict still holds (recovering). */
  readonly streak: number;
  /** First read-only command to run, per language the same. */
  readonly command?: string;
  /** Silenced by the configuration until then (Unix milliseconds): listed, no finding, ok for the score. */
  readonly muted?: { readonly until: number; readonly reason: string };
}

/** A result that needs a person: `warn`, `crit`, or `unknown`, and not muted. */
export type Finding = Result;

export const isFinding = (result: Result): result is Finding =>
  result.muted === undefined && result.verdict !== 'ok' && result.verdict !== 'skipped';

export interface Run {
  readonly id: string;
  readonly host: string;
  /** Unix milliseconds. */
  readonly startedAt: number;
  readonly finishedAt: number;
  /** `complete`, or `partial` with what is missing. */
  readonly state: 'complete' | 'partial';
  readonly missing: readonly Localized[];
  readonly results: readonly Result[];
  /** Checks that cannot say anything yet, and until when they wait for data. */
  readonly waiting: readonly { readonly code: string; readonly until: number; readonly reason: Localized }[];
  /** 0 to 100, by {@link file://./score.ts}. */
  readonly score: number;
  /** Points lost per area, worst first; sums to 100 - score. */
  readonly deductions: readonly { readonly area: Area; readonly points: number }[];
}

/** How the findings of this run differ from those of an earlier one. */
export interface Change {
  readonly added: readonly Result[];
  readonly worse: readonly Result[];
  readonly better: readonly Result[];
  readonly unchanged: readonly Result[];
  readonly gone: readonly Result[];
}

/** Everything a report is made from; `report/` renders it, and computes nothing about the host itself. */
export interface ReportInput {
  readonly run: Run;
  /** The run the last report was made from, or undefined for the first one. */
  readonly previous: Run | undefined;
  readonly change: Change | undefined;
  /** Scores of the reports of the last 14 days, oldest first, today's last. */
  readonly scores: readonly number[];
  readonly period: { readonly from: number; readonly to: number };
  /** What kind of host this is, for the head of the report. */
  readonly host: {
    readonly name: string;
    readonly os: string;
    readonly kernel: string;
    readonly cpus: number;
    readonly memoryBytes: number;
  };
  /** The worst of the host now: label and value as printed, at most five. */
  readonly worst: readonly { readonly label: Localized; readonly text: string }[];
  /** What the daemon itself costs. */
  readonly cost: { readonly cpuRatio: number | undefined; readonly memoryBytes: number | undefined };
  /** Titles, meaning and remedy of the checks, by code. */
  readonly checks: ReadonlyMap<string, CheckText>;
}

export interface CheckText {
  readonly code: string;
  readonly title: Localized;
  readonly meaning: Localized;
  readonly remedy: Localized;
}
