// report.json: the whole input of a report in both languages, for programs. Fields are only ever added.
import type { ReportInput } from '../inspector/index.ts';
import { countResults } from './coverage.ts';
import { isoMoment } from './dates.ts';
import { countProblems, foldProblems } from './problems.ts';

const REPORT_SCHEMA_VERSION = 1;

/** The JSON document of a report; moments are Unix milliseconds, beside the two of the period as RFC 3339. */
export function renderJson(id: string, input: ReportInput, timeZone: string): string {
  const { run, previous, change, period } = input;
  const problems = foldProblems(run.results, change);
  const document = {
    schemaVersion: REPORT_SCHEMA_VERSION,
    id,
    timeZone,
    host: input.host,
    period: { ...period, fromTime: isoMoment(period.from, timeZone), toTime: isoMoment(period.to, timeZone) },
    score: run.score,
    scores: input.scores,
    counts: countResults(run.results),
    problems: {
      ...countProblems(problems),
      items: problems.map((p) => ({
        code: p.code,
        verdict: p.kind,
        change: p.trend,
        targets: p.findings.map((f) => f.target),
      })),
    },
    run,
    previous:
      previous === undefined
        ? null
        : { id: previous.id, startedAt: previous.startedAt, finishedAt: previous.finishedAt, score: previous.score },
    change:
      change === undefined
        ? null
        : Object.fromEntries(Object.entries(change).map(([kind, list]) => [kind, refs(list)])),
    worst: input.worst,
    cost: input.cost,
    checks: [...input.checks.values()],
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

const refs = (results: ReportInput['run']['results']): readonly object[] =>
  results.map(({ code, target, verdict, since }) => ({ code, target, verdict, since }));
