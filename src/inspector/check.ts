// What a check is: a stable code, what it needs, its limits and their source, and a pure function from facts to observations.
import type { Health } from '../base/component.ts';
import type { CollectorStatus, MetricSample } from '../probes/index.ts';
import type { Area, Limits, Localized, Observation, Unit, Verdict } from './model.ts';

/** A value remembered at an earlier run. */
export interface Past {
  /** Unix milliseconds. */
  readonly at: number;
  readonly value: number;
}

/** Everything a check may know; nothing here touches the host. */
export interface Facts {
  /** As `HostView.samples`: undefined is not known, an empty list is a host without such a thing. */
  samples(metric: string): readonly MetricSample[] | undefined;
  /** The collector that writes a metric, undefined when none does (switched off, or not for this kernel). */
  source(metric: string): CollectorStatus | undefined;
  readonly now: number;
  /** Processors that are online, undefined while not known. */
  readonly cpus: number | undefined;
  /** The newest remembered value at least so old. Throws for an age that the check did not declare in `lookBack`. */
  past(series: string, ageSeconds: number): Past | undefined;
  /** The oldest remembered value, for differences over a time not yet reached. */
  oldest(series: string): Past | undefined;
  details(collector: string): unknown;
  collectors(): readonly CollectorStatus[];
  /** The health of the daemon's own parts. */
  parts(): ReadonlyMap<string, Health>;
}

/** A value to remember for later runs. */
export interface Remembered {
  readonly series: string;
  readonly at: number;
  readonly value: number;
}

export interface Evaluation {
  readonly observations: readonly Observation[];
  readonly remember?: readonly Remembered[];
  /** Set while the check has too few earlier observations to say (all of) what it could. */
  readonly waiting?: { readonly until: number; readonly reason: Localized };
}

/** Limits of another kind than the check's own, for some of its targets. */
interface Variant {
  readonly limits: Limits;
  readonly unit?: Unit;
  readonly area?: Area;
}

/** Written or recorded facts and what the check must conclude from them at first sight. */
export interface Sample {
  /** What the facts are, and `recorded` or `written`. */
  readonly name: string;
  readonly metrics?: Readonly<Record<string, readonly MetricSample[]>>;
  readonly cpus?: number;
  /** Remembered values by series, each so many seconds old. */
  readonly past?: Readonly<Record<string, readonly { readonly ageSeconds: number; readonly value: number }[]>>;
  readonly details?: Readonly<Record<string, unknown>>;
  readonly collectors?: readonly CollectorStatus[];
  /** Which collector writes a metric, for samples about one that failed. */
  readonly sources?: Readonly<Record<string, string>>;
  readonly parts?: Readonly<Record<string, Health>>;
  /** The verdict of every target; targets not named here must not appear. */
  readonly expect: Readonly<Record<string, Verdict>>;
  readonly waiting?: boolean;
}

export interface Check {
  /** Stable; never used again once retired. */
  readonly code: string;
  readonly area: Area;
  readonly unit: Unit;
  /** The metrics to watch. */
  readonly needs: readonly string[];
  /** Ages in seconds that it asks {@link Facts.past} for. */
  readonly lookBack?: readonly number[];
  readonly limits: Limits;
  readonly variants?: Readonly<Record<string, Variant>>;
  /** Where the limits come from. */
  readonly source: string;
  readonly text: { readonly title: Localized; readonly meaning: Localized; readonly remedy: Localized };
  evaluate(facts: Facts): Evaluation;
  /** The conclusion about a value: subject, number, limit. Not called for values that are missing. */
  line(observation: Observation, value: number, verdict: 'ok' | 'warn' | 'crit', limit: number): Localized;
  /** The first read-only command to run. */
  command?(observation: Observation): string | undefined;
  readonly samples: readonly Sample[];
}

/** The target of what is about the whole host. A missing value on it stands for all targets of the check. */
export const HOST = 'host';

export const GIB = 2 ** 30;
export const DAY_SECONDS = 86_400;

/** Limits where more is worse; they clear below `clearWarn` and `clearCrit`. */
export const above = (warn: number, crit: number, clearWarn: number, clearCrit: number): Limits => ({
  bad: 'above',
  warn,
  crit,
  clearWarn,
  clearCrit,
});

/** Limits where less is worse; they clear above `clearWarn` and `clearCrit`. */
export const below = (warn: number, crit: number, clearWarn: number, clearCrit: number): Limits => ({
  bad: 'below',
  warn,
  crit,
  clearWarn,
  clearCrit,
});

/** The single value of a metric without labels, or undefined. */
export const scalar = (facts: Facts, metric: string): number | undefined => facts.samples(metric)?.[0]?.value;

/** When the samples of a metric were read, in Unix milliseconds. */
export const readAt = (facts: Facts, metric: string): number => facts.source(metric)?.lastSuccessAt ?? facts.now;

/** The moment at which samples play, in Unix milliseconds. */
export const SAMPLE_NOW = Date.UTC(2026, 10, 23, 8);
