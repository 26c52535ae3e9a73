// Every check against its own samples: a check that cannot fire, or always does, is found before an operator relies on it.
import { explain } from '../base/fault.ts';
import { SAMPLE_NOW, type Check, type Facts, type Past, type Sample } from './check.ts';
import { checks } from './checks/index.ts';
import { judge } from './judge.ts';
import { limitsFor } from './limits.ts';
import type { Verdict } from './model.ts';

interface SelfTestResult {
  readonly code: string;
  readonly ok: boolean;
  /** Which samples it was tested with, or what is wrong. */
  readonly why: string;
}

/** Runs all checks over their samples, with their own limits. Never throws. */
export const selfTest = (list: readonly Check[] = checks): readonly SelfTestResult[] => list.map(testCheck);

function testCheck(check: Check): SelfTestResult {
  const { code } = check;
  if (check.samples.length === 0) return { code, ok: false, why: 'it has no samples' };
  const wrong = check.samples.flatMap((sample) => {
    const problem = trySample(check, sample);
    return problem === undefined ? [] : [`${sample.name}: ${problem}`];
  });
  const seen = new Set(check.samples.flatMap((sample) => Object.values(sample.expect)));
  const fires = seen.has('warn') || seen.has('crit');
  if (!fires || !seen.has('ok')) wrong.push('the samples need a good and a bad one');
  return {
    code,
    ok: wrong.length === 0,
    why: wrong.length === 0 ? `${check.samples.length} samples` : wrong.join('; '),
  };
}

function trySample(check: Check, sample: Sample): string | undefined {
  try {
    const { verdicts, waiting } = verdictsOf(check, sampleFacts(check, sample));
    const [want, got] = [show(sample.expect), show(verdicts)];
    if (want !== got) return `expected ${want}, got ${got}`;
    return waiting === (sample.waiting ?? false) ? undefined : `expected ${waiting ? 'not ' : ''}to wait for data`;
  } catch (error) {
    return explain(error);
  }
}

const show = (verdicts: Readonly<Record<string, Verdict>>): string =>
  Object.entries(verdicts)
    .map(([target, verdict]) => `${target}=${verdict}`)
    .sort()
    .join(' ') || 'nothing';

/** The verdicts at first sight, by target. */
function verdictsOf(
  check: Check,
  facts: Facts,
): { readonly verdicts: Readonly<Record<string, Verdict>>; readonly waiting: boolean } {
  const { observations, waiting } = check.evaluate(facts);
  const verdicts: Record<string, Verdict> = {};
  for (const observation of observations) {
    const limits = limitsFor(check, observation, {});
    const { verdict } = judge(undefined, observation, limits, facts.now);
    verdicts[observation.target] = verdict;
    const { value } = observation;
    if (value === undefined || verdict === 'unknown' || verdict === 'skipped') continue;
    const line = check.line(observation, value, verdict, limits.warn);
    if (Object.values(line).some((text) => text.trim() === '' || text.includes('undefined'))) {
      throw new Error(`its line about ${observation.target} is incomplete: ${JSON.stringify(line)}`);
    }
  }
  return { verdicts, waiting: waiting !== undefined };
}

/** Facts as a sample writes them; what it does not name is not known, as on a host without collectors. */
export function sampleFacts(check: Pick<Check, 'lookBack'>, sample: Sample): Facts {
  const past = (series: string): readonly Past[] =>
    (sample.past?.[series] ?? [])
      .map(({ ageSeconds, value }) => ({ at: SAMPLE_NOW - ageSeconds * 1000, value }))
      .sort((a, b) => b.at - a.at);
  const collectors = sample.collectors ?? [];
  return {
    samples: (metric) => sample.metrics?.[metric],
    source: (metric) => collectors.find(({ name }) => name === sample.sources?.[metric]),
    now: SAMPLE_NOW,
    cpus: sample.cpus,
    past(series, ageSeconds) {
      if (check.lookBack?.includes(ageSeconds) !== true) throw new RangeError(`${ageSeconds} s is not in its lookBack`);
      return past(series).find(({ at }) => at <= SAMPLE_NOW - ageSeconds * 1000);
    },
    oldest: (series) => past(series).at(-1),
    details: (collector) => sample.details?.[collector],
    collectors: () => collectors,
    parts: () => new Map(Object.entries(sample.parts ?? {})),
  };
}
