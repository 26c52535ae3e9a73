// The answers to what is asked of history: points of series, names of series, the processes of a moment.
import { BY, findCulprit } from './culprit.ts';
import { hasLabels, parseSeries } from '../sample-text.ts';
import type { NamesQuery, ProcessesQuery, SeriesQuery } from './messages.ts';
import type { ProcessFacts, ProcessLog, Snapshot } from './process-log.ts';
import { Steps } from './query.ts';
import type { Rollups } from './rollups.ts';
import { KEPT } from './series.ts';

const KINDS = new Map(KEPT.flatMap(({ metrics }) => metrics.map(({ metric, as }) => [metric, as] as const)));

const describe = (name: string) => {
  const { metric, labels } = parseSeries(name) ?? { metric: name, labels: {} };
  return { metric, labels, as: KINDS.get(metric) ?? 'value' };
};

/** A page of a sorted list, and after which one the next begins. */
function page(
  names: readonly string[],
  { limit, after }: { readonly limit: number; readonly after: string | undefined },
) {
  const left = after === undefined ? names : names.filter((name) => name > after);
  return { names: left.slice(0, limit), next: left.length > limit ? (left[limit - 1] ?? null) : null };
}

export function answerSeries(rollups: Rollups, query: SeriesQuery): object {
  const { metric, labels, from, to, stepSeconds } = query;
  const matching = rollups.names(metric, query).filter((name) => {
    const parsed = parseSeries(name);
    return parsed !== undefined && hasLabels(parsed, labels);
  });
  const { names, next } = page(matching, query);
  const steps = new Map(names.map((name) => [name, new Steps(stepSeconds)]));
  const visit = (name: string, at: number, rollup: Parameters<Steps['add']>[1]): void =>
    steps.get(name)?.add(at, rollup);
  const wanted = new Set(names);
  rollups.visitDays(metric, wanted, { from, to }, visit);
  rollups.visitMinutes(metric, wanted, { from, to }, visit);
  const items = names.flatMap((name) => {
    const points = steps.get(name)?.points() ?? [];
    return points.length === 0 ? [] : [{ ...describe(name), points }];
  });
  return { items, next };
}

export function answerNames(rollups: Rollups, query: NamesQuery): object {
  const { names, next } = page(rollups.names(query.metric, query), query);
  return { items: names.map(describe), next };
}

/** A collection further from the wanted moment than this is of another time. */
const WITHIN_MS = 120_000;
const EARLIER_MS = 3_600_000;

/** `at` is null where there is no collection of that time. */
export function answerProcesses(log: ProcessLog, { at, by, limit }: ProcessesQuery): object {
  const found = log.find(at, WITHIN_MS);
  const range = log.range() ?? null;
  if (found === undefined) return { at: null, range };
  const key = BY[by];
  const earlier = log.find(found.at - EARLIER_MS, WITHIN_MS);
  const processes = known(found);
  const value = (process: ProcessFacts): number => (typeof process[key] === 'number' ? process[key] : -1);
  return {
    at: found.at,
    range,
    items: processes.toSorted((a, b) => value(b) - value(a)).slice(0, limit),
    culprit:
      findCulprit(processes, earlier === undefined ? undefined : { at: earlier.at, processes: known(earlier) }, by) ??
      null,
    earlierAt: earlier?.at ?? null,
    ...found.rest,
    next: null,
  };
}

type Known = ProcessFacts & {
  readonly pid: number;
  readonly startTime: number;
  readonly cpuRatio: number | null;
  readonly rssBytes: number | null;
  readonly fds: number | null;
};

/** The processes with what they are compared by: foreign data becomes known here. */
const known = ({ processes }: Snapshot): readonly Known[] =>
  processes.flatMap((process) => {
    const { pid, startTime } = process;
    if (typeof pid !== 'number' || typeof startTime !== 'number') return [];
    const number = (value: unknown): number | null => (typeof value === 'number' ? value : null);
    const { cpuRatio, rssBytes, fds } = process;
    return [{ ...process, pid, startTime, cpuRatio: number(cpuRatio), rssBytes: number(rssBytes), fds: number(fds) }];
  });
