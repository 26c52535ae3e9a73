// One inspection: every check on its own over the facts, judged after what is remembered, scored. Does not touch the host.
import { explain } from '../base/fault.ts';
import type { Check, Evaluation, Facts, Remembered } from './check.ts';
import { HOST } from './check.ts';
import { judge, type Memory } from './judge.ts';
import { limitsFor, type LimitChanges } from './limits.ts';
import type { Localized, Observation, Result, Run, Verdict } from './model.ts';
import { muteOf, type Mute } from './mute.ts';
import { scoreOf } from './score.ts';
import { both, clipEvidence, plain } from './wording.ts';

/** What is remembered, by check code and target. */
export type Memories = ReadonlyMap<string, ReadonlyMap<string, Memory>>;

interface RunRequest {
  readonly id: string;
  readonly host: string;
  readonly startedAt: number;
  readonly checks: readonly Check[];
  readonly facts: Facts;
  readonly memories: Memories;
  readonly limits: LimitChanges;
  readonly mutes: readonly Mute[];
  /** What already went wrong before the checks, such as a collection that did not end in time. */
  readonly missing: readonly Localized[];
  /** Unix milliseconds after which no further check is begun. */
  readonly deadline: number;
  readonly clock: () => number;
}

export interface RunOutcome {
  readonly run: Run;
  /** The new memory; targets that are no longer there are not in it. */
  readonly memories: Memories;
  readonly remember: readonly Remembered[];
}

interface CheckOutcome {
  readonly results: readonly Result[];
  readonly memories: ReadonlyMap<string, Memory>;
  readonly evaluation: Evaluation;
}

/** Runs all checks. Never throws: a check that does becomes an `unknown` result with its error as evidence. */
export function inspect(request: RunRequest): RunOutcome {
  const { checks, facts } = request;
  const missing = [...request.missing];
  const memories = new Map<string, ReadonlyMap<string, Memory>>();
  const outcomes = checks.map((check): CheckOutcome & { readonly code: string } => {
    const late = request.clock() > request.deadline;
    if (late) missing.push(both(`超出时限,未检查 ${check.code}`, `out of time, ${check.code} was not checked`));
    const outcome = runCheck(check, request, late);
    if (outcome.memories.size > 0) memories.set(check.code, outcome.memories);
    return { ...outcome, code: check.code };
  });
  const results = outcomes.flatMap((outcome) => outcome.results);
  const waiting = outcomes.flatMap(({ code, evaluation }) =>
    evaluation.waiting === undefined ? [] : [{ code, ...evaluation.waiting }],
  );
  const run: Run = {
    id: request.id,
    host: request.host,
    startedAt: request.startedAt,
    finishedAt: Math.max(request.startedAt, request.clock()),
    state: missing.length === 0 ? 'complete' : 'partial',
    missing,
    results,
    waiting,
    ...scoreOf(results),
  };
  const remember = outcomes.flatMap(({ evaluation }) => evaluation.remember ?? []);
  return { run, memories, remember: remember.filter(({ value, at }) => Number.isFinite(value) && at <= facts.now) };
}

function runCheck(check: Check, request: RunRequest, late: boolean): CheckOutcome {
  if (late) return judgeAll(check, blind(both('超出巡检时限', 'the inspection ran out of time'), []), request);
  try {
    return judgeAll(check, check.evaluate(request.facts), request);
  } catch (error) {
    const evidence = [`error=${plain(explain(error), 190)}`];
    return judgeAll(check, blind(both('检查项自身出错', 'the check itself failed'), evidence), request);
  }
}

function judgeAll(check: Check, evaluation: Evaluation, request: RunRequest): CheckOutcome {
  const known = request.memories.get(check.code) ?? new Map<string, Memory>();
  const results: Result[] = [];
  const memories = new Map<string, Memory>();
  for (const observation of complete(evaluation, known)) {
    const judged = judgeOne(check, observation, known.get(observation.target), request);
    results.push(judged.result);
    memories.set(observation.target, judged.memory);
  }
  return { results, memories, evaluation };
}

const blind = (reason: Localized, evidence: readonly string[]): Evaluation => ({
  observations: [{ target: HOST, value: undefined, missing: { verdict: 'unknown', reason }, evidence }],
});

/**
 * The observations, with one per remembered target that could not be looked at: when the whole check is blind, what it
 * saw before is unknown now, not gone; when it waits for data, so is what it had found.
 */
function complete(evaluation: Evaluation, known: ReadonlyMap<string, Memory>): readonly Observation[] {
  const { observations, waiting } = evaluation;
  const whole = observations.find((one) => one.target === HOST && one.missing?.verdict === 'unknown');
  const reason = whole?.missing?.reason ?? waiting?.reason;
  if (reason === undefined) return observations;
  const seen = new Set(observations.map((one) => one.target));
  const lost = [...known].filter(
    ([target, { side }]) => !seen.has(target) && side !== undefined && (whole !== undefined || side !== 'ok'),
  );
  const rest = lost.map(([target]): Observation => ({
    target,
    value: undefined,
    missing: { verdict: 'unknown', reason },
    evidence: whole?.evidence ?? [],
  }));
  // Named one by one, they stand for the whole; it is told apart only where nothing is remembered.
  return whole !== undefined && rest.length > 0 ? rest : [...observations, ...rest];
}

function judgeOne(
  check: Check,
  observation: Observation,
  before: Memory | undefined,
  request: RunRequest,
): { readonly result: Result; readonly memory: Memory } {
  const limits = limitsFor(check, observation, request.limits);
  const { verdict, since, streak, memory } = judge(before, observation, limits, request.startedAt);
  const limit = verdict === 'crit' ? limits.crit : limits.warn;
  const variant = observation.variant === undefined ? undefined : check.variants?.[observation.variant];
  const command = observation.missing === undefined ? check.command?.(observation) : undefined;
  const muted = muteOf(request.mutes, check.code, observation.target, request.startedAt);
  const missing = verdict === 'unknown' || verdict === 'skipped';
  const result: Result = {
    code: check.code,
    area: variant?.area ?? check.area,
    target: observation.target,
    verdict,
    value: missing ? undefined : observation.value,
    unit: variant?.unit ?? check.unit,
    limit: missing ? undefined : limit,
    evidence: clipEvidence(observation.evidence),
    line: lineOf(check, observation, verdict, limit),
    since,
    streak,
    ...(command === undefined ? {} : { command }),
    ...(muted === undefined ? {} : { muted }),
  };
  return { result, memory };
}

function lineOf(check: Check, observation: Observation, verdict: Verdict, limit: number): Localized {
  const { value, missing, target } = observation;
  if (value !== undefined && verdict !== 'unknown' && verdict !== 'skipped') {
    return check.line(observation, value, verdict, limit);
  }
  const reason = missing?.reason ?? both('数值无效', 'the value is not a number');
  const where = target === HOST ? '' : ` ${target}`;
  const [zh, en] = verdict === 'skipped' ? ['不适用', 'not applicable'] : ['未知', 'unknown'];
  return both(
    `${check.text.title['zh-CN']}${where} ${zh}:${reason['zh-CN']}`,
    `${check.text.title.en}${where} ${en}: ${reason.en}`,
  );
}
